// Care for the person: how far it is to the next useful amount, when a rest would do good, and an end for today.
import { announce } from "../announce.js";
import { words } from "../words.js";
import { setShown, setText } from "./elements.js";
import { preferences } from "./preferences.js";
import { inMinutes } from "./wording.js";

const REST_MINUTES = 10;
const REST_TAKES = 25;
const RESTED_MINUTES = 5; // without a take: who was away so long has had the rest

/** Suggest a rest after a while, in `element`; nothing waits for an answer. `leave()` moves the focus afterwards. */
export function suggestRests(element, studio, leave) {
  let since = performance.now();
  let takes = 0;
  let latest = Date.now(); // by the clock on the wall: the other one stands still while a laptop sleeps
  studio.addEventListener("saved", () => {
    if (Date.now() - latest > RESTED_MINUTES * 60_000) [since, takes] = [performance.now(), 0];
    latest = Date.now();
    takes += 1;
    const minutes = (performance.now() - since) / 60_000;
    if (!preferences.breaks || !element.hidden || (takes < REST_TAKES && minutes < REST_MINUTES)) return;
    const text = words("rest_text", { n: takes });
    setText(element.querySelector("p"), text);
    setShown(element, true);
    announce(text);
  });
  element.querySelector("[data-part=go-on]").addEventListener("click", () => {
    [since, takes] = [performance.now(), 0];
    setShown(element, false);
    leave();
  });
}

/** Where the person stands: minutes towards the next useful amount. */
export function drawProgress(element, { minutes, phrases, goal }) {
  const bar = element.querySelector("progress");
  const done = goal.kind === "minutes" ? minutes : phrases;
  [bar.max, bar.value] = [goal.value, Math.min(done, goal.value)];
  setText(element.querySelector("[data-part=amount]"), amountText(minutes, phrases));
  setText(element.querySelector("[data-part=goal]"), goalText({ goal }));
}

export function goalText({ goal }) {
  return words(goal.text_key, { n: goal.value });
}

export function amountText(minutes, phrases) {
  if (!phrases) return words("amount_none");
  if (minutes < 1) return words("amount_seconds", { n: phrases, seconds: Math.round(60 * minutes) });
  return words("amount", { n: phrases, minutes: inMinutes(minutes) });
}
