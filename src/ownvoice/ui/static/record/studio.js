// One sitting of reading and recording: which phrase it is, what is being recorded, saved, taken back.
// Knows no element of the page: the views draw what is here at every "change"; "level" comes with each block of sound.
import { alarm, announce } from "../announce.js";
import { words } from "../words.js";
import { stayAwake } from "./awake.js";
import { LevelWord, measure, SilenceWatch } from "./levels.js";
import { MicrophoneProblem } from "./microphone.js";
import { preferences } from "./preferences.js";
import { readAloud, stopReading } from "./sounds.js";
import { Uplink } from "./uplink.js";
import { hintTexts, inSeconds } from "./wording.js";

const TAIL_SECONDS = 0.25; // a last sound often comes as the button is pressed
const OPENING_LONG = 2000; // milliseconds: by then the browser is asking somebody who may not have noticed
const TWICE = 400; // milliseconds: a second press this soon is a tremor, not a wish

export class Studio extends EventTarget {
  #pressed = -Infinity; // when Record was, if nothing else was since
  #recorded = new Set(); // phrases, since the page was opened
  #letSleep = null; // while a take is being recorded
  /** `{phrase, uplink, silence, tail}` while a take is being recorded; `tail` counts down once it was stopped. */
  recording = null;
  /** Uplinks whose takes are not saved yet, the one being recorded among them. */
  unsaved = new Set();
  opening = false;
  level = new LevelWord();
  /** What went wrong last, as a text to show until the next thing goes well. */
  problem = null;
  /** `{label, run}`: how the last step is taken back. */
  undoable = null;

  /** `at` is the place of the phrase to begin with. */
  constructor(session, at, microphone, player) {
    super();
    Object.assign(this, { session, at, microphone, player });
    microphone.addEventListener("block", ({ detail }) => this.#hear(detail));
    microphone.addEventListener("open", () => { this.level = new LevelWord(); this.changed(); });
    microphone.addEventListener("close", () => this.changed());
    microphone.addEventListener("lost", () => this.#loseMicrophone());
    microphone.addEventListener("mute", () => this.#tellSilence());
    player.addEventListener("change", () => this.changed());
    addEventListener("online", () => this.tryAgain());
  }

  get phrase() {
    return this.session.phrases[this.at];
  }

  /** What was recorded since the page was opened and counts: a phrase that was recorded again is there once. */
  get sitting() {
    const clips = [...this.#recorded].map(({ clip }) => clip).filter(Boolean);
    return { phrases: clips.length, seconds: clips.reduce((sum, { seconds }) => sum + seconds, 0) };
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  /** Record this phrase, or stop recording it. */
  async record(phrase = this.phrase) {
    const now = performance.now();
    if (now - this.#pressed < TWICE) return;
    if (this.opening) return announce(words("microphone_opening"));
    this.#pressed = now;
    if (this.recording?.phrase === phrase) this.stop(phrase.uplink.trouble ? "stopped_unsaved" : "stopped");
    else if (this.recording) announce(words("stop_first"));
    else if (phrase.uplink) announce(words("still_saving"));
    else if (this.#unsentSeconds > this.session.limits.max_seconds) this.#fail(words("too_much_unsaved"));
    else await this.#begin(phrase);
  }

  /** The person pressed something else: Record, however soon it is pressed now, is no tremor. */
  pressedElsewhere() {
    this.#pressed = -Infinity;
  }

  get #unsentSeconds() {
    return [...this.unsaved].reduce((sum, uplink) => sum + uplink.unsentSeconds, 0);
  }

  async #begin(phrase) {
    this.player.stop();
    stopReading();
    this.at = this.session.phrases.indexOf(phrase);
    if (!await this.openMicrophone()) return;
    const uplink = new Uplink(this.session.address, {
      phrase_id: phrase.phrase_id,
      text: phrase.words,
      language: this.session.language,
      sample_rate: this.microphone.rate,
      replaces: phrase.clip?.utterance ?? null,
    });
    for (const block of this.microphone.recent) uplink.push(block);
    phrase.uplink = uplink;
    this.recording = { phrase, uplink, silence: new SilenceWatch(), tail: null, isToldSilence: false };
    this.#letSleep = stayAwake();
    this.unsaved.add(uplink);
    uplink.addEventListener("trouble", ({ detail }) => this.#tellTrouble(uplink, detail));
    this.#whenSaved(phrase, uplink);
    announce(words("recording"));
    this.changed();
  }

  /** Whether the microphone is open now; when it cannot be, the person is told why. */
  async openMicrophone() {
    const { microphone, echo, noise, gain } = preferences;
    this.opening = true;
    this.problem = null;
    this.changed();
    const waiting = setTimeout(() => {
      this.problem = words("microphone_opening");
      announce(this.problem);
      this.changed();
    }, OPENING_LONG);
    try {
      await this.microphone.open({ microphone, echo, noise, gain });
      this.problem = null;
    } catch (error) {
      if (!(error instanceof MicrophoneProblem)) throw error;
      this.#fail(words(`microphone_${error.kind}`));
      return false;
    } finally {
      clearTimeout(waiting);
      this.opening = false;
      this.changed();
    }
    return true;
  }

  #hear(block) {
    const loudness = measure(block);
    const seconds = block.length / this.microphone.rate;
    this.level.hear(loudness, seconds);
    this.dispatchEvent(new Event("level"));
    if (this.recording) this.#take(block, loudness, seconds);
  }

  #take(block, loudness, seconds) {
    const { uplink, silence } = this.recording;
    uplink.push(block);
    if (this.level.isDead) this.#tellSilence();
    const quiet = silence.hear(loudness, seconds);
    if (this.recording.tail !== null) {
      this.recording.tail -= seconds;
      if (this.recording.tail <= 0) this.#end();
    } else if (uplink.seconds + TAIL_SECONDS > this.session.limits.max_seconds - seconds) {
      this.stop("stopped_longest");
    } else if (preferences.silence && quiet >= preferences.silence) {
      this.stop("stopped_silence");
    }
  }

  /** Stop recording, a quarter of a second from now; `reason` is the key of what is said. */
  stop(reason) {
    if (!this.recording || this.recording.tail !== null) return;
    this.recording.tail = TAIL_SECONDS;
    announce(words(reason));
    this.changed();
  }

  /** Once a take: who cannot see the level would speak to nobody. */
  #tellSilence() {
    if (!this.recording || this.recording.isToldSilence) return;
    this.recording.isToldSilence = true;
    this.#fail(words("microphone_silent"));
  }

  #end() {
    this.recording.uplink.end();
    this.recording = null;
    this.#letSleep();
    this.microphone.closeWhenIdle();
    this.changed();
  }

  #loseMicrophone() {
    if (!this.recording) return;
    this.#end();
    this.#fail(words("microphone_lost"));
  }

  async #whenSaved(phrase, uplink) {
    const earlier = phrase.clip;
    const answer = await uplink.saved;
    this.unsaved.delete(uplink);
    phrase.uplink = null;
    if (answer) this.#keep(phrase, earlier, answer);
    this.changed();
  }

  #keep(phrase, earlier, answer) {
    phrase.clip = answer;
    phrase.state = "saved";
    this.session.progress = answer.progress;
    const isFirst = !this.#recorded.has(phrase);
    this.#recorded.add(phrase);
    this.problem = null;
    this.undoable = earlier && {
      label: words("undo_again"),
      run: async () => {
        await this.session.exclude(answer.utterance, true);
        await this.session.exclude(earlier.utterance, false);
        phrase.clip = earlier;
        if (isFirst) this.#recorded.delete(phrase); // the earlier one is of another day
      },
    };
    const hints = hintTexts(answer.hints);
    announce([`${words("saved_after", inSeconds(answer.seconds))}.`, ...hints].join(" "));
    this.dispatchEvent(new Event("saved"));
    // A hint would be gone before it was read: then the person goes on when ready.
    if (preferences.advance && !hints.length && phrase === this.phrase && !this.recording) this.go(1);
  }

  #tellTrouble(uplink, before) {
    if (uplink.trouble) alarm(this.troubleText(uplink));
    else announce(words(`trouble_${before.kind}_over`));
    this.changed();
  }

  troubleText(uplink) {
    const { kind, text } = uplink.trouble;
    if (kind === "refused") return text;
    return words(`trouble_${kind}_${uplink === this.recording?.uplink ? "recording" : "waiting"}`);
  }

  /** The page may be put to sleep: what was said until now goes to the disk first. */
  hurry() {
    this.recording?.uplink.hurry();
  }

  /** Takes that are spoken and cannot be saved just now. */
  get stuck() {
    return [...this.unsaved].filter((uplink) => uplink.trouble && uplink !== this.recording?.uplink);
  }

  /** Send again at once what waits for its next try. */
  tryAgain() {
    for (const uplink of this.unsaved) uplink.tryNow();
  }

  /** Stop trying to save what the server refuses; what it has of it stays there. */
  giveUp() {
    for (const uplink of this.stuck) uplink.giveUp();
    announce(words("given_up"));
  }

  /** Whether the phrases must stay as they are, until what is said is saved. */
  get isBusy() {
    return this.recording !== null || this.opening || this.unsaved.size > 0;
  }

  /** Go on with the phrases of another session, from place `at`; there must be one. */
  use(session, at) {
    this.player.stop();
    stopReading();
    Object.assign(this, { session, at, undoable: null, problem: null });
    session.fetchBeyond(at);
    this.dispatchEvent(new Event("phrases"));
    this.changed();
  }

  /**
   * Go some phrases on (or, below 0, back); `done` is said before where that is. Waits for the server only where it must:
   * at the end of what is in the page.
   */
  async go(step, done = "") {
    if (this.recording || this.opening) return announce(words(this.opening ? "microphone_opening" : "stop_first"));
    const to = this.at + step;
    if (to < 0) return announce(words("first_phrase"));
    if (to >= this.session.phrases.length && !await this.fetchTo(to + 1)) return;
    if (to >= this.session.phrases.length) return announce(`${done} ${words("last_phrase")}`.trim());
    this.player.stop();
    stopReading();
    this.at = to;
    this.session.fetchBeyond(to);
    announce(`${done} ${this.session.place(this.phrase)}. ${this.phrase.words}`.trim());
    this.changed();
  }

  async skip() {
    if (this.recording) return announce(words("stop_first"));
    const phrase = this.phrase;
    if (!phrase.clip && !await this.attempt(() => this.session.mark(phrase, "skipped"))) return;
    await this.go(1);
    this.undoable = phrase.clip ? this.undoable : {
      label: words("undo_skip"),
      run: async () => { await this.session.mark(phrase, "todo"); this.at = this.session.phrases.indexOf(phrase); },
    };
    this.changed();
  }

  async hear(phrase = this.phrase) {
    if (this.recording) return announce(words("stop_first"));
    if (!phrase.clip) return announce(words("nothing_to_hear"));
    await this.play(this.session.sound(phrase.clip));
  }

  /** Play what is at `address`; if it is being played, stop. */
  async play(address) {
    if (this.player.playing === address) return this.player.stop();
    try {
      await this.player.play(address);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      this.#fail(words("cannot_play"));
    }
  }

  aloud() {
    if (!this.recording) readAloud(this.phrase.words, this.session.language ?? "");
  }

  async remove(phrase = this.phrase) {
    const { clip } = phrase;
    if (!clip || phrase.uplink) return announce(words("nothing_to_delete"));
    this.player.stop();
    if (!await this.attempt(() => this.session.exclude(clip.utterance, true))) return;
    Object.assign(phrase, { clip: null, state: "todo" });
    this.undoable = {
      label: words("undo_delete"),
      run: async () => {
        await this.session.exclude(clip.utterance, false);
        Object.assign(phrase, { clip, state: "saved" });
      },
    };
    announce(words("deleted"));
    this.changed();
  }

  async undo() {
    if (!this.undoable) return announce(words("nothing_to_undo"));
    this.player.stop();
    if (!await this.attempt(this.undoable.run)) return;
    announce(words("undone"));
    this.undoable = null;
    this.changed();
  }

  /** Read other words than the phrase's: from now on, and of what is recorded already. Returns whether it was done. */
  async reword(phrase, text) {
    const { clip } = phrase;
    if (clip && !await this.attempt(() => this.session.correct(clip.utterance, { text }))) return false;
    phrase.words = text;
    announce(words("reworded"));
    this.changed();
    return true;
  }

  /** Leave out what is before and after the speech, or (`null`) take it in again. The recording stays as it is. */
  async trim(phrase, part) {
    const { clip } = phrase;
    this.player.stop();
    if (!await this.attempt(() => this.session.correct(clip.utterance, { trim: part }))) return;
    clip.trim = part;
    announce(words(part ? "trimmed" : "untrimmed"));
    this.changed();
  }

  /** Whether `count` phrases, or all there are, could be fetched. */
  fetchTo(count) {
    return this.attempt(() => this.session.fetchTo(count));
  }

  /** Whether `step` went well; if the server refused or was not there, the person is told. */
  async attempt(step) {
    try {
      await step();
    } catch (error) {
      if (!("text" in error)) throw error;
      this.#fail(error.text);
      return false;
    }
    this.problem = null;
    return true;
  }

  #fail(text) {
    this.problem = text;
    alarm(text);
    this.changed();
  }
}
