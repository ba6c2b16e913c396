// The record page: makes the parts, and lets each draw itself when something has changed.
import { announce } from "../announce.js";
import { words } from "../words.js";
import { setShown, setText, setUsable } from "./elements.js";
import { bindMarks } from "./marks.js";
import { Microphone } from "./microphone.js";
import { bindPickers, chosenIn } from "./pickers.js";
import { preferences } from "./preferences.js";
import { offerUnfinished } from "./recovery.js";
import { amountText, drawProgress, goalText, suggestRests } from "./rests.js";
import { bindRoomCheck } from "./room_check.js";
import { Session } from "./session.js";
import { bindMicrophones, bindPreferences, bindShortcuts, keyName } from "./settings.js";
import { keys, listen } from "./shortcuts.js";
import { Player } from "./sounds.js";
import { Studio } from "./studio.js";
import { ListView, SingleView } from "./views.js";

const page = document.getElementById("studio");
const find = (id) => document.getElementById(id);

const FETCHED_BY = 60_000; // milliseconds by which the browser has taken a file that was handed to it

const asked = new URLSearchParams(location.search);

async function open() {
  const session = new Session(page.dataset.address, chosenIn(asked));
  const at = await session.open(asked.get("again"));
  setShown(find("loading"), false);
  if (!session.phrases.length) {
    if (session.query.size) setText(find("no-phrases"), words("pick_none"));
    setShown(find("no-phrases"), true);
    return pickAlone(session);
  }
  const studio = new Studio(session, at, new Microphone(), new Player());
  const views = { single: new SingleView(find("single"), studio), list: new ListView(find("list"), studio) };
  const view = () => views[preferences.view];
  const toRecord = () => view().panel.part("record");

  studio.addEventListener("change", draw);
  studio.addEventListener("level", () => view().drawLevel(performance.now()));
  page.addEventListener("click", ({ target }) => target.closest("[data-part=record]") ?? studio.pressedElsewhere(), true);
  const undos = page.querySelectorAll("[data-part=undo]");
  for (const button of undos) button.addEventListener("click", () => studio.undo());
  find("try-again").addEventListener("click", () => studio.tryAgain());
  find("save-file").addEventListener("click", () => saveFiles(studio.stuck));
  find("give-up").addEventListener("click", () => { toRecord().focus(); studio.giveUp(); });
  window.speechSynthesis?.addEventListener("voiceschanged", draw);

  bindPreferences(page, () => { showKeys(); draw(); });
  bindMicrophones(find("microphone"), studio.microphone);
  bindShortcuts(find("shortcuts"), showKeys);
  bindRoomCheck(find("room-check"), studio);
  bindMarks(find("pickers").querySelector("[data-part=marks]"), studio);
  bindPickers(find("pickers"), session, () => studio.isBusy, (chosen, place) => {
    history.replaceState(null, "", `?${chosen.query}`);
    studio.use(chosen, place);
    return `${chosen.place(studio.phrase)}. ${studio.phrase.words}`;
  });
  offerUnfinished(find("unfinished"), studio, toRecord);
  suggestRests(find("rest"), studio, () => toRecord().focus());
  bindEnding(studio, toRecord);
  // A key presses the button that says the same, so both always do the same.
  listen((action) => (view().panel.part(action) ?? view().element.querySelector(`[data-part=${action}]`))?.click());
  addEventListener("beforeunload", (event) => { if (studio.unsaved.size) event.preventDefault(); });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) return;
    if (studio.recording) studio.hurry();
    else studio.microphone.close();
  });

  function draw() {
    for (const name of Object.keys(views)) setShown(find(name), name === preferences.view);
    view().draw();
    drawProgress(find("progress"), studio.session.progress);
    for (const button of undos) {
      setText(button.querySelector(".label"), studio.undoable?.label ?? words("do_undo"));
      setUsable(button, Boolean(studio.undoable) && !studio.recording);
    }
    drawTrouble(studio);
    setText(find("problem"), studio.problem ?? "");
    setShown(find("problem"), studio.problem !== null);
    showKeys();
  }

  studio.changed();
  setShown(page, true);
  showPhrase(session);
  await session.fetchBeyond(at);
}

/** Where there is nothing to read, other phrases can still be chosen or brought. */
function pickAlone(session) {
  const pickers = find("pickers");
  find("no-phrases").after(pickers);
  setShown(pickers.querySelector("[data-part=marks]"), false);
  pickers.open = true;
  bindPickers(pickers, session, () => false, ({ query }) => {
    location.search = query;
    return "";
  });
}

/** Where the screen is too small for all of it, begin with the phrase and its button, unless something comes before. */
function showPhrase({ unfinished }) {
  const single = find("single");
  const button = single.querySelector("[data-part=record]").getBoundingClientRect();
  if (!single.hidden && !unfinished.length && button.bottom > innerHeight) single.scrollIntoView();
}

/** What is not saved yet, and why: stays until it is. */
function drawTrouble(studio) {
  const stuck = [...studio.unsaved].filter(({ trouble }) => trouble);
  setShown(find("trouble"), stuck.length > 0);
  if (!stuck.length) return;
  setText(find("trouble-text"), studio.troubleText(stuck[0]));
  setShown(find("save-file"), studio.stuck.length > 0);
  setShown(find("give-up"), studio.stuck.some(({ trouble }) => trouble.kind !== "offline"));
}

/** Hand takes that cannot be saved to the person as files, named by their words: "Add files" takes them in later. */
function saveFiles(takes) {
  const names = takes.map(({ text }) => `${text.replace(/[^\p{L}\p{N}' ]+/gu, " ").trim().slice(0, 60)}.wav`);
  takes.forEach(({ file }, i) => {
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: names[i] });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), FETCHED_BY);
  });
  announce(words("file_saved", { names: names.join(", ") }));
}

/** Write on each button the key that presses it. */
function showKeys() {
  for (const button of page.querySelectorAll("[data-key]")) {
    const key = preferences.shortcuts ? keys()[button.dataset.key] : null;
    setText(button.querySelector("kbd"), key ? keyName(key) : "");
    setShown(button.querySelector("kbd"), key !== null);
    if (key) button.setAttribute("aria-keyshortcuts", key);
    else button.removeAttribute("aria-keyshortcuts");
  }
}

/** "Stop for today": what was done, and that nothing is lost by stopping. */
function bindEnding(studio, toRecord) {
  function draw() {
    const { progress } = studio.session;
    const { phrases, seconds } = studio.sitting;
    setText(find("today"), phrases ? amountText(seconds / 60, phrases) : words("today_nothing"));
    setText(find("so-far"), amountText(progress.minutes, progress.phrases));
    setText(find("goal"), goalText(progress));
    if (find("to-train")) setShown(find("to-train"), progress.goal.text_key !== "goal_first"); // enough to begin with
    setText(find("all-saved"), words(studio.unsaved.size ? "still_saving" : "all_saved"));
  }
  function stop() {
    if (studio.recording) return announce(words("stop_first"));
    studio.player.stop();
    studio.microphone.close();
    draw();
    setShown(find("sitting"), false);
    setShown(find("summary"), true);
    find("summary-title").focus();
  }
  studio.addEventListener("change", draw);
  find("stop-today").addEventListener("click", stop);
  find("rest").querySelector("[data-part=stop]").addEventListener("click", stop);
  find("resume").addEventListener("click", () => {
    setShown(find("summary"), false);
    setShown(find("sitting"), true);
    toRecord().focus();
  });
}

open().catch((error) => {
  if (!("text" in error)) throw error;
  setText(find("loading"), error.text);
  pickAlone(new Session(page.dataset.address, chosenIn(asked)));
});
