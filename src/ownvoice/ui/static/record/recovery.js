// Takes that were begun and never finished, because a page was closed or a server ended: each is offered, none is lost.
import { alarm, announce } from "../announce.js";
import { call } from "../api.js";
import { interfaceLanguage, words } from "../words.js";
import { setShown, setText, setUsable } from "./elements.js";
import { abandoned } from "./uplink.js";
import { inSeconds } from "./wording.js";

const LOOK_AGAIN = 6; // seconds: what another browser is still recording has not come to its end; data/takes.py

const moment = new Intl.DateTimeFormat(interfaceLanguage, { dateStyle: "medium", timeStyle: "short" });

/** Offer the unfinished takes of `studio`'s session in `element`; `leave()` is what has the focus after the last one. */
export async function offerUnfinished(element, studio, leave) {
  const { session } = studio;
  const template = element.querySelector("template");
  const list = element.querySelector("ul");
  const offered = new Set();
  await show(session.unfinished);

  async function show(unfinished) {
    const ended = await abandoned(unfinished);
    for (const take of ended) {
      if (take.is_live || offered.has(take.take)) continue;
      offered.add(take.take);
      list.append(offer(take));
    }
    setShown(element, list.children.length > 0);
    if (ended.some(({ is_live }) => is_live)) setTimeout(() => attempt(look), 1000 * LOOK_AGAIN);
  }

  async function look() {
    const before = offered.size;
    await show((await call("GET", `${session.address}/session?count=0`)).unfinished);
    if (offered.size > before) announce(words("unfinished_title"));
  }

  function offer(take) {
    const row = template.content.firstElementChild.cloneNode(true);
    const [hear, keep, discard] = row.querySelectorAll("button");
    let discarded = false;
    const started = moment.format(new Date(take.started));
    setText(row.querySelector("q"), take.text || words("unfinished_answer", { prompt: take.prompt }));
    setShown(row.querySelector("[data-part=said]"), !take.text); // what was said freely, nobody has written down yet
    setText(row.querySelector("[data-part=about]"), words("unfinished_about", { ...inSeconds(take.seconds), started }));
    hear.addEventListener("click", () => discarded || studio.play(`${session.address}/takes/${take.take}/audio`));
    keep.addEventListener("click", () => attempt(async () => {
      if (discarded) return;
      const field = row.querySelector("textarea");
      const said = field.value.trim();
      if (!take.text && !said) field.focus();
      studio.session.kept(await post(take, "recover", said ? { text: said } : undefined));
      row.remove();
      studio.changed();
      announce(words("unfinished_kept"));
      setShown(element, list.children.length > 0);
      (list.querySelector("button") ?? leave()).focus();
    }));
    discard.addEventListener("click", () => attempt(async () => {
      await post(take, discarded ? "undiscard" : "discard");
      discarded = !discarded;
      setText(discard, words(discarded ? "undo_discard" : "do_discard"));
      setUsable(keep, !discarded);
      setUsable(hear, !discarded);
      row.toggleAttribute("data-discarded", discarded);
      announce(words(discarded ? "unfinished_discarded" : "undone"));
    }));
    return row;
  }

  function post({ take }, verb, body) {
    return call("POST", `${session.address}/takes/${take}/${verb}`, body);
  }
}

async function attempt(step) {
  try {
    await step();
  } catch (error) {
    if (!("text" in error)) throw error;
    alarm(error.text);
  }
}
