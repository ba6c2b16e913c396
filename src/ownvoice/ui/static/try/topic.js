// Something to talk about: questions and drawings, one at a time, for who has the section open.
import { announce } from "../announce.js";
import { setShown } from "../record/elements.js";

export class Topic {
  #prompts;
  #place = 0;
  #section = document.getElementById("topic"); // not there where nobody wrote questions in this language

  constructor(prompts) {
    this.#prompts = prompts;
    if (!this.#section) return;
    this.#section.open = location.hash === "#topic"; // the record page's link
    document.getElementById("another").addEventListener("click", () => {
      this.next();
      announce(this.text);
    });
    this.#show();
  }

  /** Id of the question that is being answered; null where none is. */
  get asked() {
    return this.#section?.open ? this.#prompts[this.#place].id : null;
  }

  /** The question, with what its drawing shows. */
  get text() {
    const { text, description } = this.#prompts[this.#place];
    return description ? `${text} ${description}` : text;
  }

  next() {
    this.#place = (this.#place + 1) % this.#prompts.length;
    this.#show();
  }

  #show() {
    const { text, picture, description } = this.#prompts[this.#place];
    document.getElementById("question").textContent = text;
    const drawing = document.getElementById("drawing");
    drawing.alt = description ?? "";
    if (picture) drawing.src = picture;
    setShown(document.getElementById("drawn"), picture !== null);
  }
}
