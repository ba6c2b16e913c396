// Small things that the start, settings, upload and dataset pages share: questions, days, playing one sound at a time.
import { alarm } from "./announce.js";
import { interfaceLanguage, words } from "./words.js";

/** Ask by a dialog whose form has the answers "yes" and "no"; the focus goes back to where it was. */
export function ask(dialog) {
  return new Promise((resolve) => {
    dialog.returnValue = "no";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
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

/** Plays one sound of the page at a time; each button says whether it plays or stops. */
export class Player {
  #sound = new Audio();
  #button = null;

  constructor() {
    this.#sound.addEventListener("ended", () => this.stop());
    this.#sound.addEventListener("error", () => {
      if (!this.#button) return;
      this.stop();
      alarm(words("play_failed"));
    });
  }

  /** Play what is at `address`, or stop it when `button` was already playing. */
  toggle(button, address) {
    const same = this.#button === button;
    this.stop();
    if (same) return;
    this.#button = button;
    this.#show("stop", "stop_playing");
    this.#sound.src = address;
    this.#sound.play().catch(() => {}); // a failure is told by the error event; a stop meanwhile is none
  }

  stop() {
    if (!this.#button) return;
    this.#show("hear", "play");
    this.#button = null;
    this.#sound.pause();
    this.#sound.removeAttribute("src");
  }

  #show(icon, key) {
    this.#button.querySelector("use").setAttribute("href", `/static/record/icons.svg#${icon}`);
    this.#button.querySelector(".label").textContent = words(key);
  }
}
