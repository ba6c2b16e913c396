// Small things that the start, settings, upload and dataset pages share: questions, days, playing one sound at a time.
import { alarm } from "./announce.js";
import { setIcon, setText } from "./record/elements.js";
import { Player } from "./record/sounds.js";
import { interfaceLanguage, words } from "./words.js";

/** Ask by a dialog whose form has the answers "yes" and "no"; the focus goes back to where it was. */
export function ask(dialog) {
  return new Promise((resolve) => {
    const open = new AbortController();
    // The browser tells "close" a moment after closing, when the same dialog may already ask again: close it here, and
    // heed "close" alone only where the browser shut it unasked.
    const answer = (event) => {
      if (event.type === "close" && dialog.open) return;
      event.preventDefault();
      open.abort();
      dialog.close();
      resolve(event.submitter?.value === "yes");
    };
    for (const type of ["submit", "cancel", "close"]) dialog.addEventListener(type, answer, { signal: open.signal });
    dialog.showModal();
  });
}

/** Write every <time> of the page as a day in the language of the interface. */
export function showDays() {
  const day = new Intl.DateTimeFormat(interfaceLanguage, { dateStyle: "long" });
  for (const time of document.querySelectorAll("time")) time.textContent = day.format(new Date(time.dateTime));
}

/** "4.2" in the language of the interface */
export function tenths(number) {
  return number.toLocaleString(interfaceLanguage, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/** Buttons that play a recording, one at a time; each says whether it plays or stops. */
export class PlayButtons {
  #player = new Player();
  #button = null;

  constructor() {
    this.#player.addEventListener("change", () => {
      if (this.#player.playing !== null || !this.#button) return;
      this.#show("hear", "play");
      this.#button = null;
    });
  }

  /** Play what is at `address`, or stop it when `button` was already playing. */
  toggle(button, address) {
    const same = this.#button === button;
    this.stop();
    if (same) return;
    this.#button = button;
    this.#show("stop", "stop_playing");
    this.#player.play(address).catch(() => alarm(words("play_failed")));
  }

  stop() {
    this.#player.stop();
  }

  #show(icon, key) {
    setIcon(this.#button.querySelector("svg"), icon);
    setText(this.#button.querySelector(".label"), words(key));
  }
}
