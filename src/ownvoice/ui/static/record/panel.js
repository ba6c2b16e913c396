// One phrase with all that is done with it: the large one of "one at a time", and each row of the list.
// Draws what the studio says and hands on what is pressed; decides nothing.
import { words } from "../words.js";
import { setIcon, setLines, setShown, setText, setUsable } from "./elements.js";
import { localVoice } from "./sounds.js";
import { clock, hintTexts, inSeconds } from "./wording.js";

const LEVEL_EVERY = 100; // milliseconds
const LONG_SILENCE = 1; // seconds at an end that are worth leaving out
const KEPT_SILENCE = 0.3; // seconds left before and after the words
const WORD_STAYS = 700; // milliseconds a word about the level stays, to be read

export class PhrasePanel {
  #drawnLevel = 0;
  #changedWord = 0;
  #edited = null; // the phrase whose words are in the editor

  /** `phraseOf()` is the phrase shown; `named(text)` the text of a button, which in a list needs a number. */
  constructor(element, studio, phraseOf, named = (text) => text) {
    Object.assign(this, { element, studio, phraseOf, named });
    const act = (name, run) => this.part(name)?.addEventListener("click", run);
    act("record", () => this.#record());
    act("hear", () => studio.hear(phraseOf()));
    act("remove", () => studio.remove(phraseOf()));
    act("aloud", () => studio.aloud(phraseOf()));
    act("trim", () => studio.trim(phraseOf(), phraseOf().clip.trim ? null : spoken(phraseOf().clip)));
    act("reword", () => this.#openEditor());
    act("reword-done", () => this.#reword());
    act("reword-cancel", () => this.#closeEditor(true));
  }

  part(name) {
    return this.element.querySelector(`[data-part="${name}"]`);
  }

  draw() {
    const phrase = this.phraseOf();
    if (this.#edited && this.#edited !== phrase) this.#leaveEditor();
    const condition = this.#condition(phrase);
    this.element.dataset.condition = condition;
    this.part("words").lang = this.part("own-words").lang = this.studio.session.language ?? "";
    setText(this.part("words"), phrase.words);
    setIcon(this.part("icon"), condition === "opening" ? "saving" : condition);
    setText(this.part("status"), this.#status(phrase, condition));
    this.#drawRecord(phrase, condition);
    this.#drawButtons(phrase);
    setLines(this.part("hints"), hintTexts(phrase.clip?.hints ?? []));
    this.#drawTrim(phrase.clip);
    setShown(this.part("level"), condition === "recording");
    setShown(this.part("hints"), condition !== "recording"); // those of the take before
  }

  #condition(phrase) {
    const { recording, opening } = this.studio;
    if (recording?.phrase === phrase) return recording.tail === null ? "recording" : "saving";
    if (opening && phrase === this.studio.phrase) return "opening";
    if (phrase.uplink) return phrase.uplink.trouble ? "unsaved" : "saving";
    return phrase.state;
  }

  #status(phrase, condition) {
    if (condition === "recording") return this.#statusRecording(phrase.uplink);
    if (condition === "saved" && phrase.clip.seconds) {
      return words("saved_after", inSeconds(phrase.clip.seconds));
    }
    return words(`status_${condition}`);
  }

  #statusRecording({ seconds, trouble }) {
    return words(trouble ? "status_recording_unsaved" : "status_recording", { clock: clock(seconds) });
  }

  #drawRecord(phrase, condition) {
    const recording = condition === "recording";
    const button = this.part("record");
    setIcon(button.querySelector("svg"), recording ? "stop" : "record");
    const label = recording ? "do_stop" : phrase.clip ? "do_again" : "do_record";
    setText(button.querySelector(".label"), this.named(words(label)));
    setUsable(button, recording || (!this.studio.recording && !phrase.uplink && !this.studio.opening));
  }

  #drawButtons(phrase) {
    const { studio } = this;
    const still = !studio.recording;
    const playing = phrase.clip && studio.player.playing === studio.session.sound(phrase.clip);
    setIcon(this.part("hear").querySelector("svg"), playing ? "stop" : "hear");
    setText(this.part("hear").querySelector(".label"), this.named(words(playing ? "do_stop_hearing" : "do_hear")));
    setUsable(this.part("hear"), still && Boolean(phrase.clip));
    setUsable(this.part("remove"), still && Boolean(phrase.clip));
    setUsable(this.part("reword"), still && !phrase.uplink);
    setText(this.part("remove").querySelector(".label"), this.named(words("do_remove")));
    setText(this.part("reword").querySelector(".label"), this.named(words("do_reword")));
    if (this.part("aloud")) {
      setShown(this.part("aloud"), localVoice(studio.session.language ?? "") !== null);
      setUsable(this.part("aloud"), still);
    }
  }

  #drawTrim(clip) {
    const offered = Boolean(clip?.trim || spoken(clip));
    setShown(this.part("trim-offer"), offered);
    if (!offered) return;
    setText(this.part("trim-text"), words(clip.trim ? "trim_is" : "trim_offer"));
    setText(this.part("trim"), this.named(words(clip.trim ? "do_untrim" : "do_trim")));
  }

  /** The level as bar and word, and the clock; called with every block of sound. */
  drawLevel(now) {
    if (this.part("level").hidden || now - this.#drawnLevel < LEVEL_EVERY) return;
    this.#drawnLevel = now;
    const { level, recording } = this.studio;
    this.part("bar").style.setProperty("--level", level.fraction.toFixed(2));
    const text = words(`level_${level.word}`);
    if (text !== this.part("level-word").textContent && now - this.#changedWord > WORD_STAYS) {
      this.#changedWord = now;
      setText(this.part("level-word"), text);
      this.part("level").dataset.level = level.word;
    }
    if (recording?.phrase === this.phraseOf() && recording.tail === null) {
      setText(this.part("status"), this.#statusRecording(recording.uplink));
    }
  }

  async #record() {
    if (!this.#edited || await this.#useTyped()) await this.studio.record(this.phraseOf());
  }

  #openEditor() {
    if (this.part("reword").getAttribute("aria-disabled") === "true") return;
    this.#edited = this.phraseOf();
    const field = this.part("own-words");
    field.value = this.#edited.words;
    this.#showEditor(true);
    field.focus();
    field.select();
  }

  async #reword() {
    if (await this.#useTyped()) this.part("reword").focus();
  }

  /** Whoever records or goes on without pressing "use these words" means them all the same. */
  async #useTyped() {
    const [phrase, text] = [this.#edited, this.part("own-words").value.trim()];
    if (text && text !== phrase.words && !await this.studio.reword(phrase, text)) return false;
    this.#closeEditor(false);
    return true;
  }

  /** The panel shows another phrase now. */
  #leaveEditor() {
    const [phrase, text] = [this.#edited, this.part("own-words").value.trim()];
    this.#closeEditor(false);
    if (text && text !== phrase.words) this.studio.reword(phrase, text);
  }

  #closeEditor(returns) {
    this.#edited = null;
    this.#showEditor(false);
    if (returns) this.part("reword").focus();
  }

  #showEditor(shown) {
    setShown(this.part("editor"), shown);
    setShown(this.part("words"), !shown);
    setShown(this.part("reword"), !shown);
  }
}

/** Where the words of a recording begin and end, in seconds, if there is a long silence before or after them; or null. */
function spoken(clip) {
  if (!clip?.speech) return null;
  const [start, end] = clip.speech;
  if (start < LONG_SILENCE && clip.seconds - end < LONG_SILENCE) return null;
  return [Math.max(0, start - KEPT_SILENCE), Math.min(clip.seconds, end + KEPT_SILENCE)];
}
