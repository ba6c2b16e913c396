// Brings one take to the server while it is being spoken, in parts, each of which is on disk there when it is answered.
// Tries for as long as it takes, and keeps all of the take until it is saved: what never is can still be had as a file.
// What page and server say to each other: docs/studio.md. "Saved" is said by the answer of finish alone.
import { call, Refusal } from "../api.js";
import { joined, wavFile } from "../sound.js";

const PART_SECONDS = 0.5;
const ANSWER_SECONDS = 10; // after this a connection that says nothing counts as lost
const AWAY = new Set([429, 502, 503, 504]); // a proxy says that the server is gone or busy
const WAITS = [0.3, 0.6, 1.2, 2.5, 5]; // seconds between tries; the last one is repeated

export class Uplink extends EventTarget {
  #voice;
  #start;
  #all = []; // every block of the take
  #blocks = []; // those not acknowledged yet
  #base = 0; // samples acknowledged by the server: what #blocks begins after
  #ended = false;
  #wording = {};
  #hurried = false;
  #given = false;
  #more = () => {}; // ends the wait for more sound
  #retry = () => {}; // ends the wait for the next try
  take = null;
  samples = 0;
  /** Why it does not get on just now: `{kind: "offline" | "full" | "refused", text}`, or null. */
  trouble = null;
  /** The answer of finish, or null when the take was given up; never rejects. */
  saved;

  /** `voice` is the voice's address; `start` what POST takes is told: phrase_id, text, sample_rate, replaces ... */
  constructor(voice, start) {
    super();
    this.#voice = voice;
    this.#start = start;
    this.saved = this.#run();
  }

  get seconds() {
    return this.samples / this.#start.sample_rate;
  }

  /** Seconds that exist on this page alone. */
  get unsentSeconds() {
    return (this.samples - this.#base) / this.#start.sample_rate;
  }

  /** Add samples, an Int16Array that nobody changes afterwards. */
  push(block) {
    this.#all.push(block);
    this.#blocks.push(block);
    this.samples += block.length;
    if (this.samples - this.#base >= this.#partSamples) this.#more();
  }

  /** Nothing more will come; `wording` is `{text, draft}` where the words were not known at the start. */
  end(wording = {}) {
    this.#wording = wording;
    this.#ended = true;
    this.#more();
  }

  /** Send what there is without waiting for more of it: this page may be put to sleep in a moment. */
  hurry() {
    this.#hurried = true;
    this.#more();
  }

  /** The whole take as a WAV file, wherever its parts are by now. */
  get file() {
    return wavFile(joined(this.#all), this.#start.sample_rate);
  }

  /** What was read. */
  get text() {
    return this.#start.text;
  }

  /** Do not wait for the next try. */
  tryNow() {
    this.#retry();
  }

  /** Stop trying. What reached the server stays there, as an unfinished take. */
  giveUp() {
    this.#given = true;
    this.end();
    this.#retry();
  }

  get #partSamples() {
    return PART_SECONDS * this.#start.sample_rate;
  }

  async #run() {
    const started = await this.#insist(() => this.#call("POST", "", this.#start));
    this.take = started?.take ?? null;
    // Held until the take is saved or this page is gone: other pages do not offer it for recovery meanwhile.
    navigator.locks?.request(lockOf(this.take), () => this.saved);
    while (!this.#given) {
      await this.#sendParts();
      const answer = await this.#insist(() => this.#finish());
      if (answer) return answer;
    }
    this.#blocks = [];
    return null;
  }

  async #sendParts() {
    while (!this.#given) {
      const unsent = this.samples - this.#base;
      const isDue = unsent >= this.#partSamples || this.#ended || this.#hurried;
      this.#hurried = false;
      if (isDue && unsent > 0) await this.#insist(() => this.#sendPart());
      else if (this.#ended) return;
      else await new Promise((resolve) => { this.#more = resolve; });
    }
  }

  async #sendPart() {
    const part = joined(upTo(this.#blocks, 4 * this.#partSamples));
    try {
      const { samples } = await this.#call("PUT", `/${this.take}/audio?at=${this.#base}`, part);
      this.#drop(samples);
    } catch (error) {
      if (!isGap(error)) throw error;
      this.#drop(error.answer.samples);
    }
  }

  /** The answer, or null when the server turns out to lack samples that are to be sent first. */
  async #finish() {
    try {
      return await this.#call("POST", `/${this.take}/finish`, { samples: this.samples, ...this.#wording });
    } catch (error) {
      if (!isGap(error) || error.answer.samples >= this.samples) throw error;
      this.#drop(error.answer.samples);
      return null;
    }
  }

  /** Forget what the server has. Blocks stay whole on the server's side or on ours: a part is cut between blocks. */
  #drop(stored) {
    if (stored < this.#base) throw new Refusal(409, { message: `${this.#base - stored} samples are gone on the server` });
    while (this.#blocks.length && this.#base + this.#blocks[0].length <= stored) this.#base += this.#blocks.shift().length;
    if (stored > this.#base && this.#blocks.length) {
      this.#blocks[0] = this.#blocks[0].slice(stored - this.#base);
      this.#base = stored;
    }
  }

  #call(method, path, body) {
    return call(method, `${this.#voice}/takes${path}`, body, { signal: AbortSignal.timeout(ANSWER_SECONDS * 1000) });
  }

  /** Try until it works, or null when given up; what is wrong meanwhile is in `trouble`. */
  async #insist(request) {
    for (let tries = 0; !this.#given; tries++) {
      try {
        const answer = await request();
        this.#setTrouble(null);
        return answer;
      } catch (error) {
        if (!("text" in error)) throw error;
        this.#setTrouble({ kind: kindOf(error), text: error.text });
        // What the server refuses does not mend itself: only a person's "try again" is worth a request.
        const isFinal = this.trouble.kind === "refused" && error.status < 500;
        const wait = isFinal ? Infinity : WAITS[Math.min(tries, WAITS.length - 1)];
        if (!this.#given) await this.#pause(wait);
      }
    }
    return null;
  }

  #setTrouble(trouble) {
    if (trouble?.kind === this.trouble?.kind) return;
    const before = this.trouble;
    this.trouble = trouble;
    this.dispatchEvent(new CustomEvent("trouble", { detail: before }));
  }

  #pause(seconds) {
    return new Promise((resolve) => {
      const timer = Number.isFinite(seconds) ? setTimeout(resolve, seconds * 1000) : null;
      this.#retry = () => { clearTimeout(timer); resolve(); };
    });
  }
}

function lockOf(take) {
  return `ownvoice-take-${take}`;
}

/** Those of `takes` that no page of this browser is recording or sending just now. */
export async function abandoned(takes) {
  const held = new Set((await navigator.locks?.query())?.held.map(({ name }) => name));
  return takes.filter(({ take }) => !held.has(lockOf(take)));
}

/** Whether the server says how many samples it has, because they are not as many as we thought. */
function isGap(error) {
  return error instanceof Refusal && error.status === 409 && Number.isInteger(error.answer.samples);
}

function kindOf(error) {
  if (!(error instanceof Refusal)) return "offline";
  if (error.status === 507) return "full";
  return AWAY.has(error.status) ? "offline" : "refused"; // 500 is a fault of the server, and it says so
}

/** The first blocks, of at most `limit` samples, but one at least. */
function upTo(blocks, limit) {
  let length = 0;
  const beyond = blocks.findIndex((block) => (length += block.length) > limit);
  return beyond < 0 ? blocks : blocks.slice(0, Math.max(1, beyond));
}
