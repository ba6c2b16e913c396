// What check found, each with what a click can do about it; fewer at a time than could frighten anybody.
import { setShown, setText } from "../record/elements.js";
import { isWritten, words } from "../words.js";

const AT_A_TIME = 5;
const DONE = { exclude: "did_leave_out", trim: "did_trim", text: "did_text" };
const LABEL = { exclude: "do_leave_out", trim: "do_trim", edit: "do_edit", again: "do_again" };

export class Findings {
  #section = document.getElementById("findings");
  #act;
  #all = [];
  #limit = AT_A_TIME;

  /** `act` has play(row, button), make(row, fields, key), edit(row) and the addresses again(row) and files. */
  constructor(act) {
    this.#act = act;
    document.getElementById("more-findings").addEventListener("click", () => {
      const first = this.#limit;
      this.#limit += AT_A_TIME;
      this.#draw();
      this.#section.querySelectorAll("li")[first]?.querySelector("button, a")?.focus();
    });
  }

  show(findings) {
    this.#all = findings;
    this.#draw();
  }

  #draw() {
    const list = this.#section.querySelector("ul");
    const had = list.contains(document.activeElement);
    list.replaceChildren(...this.#all.slice(0, this.#limit).map((finding) => this.#make(finding)));
    const n = this.#all.length;
    setText(document.getElementById("findings-text"), n ? words("findings_count", { n }) : words("findings_none"));
    setShown(document.getElementById("more-findings"), n > this.#limit);
    if (had) document.getElementById("findings-title").focus(); // what had the focus is mended, and gone
  }

  #make(finding) {
    const { severity, kind, row, mends } = finding;
    const item = this.#section.querySelector("template").content.firstElementChild.cloneNode(true);
    const part = (name) => item.querySelector(`[data-part=${name}]`);
    item.querySelector(".state").dataset.state = severity;
    setText(part("severity"), words(`severity_${severity}`));
    setText(part("what"), whatIs(finding));
    setText(part("words"), row?.text ?? "");
    setShown(part("words"), Boolean(row?.text));
    setShown(part("mends"), row !== null || kind === "unnamed-recording");
    if (kind === "unnamed-recording") part("mends").append(linkTo(this.#act.files, words("find_unnamed_do")));
    if (row) part("mends").append(this.#playButton(row), ...mends.map((mend) => this.#mendButton(row, mend)));
    return item;
  }

  #playButton(row) {
    const button = document.getElementById("list").querySelector("template").content.querySelector("[data-part=play]").cloneNode(true);
    button.querySelector("[data-part=whose]").textContent = ` ${row.text}`;
    button.addEventListener("click", () => this.#act.play(row, button));
    return button;
  }

  #mendButton(row, { kind, changes }) {
    const label = kind === "text" ? words("do_text", changes) : words(LABEL[kind]);
    const whose = Object.assign(document.createElement("span"), { className: "unseen", textContent: ` ${row.text}` });
    if (kind === "again") return linkTo(this.#act.again(row), label, whose);
    const control = document.createElement("button");
    control.append(label, whose);
    control.type = "button";
    control.addEventListener("click", () => (kind === "edit" ? this.#act.edit(row) : this.#act.make(row, changes, DONE[kind])));
    return control;
  }
}

function linkTo(address, ...label) {
  const link = Object.assign(document.createElement("a"), { className: "button", href: address });
  link.append(...label);
  return link;
}

function whatIs({ kind, file, message }) {
  const key = `find_${kind}`;
  return isWritten(key) ? words(key, { file }) : words("find_other", { file, message });
}
