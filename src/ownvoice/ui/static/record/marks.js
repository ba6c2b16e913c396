// The phrase at hand: starred, hidden, or too hard for the person. Each can be taken back like any other step.
import { announce } from "../announce.js";
import { words } from "../words.js";
import { setShown, setText, setUsable } from "./elements.js";

/** Let the person mark the phrase of `studio` they are at with the buttons in `element`. */
export function bindMarks(element, studio) {
  const part = (name) => element.querySelector(`[data-part=${name}]`);
  part("star").addEventListener("click", () => star(studio));
  part("hide").addEventListener("click", () => putAside(studio, "hidden"));
  part("too_hard").addEventListener("click", () => putAside(studio, "too_hard"));
  studio.addEventListener("change", draw);

  function draw() {
    const { phrase } = studio;
    setText(part("marked"), phrase.words);
    part("marked").lang = studio.session.language ?? "";
    setText(part("star").querySelector(".label"), words(phrase.starred ? "do_unstar" : "do_star"));
    const isOffered = "starred" in phrase; // a recording made again is there without its phrase
    setShown(element, isOffered);
    for (const name of ["star", "hide", "too_hard"]) setUsable(part(name), !studio.isBusy);
  }
}

async function star(studio) {
  if (studio.isBusy) return announce(words("stop_first"));
  const { session, phrase } = studio;
  const starred = !phrase.starred;
  if (!await studio.attempt(() => session.star(phrase, starred))) return;
  studio.undoable = {
    label: words(starred ? "undo_star" : "undo_unstar"),
    run: () => session.star(phrase, !starred),
  };
  announce(words(starred ? "starred" : "unstarred"));
  studio.changed();
}

/** Not to be shown again ("hidden"), nor much like it ("too_hard"); goes on to the next phrase. */
async function putAside(studio, mark) {
  if (studio.isBusy) return announce(words("stop_first"));
  const { session, phrase } = studio;
  const before = phrase.state;
  if (before === mark) return announce(words(`put_${mark}`));
  if (!await studio.attempt(() => session.mark(phrase, mark))) return;
  await studio.go(1, words(`put_${mark}`));
  studio.undoable = {
    label: words(`undo_${mark}`),
    run: async () => {
      await session.mark(phrase, before === "saved" ? "todo" : before);
      phrase.state = before;
      studio.at = session.phrases.indexOf(phrase);
    },
  };
  studio.changed();
}
