// What went wrong with the Hub and what to do, in the person's language where there are words for it.
import { alarm } from "../announce.js";
import { words } from "../words.js";

const KNOWN = ["token", "login", "payment", "rights", "missing", "changed", "full", "busy", "broken", "connection"];

function paragraph(text) {
  return Object.assign(document.createElement("p"), { textContent: text });
}

/** What the library said. It begins its messages small, to follow the place, which keeps its own letters. */
function original(what, where, mend) {
  const head = Object.assign(paragraph(where ? `${where}: ${what}` : what), { lang: "en", className: where ? "" : "sentence" });
  return mend ? [head, Object.assign(paragraph(mend), { lang: "en" })] : [head];
}

/** Show `trouble` ({what, where, mend, fault}) in `box`, and return what was said first. */
export function explain(box, { what, where, mend, fault }) {
  const said = original(what, where, mend);
  if (KNOWN.includes(fault)) {
    const fold = document.createElement("details");
    fold.append(Object.assign(document.createElement("summary"), { textContent: words("share_fault_said") }), ...said);
    box.replaceChildren(paragraph(words(`share_fault_${fault}`)), paragraph(words(`share_fault_${fault}_mend`)), fold);
  } else {
    box.replaceChildren(...said);
  }
  box.firstChild.classList.add("large");
  box.hidden = false;
  return [...box.querySelectorAll(":scope > p")].map((element) => element.textContent).join(" ");
}

/** Do `action`; what the server refuses is shown in `box` and said at once. `alias` gives a fault other words here. */
export async function attempt(box, action, alias = {}) {
  box.hidden = true;
  try {
    await action();
  } catch (error) {
    if (error.text === undefined) throw error;
    const { message, where, mend, fault } = error.answer ?? { message: error.text };
    alarm(explain(box, { what: message, where, mend, fault: alias[fault] ?? fault }));
  }
}
