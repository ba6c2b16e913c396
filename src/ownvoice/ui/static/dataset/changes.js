// Changes of utterances and their undo: the server says how each was, and undoing sets that again.
import { announce } from "../announce.js";
import { call } from "../api.js";
import { setShown, setText } from "../record/elements.js";
import { words } from "../words.js";

const REMEMBERED = 100;

export class Changes {
  #address;
  #done = [];
  #changed;

  /** `changed(row)` is told of every row as it is after a change or its undo. */
  constructor(address, changed) {
    this.#address = address;
    this.#changed = changed;
  }

  /** Set `fields` of the utterance `row`; `key` is what to say when it is done. */
  async make(row, fields, key) {
    const { was, ...now } = await this.#send(row.id, fields);
    this.#done.push({ id: row.id, was });
    this.#done.splice(0, this.#done.length - REMEMBERED);
    this.#say(words(key, { text: now.text }));
    this.#changed(now);
  }

  async undo() {
    const last = this.#done.at(-1);
    if (!last) {
      this.#say(words("nothing_to_undo"));
      return;
    }
    const { was, ...now } = await this.#send(last.id, last.was);
    this.#done.pop();
    this.#say(words("undone", { text: now.text }));
    this.#changed(now);
  }

  #send(id, fields) {
    return call("PATCH", `${this.#address}/utterances/${encodeURIComponent(id)}`, fields);
  }

  #say(text) {
    setText(document.getElementById("last-text"), text);
    setShown(document.getElementById("last-change"), true);
    document.getElementById("undo").setAttribute("aria-disabled", String(!this.#done.length));
    announce(text);
  }
}
