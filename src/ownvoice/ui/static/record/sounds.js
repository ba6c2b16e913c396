// What is heard: recordings played back from the server, and phrases read aloud by this device's own speech.

/** Plays one thing at a time; "change" when it begins and ends. */
export class Player extends EventTarget {
  #audio = new Audio();
  /** Address of what is playing, or null. */
  playing = null;

  constructor() {
    super();
    this.#audio.addEventListener("ended", () => this.stop());
    this.#audio.addEventListener("error", () => this.stop());
  }

  /** Play from the start; resolves once it sounds, and rejects when it cannot. */
  async play(address) {
    this.#tell(address);
    this.#audio.src = address;
    try {
      await this.#audio.play();
    } catch (error) {
      if (error.name === "AbortError") return; // stopped, or something else was asked for, before it began
      this.stop();
      throw error;
    }
  }

  stop() {
    if (this.playing === null) return;
    this.#audio.pause();
    this.#audio.removeAttribute("src"); // lets go of what was loaded
    this.#tell(null);
  }

  #tell(playing) {
    this.playing = playing;
    this.dispatchEvent(new Event("change"));
  }
}

/** A voice of this device for `language`, or null. Voices of a service are left out: they send the phrase away. */
export function localVoice(language) {
  const voices = window.speechSynthesis?.getVoices() ?? [];
  return voices.find(({ localService, lang }) => localService && lang.toLowerCase().startsWith(language)) ?? null;
}

export function readAloud(text, language) {
  const voice = localVoice(language);
  if (!voice) return;
  const utterance = new SpeechSynthesisUtterance(text);
  [utterance.voice, utterance.lang, utterance.rate] = [voice, voice.lang, 0.9];
  speechSynthesis.cancel();
  speechSynthesis.speak(utterance);
}

export function stopReading() {
  window.speechSynthesis?.cancel();
}
