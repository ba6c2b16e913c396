// The two views of one sitting: one large phrase at a time, and a list of them. Both are made of PhrasePanels.
import { announce } from "../announce.js";
import { words } from "../words.js";
import { setShown, setText, setUsable } from "./elements.js";
import { PhrasePanel } from "./panel.js";

const ROWS = 10;

export class SingleView {
  constructor(element, studio) {
    Object.assign(this, { element, studio });
    this.panel = new PhrasePanel(element, studio, () => studio.phrase);
    const act = (name, run) => this.panel.part(name).addEventListener("click", run);
    act("next", () => studio.go(1));
    act("back", () => studio.go(-1));
    act("skip", () => studio.skip());
  }

  draw() {
    const { studio, panel } = this;
    const phrase = studio.phrase;
    setText(panel.part("place"), studio.session.place(phrase));
    panel.draw();
    const still = !studio.recording;
    setText(panel.part("next").querySelector(".label"), words(phrase.clip ? "do_keep" : "do_next"));
    panel.part("next").classList.toggle("primary", Boolean(phrase.clip) && still);
    setUsable(panel.part("next"), still);
    setUsable(panel.part("back"), still && studio.at > 0);
    setUsable(panel.part("skip"), still);
  }

  drawLevel(now) {
    this.panel.drawLevel(now);
  }
}

export class ListView {
  #panels = [];
  #from;

  /** `element` holds the list, the template of a row, and the buttons for more of them. */
  constructor(element, studio) {
    Object.assign(this, { element, studio });
    this.list = element.querySelector("ol");
    this.#restart();
    studio.addEventListener("phrases", () => this.#restart());
    this.#part("earlier").addEventListener("click", () => this.#showEarlier());
    this.#part("more").addEventListener("click", () => this.#showMore());
  }

  #restart() {
    this.#panels = [];
    this.list.replaceChildren();
    this.#from = Math.floor(this.studio.at / ROWS) * ROWS;
  }

  #part(name) {
    return this.element.querySelector(`[data-part=${name}]`);
  }

  get #to() {
    return this.#from + this.#panels.length;
  }

  /** The row last worked in. */
  get panel() {
    return this.#panels[this.studio.at - this.#from];
  }

  draw() {
    const { at, session } = this.studio;
    const { length } = session.phrases;
    if (this.#panels.length === 0) this.#fillTo(this.#from + ROWS);
    while (at < this.#from) this.#addEarlier();
    if (at >= this.#to) this.#fillTo(at + 1);
    for (const panel of this.#panels) {
      panel.draw();
      panel.element.toggleAttribute("data-current", panel === this.panel);
    }
    setShown(this.#part("earlier"), this.#from > 0);
    setShown(this.#part("more"), this.#to < length || !session.isComplete);
  }

  drawLevel(now) {
    for (const panel of this.#panels) panel.drawLevel(now);
  }

  #fillTo(end) {
    const fresh = this.#rows(this.#to, end);
    this.list.append(...fresh.map(({ element }) => element));
    this.#panels.push(...fresh);
  }

  #addEarlier() {
    const from = Math.max(0, this.#from - ROWS);
    const fresh = this.#rows(from, this.#from);
    this.list.prepend(...fresh.map(({ element }) => element));
    this.#panels.unshift(...fresh);
    this.#from = from;
  }

  #rows(from, to) {
    return this.studio.session.phrases.slice(from, to).map((phrase) => this.#row(phrase));
  }

  #row(phrase) {
    const row = this.element.querySelector("template").content.firstElementChild.cloneNode(true);
    row.querySelector("[data-part=number]").textContent = phrase.number;
    return new PhrasePanel(row, this.studio, () => phrase, (text) => `${text} ${phrase.number}`);
  }

  #showEarlier() {
    this.#addEarlier();
    this.#tell();
  }

  async #showMore() {
    const wanted = this.#to + ROWS;
    if (!await this.studio.fetchTo(wanted)) return;
    this.#fillTo(wanted);
    this.#tell();
  }

  #tell() {
    this.draw();
    announce(words("rows_shown", { n: this.#panels.length }));
  }
}
