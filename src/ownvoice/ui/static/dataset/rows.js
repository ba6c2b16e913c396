// The recordings as rows. A row is changed in place, so that the focus stays where the person is.
import { setIcon, setShown, setText } from "../record/elements.js";
import { tenths } from "../pages.js";
import { words } from "../words.js";

export class Rows {
  #list = document.getElementById("rows");
  #template = document.getElementById("list").querySelector("template");
  #act;
  #rows = new Map();

  /** `act` has play(row, button), make(row, fields, key) and again(row), an address. */
  constructor(act) {
    this.#act = act;
  }

  show(rows) {
    this.#rows = new Map(rows.map((row) => [row.id, this.#make(row)]));
    this.#list.replaceChildren(...[...this.#rows.values()].map((made) => made.element));
  }

  /** A row of these, or of another page, is now as `row` says. */
  update(row) {
    const made = this.#rows.get(row.id);
    if (made) this.#fill(made, row);
  }

  /** Open the words of a row for writing; false where it is not on this page. */
  edit(id) {
    const made = this.#rows.get(id);
    if (made) this.#open(made);
    return Boolean(made);
  }

  #make(row) {
    const element = this.#template.content.firstElementChild.cloneNode(true);
    const made = { element, row, part: (name) => element.querySelector(`[data-part=${name}]`) };
    const on = (name, act) => made.part(name).addEventListener("click", act);
    on("play", () => this.#act.play(made.row, made.part("play")));
    on("edit", () => this.#open(made));
    on("edit-cancel", () => this.#close(made));
    on("edit-done", async () => {
      const text = element.querySelector("textarea").value.trim();
      if (!text || text === made.row.text || await this.#act.make(made.row, { text }, "did_text")) this.#close(made);
    });
    on("exclude", () => {
      const { excluded } = made.row;
      return this.#act.make(made.row, { excluded: !excluded }, excluded ? "did_take_in" : "did_leave_out");
    });
    on("trim", async () => {
      await this.#act.make(made.row, { trim: null }, "did_untrim");
      made.part("play").focus(); // the button that had the focus is gone
    });
    this.#fill(made, row);
    return made;
  }

  #fill(made, row) {
    made.row = row;
    const { element, part } = made;
    setText(part("words"), row.text);
    element.toggleAttribute("data-excluded", row.excluded);
    const state = part("state").parentElement;
    state.dataset.state = row.excluded ? "left-out" : "used";
    setIcon(state.querySelector("svg"), row.excluded ? "skipped" : "saved");
    setText(part("state"), words(row.excluded ? "row_left_out" : "row_used"));
    const about = [row.seconds ? words("seconds", { seconds: tenths(row.seconds), n: row.seconds }) : "", row.trim ? words("row_trimmed") : ""];
    setText(part("about"), about.filter(Boolean).join(", "));
    setText(part("exclude").querySelector(".label"), words(row.excluded ? "do_take_in" : "do_leave_out"));
    setText(part("trim").querySelector(".label"), words("do_untrim"));
    setShown(part("trim"), row.trim !== null);
    part("again").href = this.#act.again(row);
    for (const whose of element.querySelectorAll("[data-part=whose]")) setText(whose, ` ${row.text}`);
  }

  #open(made) {
    const field = made.element.querySelector("textarea");
    field.value = made.row.text;
    setShown(made.part("editor"), true);
    setShown(made.part("words"), false);
    field.focus();
  }

  #close(made) {
    setShown(made.part("editor"), false);
    setShown(made.part("words"), true);
    made.part("edit").focus();
  }
}
