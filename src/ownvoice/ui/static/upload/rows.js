// The files of a batch as rows: what is known of each, its words, and what can be done. Touches nothing that is as it was.
import { setIcon, setShown, setText } from "../record/elements.js";
import { tenths } from "../pages.js";
import { words } from "../words.js";

const ICONS = {
  coming: "saving", unheard: "saving", unreadable: "unsaved", "no-words": "unsaved", draft: "reword", ready: "saved",
  "left-out": "skipped", saved: "saved",
};

/** Words as the server keeps them. */
const plain = (text) => text.split(/\s+/).filter(Boolean).join(" ");

const PAUSE = 800; // ms without a key before words are kept

export class Rows {
  #list;
  #template;
  #rows = new Map();
  #act;

  /** `act` has play(row, button), write(row, text), which says whether it is kept now, and leave(row, leftOut). */
  constructor(list, template, act) {
    this.#list = list;
    this.#template = template;
    this.#act = act;
  }

  show(files) {
    const here = new Set(files.map((file) => file.file));
    for (const [number, row] of this.#rows) {
      if (here.has(number)) continue;
      row.element.remove();
      this.#rows.delete(number);
    }
    for (const file of files) {
      if (!this.#rows.has(file.file)) this.#rows.set(file.file, this.#make(file));
      this.#update(this.#rows.get(file.file), file);
    }
  }

  /** A part of a file arrived. */
  moved(number, share) {
    const row = this.#rows.get(number);
    if (row && share < 1) setText(row.state, words("state_coming", { percent: Math.floor(100 * share) }));
  }

  /** Keep at once what was written and not kept yet. */
  async flush() {
    await Promise.all([...this.#rows.values()].map((row) => this.#keep(row)));
  }

  /** Whether something was written that is not kept yet. */
  get dirty() {
    return [...this.#rows.values()].some((row) => !row.field.disabled && plain(row.field.value) !== row.known);
  }

  /** Go to the row that needs something. */
  focus(number) {
    const row = this.#rows.get(number);
    (row.field.disabled ? row.leave : row.field).focus();
  }

  #make(file) {
    const element = this.#template.content.firstElementChild.cloneNode(true);
    const part = (name) => element.querySelector(`[data-part=${name}]`);
    const row = {
      file, element, known: "", timer: 0, kept: Promise.resolve(), field: element.querySelector("textarea"),
      state: part("state"), length: part("length"),
      play: part("play"), right: part("right"), leave: part("leave"),
    };
    row.field.id = `words-${file.file}`;
    row.field.setAttribute("aria-label", words("words_of", { name: file.name }));
    element.querySelector("label").htmlFor = row.field.id;
    setText(element.querySelector("h3"), words("file_number", { n: this.#rows.size + 1, name: file.name }));
    for (const whose of element.querySelectorAll("[data-part=whose]")) whose.textContent = ` ${file.name}`;
    row.field.addEventListener("input", () => {
      clearTimeout(row.timer);
      row.timer = setTimeout(() => this.#keep(row), PAUSE);
    });
    row.field.addEventListener("change", () => this.#keep(row));
    row.play.addEventListener("click", () => this.#act.play(row.file, row.play));
    row.right.addEventListener("click", async () => {
      await this.#act.write(row.file, row.field.value);
      row.field.focus(); // the button goes when the words are right
    });
    row.leave.addEventListener("click", () => this.#act.leave(row.file, row.file.state !== "left-out"));
    this.#list.append(element);
    return row;
  }

  #update(row, file) {
    row.file = file;
    const { state } = file;
    row.element.dataset.state = state;
    const about = row.state.parentElement;
    about.dataset.state = state;
    setIcon(about.querySelector("svg"), ICONS[state]);
    const percent = Math.floor((100 * file.stored) / file.size);
    setText(row.state, words(`state_${state}`, { percent, reason: file.fault ?? "" }));
    setText(row.length, file.seconds === null ? "" : words("seconds", { seconds: tenths(file.seconds), n: file.seconds }));
    setShown(row.play, file.seconds !== null && state !== "saved");
    setShown(row.right, state === "draft");
    setShown(row.leave, state !== "saved");
    setText(row.leave.querySelector(".label"), words(state === "left-out" ? "do_take_in" : "do_leave_out"));
    row.field.disabled = ["unreadable", "left-out", "saved"].includes(state);
    setShown(row.field.parentElement, !row.field.disabled);
    const isBeingWritten = document.activeElement === row.field || plain(row.field.value) !== row.known;
    if (!isBeingWritten || row.field.value === "") row.field.value = file.text;
    row.known = file.text;
  }

  /** Keep what was written, after whatever of this row is still on its way. */
  #keep(row) {
    clearTimeout(row.timer);
    row.kept = row.kept.then(() => this.#write(row));
    return row.kept;
  }

  async #write(row) {
    const text = plain(row.field.value);
    const before = row.known;
    if (text === before || row.field.disabled) return;
    row.known = text;
    if (!await this.#act.write(row.file, text)) row.known = before; // not kept: it is tried again
  }
}
