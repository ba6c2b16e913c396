// Which phrases are read: source, language, topic, a search, starred ones, what the model gets wrong; and one's own.
// What was chosen stays in the page's address alone. Where it gives nothing, what is shown stays as it is.
import { alarm, announce } from "../announce.js";
import { call } from "../api.js";
import { words } from "../words.js";
import { setShown, setText } from "./elements.js";
import { Session } from "./session.js";

const NAMES = ["source", "language", "topic", "search", "starred", "by"];

/** What of the page's address says which phrases. */
export function chosenIn(address) {
  return new URLSearchParams([...address].filter(([name, value]) => NAMES.includes(name) && value));
}

/**
 * Let the person choose in `element`; `session` is what they see. `isBusy()`: not now. `show(session, at)` shows other
 * phrases and returns where they are, as a text to be said.
 */
export function bindPickers(element, session, isBusy, show) {
  const part = (name) => element.querySelector(`[data-part=${name}]`);
  const form = part("choose");
  const { source, language } = form.elements;
  for (const [name, value] of session.query) fill(form.elements[name], value);
  for (const control of [source, language]) control.addEventListener("change", drawOffered);
  drawOffered();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    saying(part("chosen"), choose);
  });
  part("bring").addEventListener("submit", (event) => {
    event.preventDefault();
    saying(part("brought"), () => bring(event.target.elements));
  });

  /** Not every source has every language, and only the built-in phrases have topics. */
  function drawOffered() {
    for (const option of source.options) {
      const languages = option.dataset.languages.split(" ").filter(Boolean);
      option.disabled = option.hidden = languages.length > 0 && !languages.includes(language.value);
    }
    if (source.selectedOptions[0]?.disabled ?? true) source.value = [...source.options].find(({ disabled }) => !disabled)?.value;
    setShown(part("sources"), source.value !== "");
    setShown(part("topics"), source.value === "builtin");
  }

  async function choose() {
    if (isBusy()) return { text: words("pick_busy") };
    const query = chosenIn(new FormData(form));
    if (part("topics").hidden) query.delete("topic");
    if (query.get("source") === "granary") tell(part("chosen"), { text: words("pick_fetching") });
    const wanted = new Session(session.address, query);
    const at = await wanted.open();
    if (isBusy()) return { text: words("pick_busy") }; // Granary can take long to come
    if (!wanted.phrases.length) return { text: words("pick_none") };
    return { text: words("picked", { n: wanted.total }), place: show(wanted, at) };
  }

  /** Keep what was written, and show it. */
  async function bring({ kind, text }) {
    const { added } = await call("POST", `${session.address}/own-phrases`, { kind: kind.value, text: text.value });
    text.value = "";
    offerOwn();
    const { text: chosen, place } = await choose();
    return { text: `${words("brought", { n: added })} ${chosen}`, place };
  }

  function offerOwn() {
    form.reset();
    if (![...source.options].some(({ value }) => value === "own")) {
      const option = new Option(words("source_own"), "own");
      option.dataset.languages = "";
      source.add(option);
    }
    source.value = "own";
    drawOffered();
  }
}

function fill(control, value) {
  if (!control) return; // an address may name what is not offered here
  if (control.type === "checkbox") control.checked = control.value === value;
  else control.value = value;
}

/** Show and say what came of `step`, in `line`. */
async function saying(line, step) {
  try {
    tell(line, await step());
  } catch (error) {
    if (!("text" in error)) throw error;
    write(line, error.text);
    alarm(error.text);
  }
}

/** `place` is said only: it would not be true for long. */
function tell(line, { text, place = "" }) {
  write(line, text);
  announce(`${text} ${place}`.trim());
}

function write(line, text) {
  setText(line, text);
  setShown(line, true);
}
