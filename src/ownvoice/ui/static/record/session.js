// The phrases of a voice and what is known of them, fetched a few at a time; and what is changed about them.
// Does not record and shows nothing.
import { call } from "../api.js";
import { words } from "../words.js";

const FETCHED = 20; // in one request, unless more are wanted
const MOST_FETCHED = 500; // in one request, as ui/pages/recording.py allows
const AHEAD = 10; // phrases kept in the page beyond the one at hand: whoever goes on waits for no server

/**
 * A phrase: `phrase_id`, `text`, `topic`, `state`, `starred` as the server says; here also `number`, its place from 1;
 * `words`, what is read; `clip`, its saved recording as finish answered or null; `uplink` while one is on its way.
 */
export class Session {
  /** Those fetched so far, without the hidden ones. */
  phrases = [];
  /** Of all, the hidden ones among them. */
  total = 0;
  #fetched = 0;
  #available = 0; // of all, as they are now: fewer than `total` once some of a search are hidden
  #seen = new Set();
  #again = null;
  #turn = Promise.resolve();

  /** `address` is the voice's: /voices/NAME; `query` says which phrases, with names and values as of GET session. */
  constructor(address, query) {
    Object.assign(this, { address, query });
  }

  /**
   * Fetch up to where the person left off, and some more. Returns the place in `phrases` to go on with: the first where
   * `again` is the id of a recording to be made anew.
   */
  async open(again = null) {
    if (again) this.phrases.push(await this.#recorded(again));
    const { phrases, next, ...about } = await this.#ask(0, FETCHED);
    Object.assign(this, about);
    this.#add(phrases);
    if (next >= this.#fetched) await this.fetchTo(next + AHEAD);
    const place = this.phrases.findIndex(({ number }) => number > next);
    if (again) return 0;
    return place < 0 ? Math.max(0, this.phrases.length - 1) : place;
  }

  /** A recording as a phrase before all others: what is recorded of it takes its place. */
  async #recorded(id) {
    const { phrase_id, text, seconds, trim } = await call("GET", this.#utterance(id));
    this.#again = phrase_id;
    const clip = { utterance: id, seconds, hints: [], trim, speech: null };
    return { phrase_id, text, state: "saved", number: 0, words: text, clip, uplink: null };
  }

  get isComplete() {
    return this.#fetched >= this.#available;
  }

  /** Have `count` phrases at least, or all there are; one request after the other, so that none comes twice. */
  fetchTo(count) {
    const fetching = this.#turn.then(() => this.#fetchTo(count));
    this.#turn = fetching.catch(() => {});
    return fetching;
  }

  /** Have some phrases beyond `place`; while the server is away nothing comes of it, and the next time it is tried again. */
  async fetchBeyond(place) {
    try {
      await this.fetchTo(place + 1 + AHEAD);
    } catch (error) {
      if (!("text" in error)) throw error;
    }
  }

  async #fetchTo(count) {
    while (this.phrases.length < count && !this.isComplete) {
      const wanted = this.#seen.size - this.#fetched + Math.max(FETCHED, count - this.phrases.length);
      this.#add((await this.#ask(this.#fetched, Math.min(MOST_FETCHED, wanted))).phrases);
    }
  }

  async #ask(offset, count) {
    const answer = await call("GET", `${this.address}/session?offset=${offset}&count=${count}&${this.query}`);
    this.#available = answer.total;
    return answer;
  }

  #add(phrases) {
    this.#fetched += phrases.length;
    for (const phrase of phrases) {
      if (this.#seen.has(phrase.phrase_id)) continue;
      this.#seen.add(phrase.phrase_id);
      const isShown = phrase.state !== "hidden" && (this.#again === null || phrase.phrase_id !== this.#again);
      if (isShown) this.phrases.push(withItsClip(phrase, this.#seen.size));
    }
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
    await this.#tell(phrase, state);
    phrase.state = state;
  }

  async star(phrase, starred) {
    await this.#tell(phrase, starred ? "starred" : "unstarred");
    phrase.starred = starred;
  }

  /** Another mark may move the phrases not fetched yet, so the next ones are looked for from the start. */
  async #tell({ phrase_id }, state) {
    await call("POST", `${this.address}/phrases/${encodeURIComponent(phrase_id)}/state`, { state });
    this.#turn = this.#turn.then(() => { this.#fetched = 0; });
  }

  /** Change what is known of a saved recording: text, trim, excluded. */
  correct(utterance, change) {
    return call("PATCH", this.#utterance(utterance), change);
  }

  /** Leave a recording out, or take it in again; how far the person is follows. */
  async exclude(utterance, excluded) {
    await this.correct(utterance, { excluded });
    this.progress = (await this.#ask(0, 0)).progress;
  }

  /** An unfinished take was saved after all; `answer` is what finish would have said. */
  kept(answer) {
    this.progress = answer.progress;
    const phrase = this.phrases.find(({ phrase_id }) => phrase_id === answer.phrase_id);
    if (phrase) Object.assign(phrase, { state: "saved", clip: answer, words: answer.text });
  }
}

/** In a recording of an earlier day other words may have been said than the phrase's own. */
function withItsClip({ utterances, said, ...phrase }, number) {
  const clip = said && { utterance: utterances.at(-1), seconds: said.seconds, hints: [], trim: said.trim, speech: null };
  return { ...phrase, number, words: said?.text ?? phrase.text, clip, uplink: null };
}
