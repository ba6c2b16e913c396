// Where words are missing: lines pasted in the order of the recordings, or a draft by the person's own model.
import { setShown, setText } from "../record/elements.js";
import { words } from "../words.js";

const part = (id) => document.getElementById(id);
const names = (files) => files.map((file) => file.name).join(", ");

export class MissingWords {
  #lacking = [];

  /** `act` has paste(lines) and draft(). */
  constructor(act) {
    part("paste").addEventListener("input", () => this.#count());
    part("do-paste").addEventListener("click", () => act.paste(this.lines));
    part("do-draft").addEventListener("click", () => act.draft());
  }

  /** The lines that were written, without empty ones. */
  get lines() {
    return part("paste").value.split("\n").map((text) => text.trim()).filter(Boolean);
  }

  /** Which recordings have no line, or which lines no recording; nothing where they fit. */
  get misfit() {
    const { lines } = this;
    const missing = this.#lacking.slice(lines.length);
    const extra = lines.slice(this.#lacking.length).map((text) => `“${text}”`);
    if (missing.length) return words("paste_missing", { names: names(missing) });
    return extra.length ? words("paste_extra", { lines: extra.join(", ") }) : "";
  }

  /** Show what `lacking`, the recordings without words, need; `draft` says how far the model is, if there is one. */
  draw(lacking, draft, hasModel) {
    this.#lacking = lacking;
    setShown(part("words-section"), lacking.length > 0);
    setText(part("words-missing"), words("words_missing", { n: lacking.length }));
    setText(part("paste-order"), words("paste_order", { names: names(lacking) }));
    const running = draft.state === "running";
    setShown(part("do-draft"), hasModel);
    setText(part("do-draft"), words(running ? "do_stop_draft" : "do_draft"));
    setText(part("draft-text"), words(running ? "draft_running" : hasModel ? "draft_help" : "draft_none"));
    this.#count();
  }

  empty() {
    part("paste").value = "";
  }

  #count() {
    const { length } = this.lines;
    const count = words("paste_count", { lines: length, n: this.#lacking.length });
    setText(part("paste-count"), length && this.misfit ? `${count}. ${this.misfit}` : count);
  }
}
