// The phrases of a voice and what is known of them, fetched a few at a time; and what is changed about them.
// Does not record and shows nothing.
import { call } from "../api.js";
import { words } from "../words.js";

const FETCHED = 10;

/**
 * A phrase: `phrase_id`, `text` and `topic` as in the bank; `state`; and on this page `words`, what is read, `clip`, its
 * saved recording (`{utterance, seconds, hints, trim, speech}`) or null, and `uplink` while one is on its way.
 */
export class Session {
  phrases = [];
  total = 0;

  /** `address` is the voice's: /voices/NAME. */
  constructor(address) {
    this.address = address;
  }

  /** Fetch up to where the person left off, and ten more. Returns the place of the phrase to go on with. */
  async open() {
    const { phrases, next, ...about } = await this.#ask(0, FETCHED);
    Object.assign(this, about);
    this.#add(phrases);
    if (next >= this.phrases.length) await this.fetchTo(Math.floor(next / FETCHED + 1) * FETCHED);
    return Math.min(next, this.phrases.length - 1);
  }

  /** Have `count` phrases at least, or all there are. */
  async fetchTo(count) {
    const missing = Math.min(count, this.total) - this.phrases.length;
    if (missing > 0) this.#add((await this.#ask(this.phrases.length, missing)).phrases);
  }

  /** Have ten more. */
  more() {
    return this.fetchTo(this.phrases.length + FETCHED);
  }

  #ask(offset, count) {
    return call("GET", `${this.address}/session?offset=${offset}&count=${count}`);
  }

  #add(phrases) {
    for (const phrase of phrases) {
      const last = phrase.utterances.at(-1);
      this.phrases.push({
        ...phrase,
        words: phrase.text,
        clip: last ? { utterance: last, seconds: null, hints: [], trim: null, speech: null } : null,
        uplink: null,
      });
    }
  }

  /** From 1, in the whole of the session. */
  number(phrase) {
    return this.phrases.indexOf(phrase) + 1;
  }

  /** "Phrase 3 of 500" */
  place(phrase) {
    return words("place", { number: this.number(phrase), total: this.total });
  }

  /** Where the sound of a saved recording is. */
  sound({ utterance, trim }) {
    return `${this.address}/utterances/${utterance}/audio${trim ? "?trimmed=1" : ""}`;
  }

  async mark(phrase, state) {
    await call("POST", `${this.address}/phrases/${encodeURIComponent(phrase.phrase_id)}/state`, { state });
    phrase.state = state;
  }

  /** Change what is known of a saved recording: text, trim, excluded. */
  correct(utterance, change) {
    return call("PATCH", `${this.address}/utterances/${utterance}`, change);
  }

  exclude(utterance, excluded) {
    return this.correct(utterance, { excluded });
  }

  /** An unfinished take was saved after all; `answer` is what finish would have said. */
  kept({ phrase_id }, answer) {
    this.progress = answer.progress;
    const phrase = this.phrases.find((other) => other.phrase_id === phrase_id);
    if (phrase) Object.assign(phrase, { state: "saved", clip: answer });
  }
}
