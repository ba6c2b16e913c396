// The phrases of a voice and what is known of them, fetched a few at a time; and what is changed about them.
// Does not record and shows nothing.
import { call } from "../api.js";
import { words } from "../words.js";

const FETCHED = 10;

/**
 * A phrase: `phrase_id`, `text`, `topic`, `state` as the server says; and on this page `number`, its place from 1;
 * `words`, what is read; `clip`, its saved recording as finish answered or null; `uplink` while one is on its way.
 */
export class Session {
  /** Those fetched so far, without the hidden ones. */
  phrases = [];
  /** Of all, the hidden ones among them. */
  total = 0;
  #fetched = 0;
  #again = null;
  #by = "order";

  /** `address` is the voice's: /voices/NAME. */
  constructor(address) {
    this.address = address;
  }

  /**
   * Fetch up to where the person left off, and some more. Returns the place in `phrases` to go on with: the first where
   * `again` is the id of a recording to be made anew. `by` "errors" has phrases chosen by what the model gets wrong.
   */
  async open(again, by) {
    this.#by = by ?? "order";
    if (again) this.phrases.push(await this.#recorded(again));
    const { phrases, next, ...about } = await this.#ask(0, FETCHED);
    Object.assign(this, about);
    this.#add(phrases);
    if (next >= this.#fetched) await this.fetchTo(Math.floor(next / FETCHED + 1) * FETCHED);
    const place = this.phrases.findIndex(({ number }) => number > next);
    if (again) return 0;
    return place < 0 ? Math.max(0, this.phrases.length - 1) : place;
  }

  /** A recording as a phrase before all others: what is recorded of it takes its place. */
  async #recorded(id) {
    const { phrase_id, text, seconds, trim } = await call("GET", this.#utterance(id));
    this.#again = phrase_id;
    const clip = { utterance: id, seconds, hints: [], trim, speech: null };
    return { phrase_id, text, topic: null, state: "saved", number: 0, words: text, clip, uplink: null };
  }

  get isComplete() {
    return this.#fetched >= this.total;
  }

  /** Have `count` phrases at least, or all there are. */
  async fetchTo(count) {
    while (this.phrases.length < count && !this.isComplete) {
      this.#add((await this.#ask(this.#fetched, Math.max(FETCHED, count - this.phrases.length))).phrases);
    }
  }

  #ask(offset, count) {
    return call("GET", `${this.address}/session?offset=${offset}&count=${count}&by=${encodeURIComponent(this.#by)}`);
  }

  #add(phrases) {
    for (const [i, phrase] of phrases.entries()) {
      const last = phrase.utterances.at(-1);
      const clip = last ? { utterance: last, seconds: null, hints: [], trim: null, speech: null } : null;
      const number = this.#fetched + i + 1;
      const isShown = phrase.state !== "hidden" && (this.#again === null || phrase.phrase_id !== this.#again);
      if (isShown) this.phrases.push({ ...phrase, number, words: phrase.text, clip, uplink: null });
    }
    this.#fetched += phrases.length;
  }

  /** Find out what was said in a recording of an earlier day: it need not be the phrase's own words. */
  async recall(phrase) {
    if (phrase.clip === null || phrase.clip.seconds !== null) return;
    const { text, seconds, trim } = await call("GET", this.#utterance(phrase.clip.utterance));
    Object.assign(phrase.clip, { seconds, trim });
    phrase.words = text;
  }

  /** "Phrase 3 of 500" */
  place({ number }) {
    return number ? words("place", { number, total: this.total }) : words("place_again");
  }

  /** Where the sound of a saved recording is. */
  sound({ utterance, trim }) {
    return `${this.#utterance(utterance)}/audio${trim ? "?trimmed=1" : ""}`;
  }

  #utterance(id) {
    return `${this.address}/utterances/${encodeURIComponent(id)}`;
  }

  async mark(phrase, state) {
    await call("POST", `${this.address}/phrases/${encodeURIComponent(phrase.phrase_id)}/state`, { state });
    phrase.state = state;
  }

  /** Change what is known of a saved recording: text, trim, excluded. */
  correct(utterance, change) {
    return call("PATCH", this.#utterance(utterance), change);
  }

  exclude(utterance, excluded) {
    return this.correct(utterance, { excluded });
  }

  /** An unfinished take was saved after all; `answer` is what finish would have said. */
  kept(answer) {
    this.progress = answer.progress;
    const phrase = this.phrases.find(({ phrase_id }) => phrase_id === answer.phrase_id);
    if (phrase) Object.assign(phrase, { state: "saved", clip: answer, words: answer.text });
  }
}
