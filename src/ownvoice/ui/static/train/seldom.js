// Says what changes by itself, and never more often than each ten seconds: what came in between is said together,
// the newest of each kind.
import { announce } from "../announce.js";

const PAUSE = 10_000; // milliseconds

const waiting = new Map();
let last = -Infinity;
let timer = null;

/** Say `text` when it is time; a later text of the same `kind` takes its place. */
export function saySeldom(kind, text) {
  waiting.delete(kind);
  waiting.set(kind, text);
  timer ??= setTimeout(say, Math.max(0, last + PAUSE - performance.now()));
}

function say() {
  timer = null;
  last = performance.now();
  announce([...waiting.values()].join(" "));
  waiting.clear();
}
