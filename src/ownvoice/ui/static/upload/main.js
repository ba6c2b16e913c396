// The upload page: files come in, get their words, are seen, and only then are saved.
import { alarm, announce } from "../announce.js";
import { call } from "../api.js";
import { ask, PlayButtons } from "../pages.js";
import { setShown, setText } from "../record/elements.js";
import { words } from "../words.js";
import { MissingWords } from "./missing_words.js";
import { Rows } from "./rows.js";
import { Transfer } from "./transfer.js";

const AT_ONCE = 20; // recordings saved by one request, so that each is short
const LOOK_AGAIN = 1500; // ms between looks at a batch that is changing by itself

const part = (id) => document.getElementById(id);
const place = part("upload");
const { address } = place.dataset;
const player = new PlayButtons();

let batch = null; // its address
let seen = { rows: [], texts: [], problems: [], notes: [], draft: { state: "none" }, has_model: false };
let looking = 0;

const rows = new Rows(document.querySelector(".files"), part("row"), {
  play: (file, button) => player.toggle(button, `${batch}/files/${file.file}/audio`),
  write: (file, text) => change(file, { text }),
  leave: async (file, leftOut) => {
    player.stop();
    await change(file, { left_out: leftOut });
    announce(words(leftOut ? "did_leave_out" : "did_take_in", { name: file.name }));
  },
});

const missing = new MissingWords({ paste, draft });

const transfer = new Transfer(Number(place.dataset.piece), {
  started(n) {
    setText(part("sending"), words("sending", { n }));
    setShown(part("sending"), true);
    announce(words("sending", { n }));
    lookLater();
  },
  moved: (number, share) => rows.moved(number, share),
  lost: (error) => complain(error.text),
  async ended(n) {
    setShown(part("sending"), false);
    complain("");
    await look();
    announce(words("sent", { n }));
  },
});

function complain(text) {
  const problem = part("problem");
  if (problem.textContent === text && !problem.hidden) return;
  setText(problem, text);
  setShown(problem, text !== "");
  if (text) alarm(text);
}

function show(view) {
  seen = { ...seen, ...view };
  const { problems, notes, draft } = seen;
  rows.show(seen.rows);
  setShown(part("batch"), seen.rows.length + seen.texts.length > 0);
  setShown(part("save-section"), seen.rows.length + seen.texts.length > 0);
  const wanted = seen.rows.filter((row) => !["unreadable", "left-out", "saved"].includes(row.state));
  setText(part("save"), words("do_save", { n: wanted.length }));
  const cut = !transfer.busy && [...seen.rows, ...seen.texts].some((file) => file.stored < file.size);
  setShown(part("resend"), cut);
  list(part("text-problems"), problems.map(({ name, line, reason }) => (
    line === null ? words("text_problem", { name, reason }) : words("text_problem_line", { name, line, reason })
  )));
  setText(part("read-as"), words("read_as", { notes: notes.join("; ") }));
  setShown(part("read-as"), notes.length > 0);
  missing.draw(seen.rows.filter((row) => row.state === "no-words"), draft, seen.has_model);
}

function line(text) {
  return Object.assign(document.createElement("li"), { textContent: text });
}

function list(box, texts) {
  box.querySelector("ul").replaceChildren(...texts.map(line));
  setShown(box, texts.length > 0);
}

/** Look at the batch as the server has it, and again while it changes by itself. */
async function look() {
  clearTimeout(looking);
  if (!batch) return;
  const before = seen.draft.state;
  const drafts = seen.rows.filter((row) => row.state === "draft").length;
  show(await call("GET", batch));
  const { state, reason } = seen.draft;
  if (before === "running" && state !== "running") {
    const n = seen.rows.filter((row) => row.state === "draft").length - drafts;
    if (state === "failed") complain(words("draft_failed", { reason: reason ?? "" }));
    else announce(n ? words("draft_done", { n }) : words("draft_empty"));
  }
  if (transfer.busy || state === "running") lookLater();
}

function lookLater() {
  clearTimeout(looking);
  looking = setTimeout(() => look().catch((error) => { complain(error.text); lookLater(); }), LOOK_AGAIN);
}

/** Do `work`; what is refused is shown and said. Whether it went well. */
async function attempt(work) {
  try {
    await work();
    return true;
  } catch (error) {
    if (!error.text) throw error;
    complain(error.text);
    return false;
  }
}

function change(file, fields) {
  return attempt(async () => show(await call("PATCH", `${batch}/files/${file.file}`, fields)));
}

function add(chosen) {
  const files = [...chosen];
  if (!files.length) return null;
  complain("");
  setShown(part("earlier"), false);
  setShown(part("done"), false);
  return attempt(async () => {
    if (!batch) batch = `${address}/uploads/${(await call("POST", `${address}/uploads`)).upload}`;
    const announced = files.map(({ name, size }) => ({ name, size }));
    const { files: outcomes } = await call("POST", `${batch}/files`, { files: announced });
    const jobs = outcomes.map((outcome, i) => ({ ...outcome, file: files[i], number: outcome.file, address: batch }));
    const refused = jobs.filter((job) => job.refused).map((job) => words("text_problem", { name: job.name, reason: job.refused }));
    list(part("refused"), refused);
    if (refused.length) alarm(`${words("refused_title")}: ${refused.join(". ")}`);
    await look();
    transfer.add(jobs.filter((job) => !job.refused));
  });
}

async function paste(lines) {
  const wrong = missing.misfit;
  complain(wrong);
  if (wrong) {
    part("paste").focus();
    return;
  }
  const done = await attempt(async () => show(await call("POST", `${batch}/words`, { lines: lines.join("\n") })));
  if (!done) return;
  missing.empty();
  announce(words("pasted", { n: lines.length }));
  part("save").focus(); // the field that had the focus is gone
}

async function draft() {
  await attempt(async () => {
    complain("");
    await call(seen.draft.state === "running" ? "DELETE" : "POST", `${batch}/draft`);
    const stopped = seen.draft.state === "running";
    seen.draft = { state: stopped ? "none" : "running" };
    if (!stopped) announce(words("draft_running"));
    await look();
  });
}

async function save() {
  player.stop();
  await rows.flush();
  if (rows.dirty) return; // what was written could not be kept, and that was said
  const unready = seen.rows.filter((row) => !["ready", "left-out", "saved"].includes(row.state));
  const ready = seen.rows.filter((row) => row.state === "ready").map((row) => row.file);
  if (unready.length) {
    complain(`${words("not_ready", { names: unready.map((row) => row.name).join(", ") })}. ${words("not_ready_help")}`);
    rows.focus(unready[0].file);
    return;
  }
  complain(ready.length ? "" : words("nothing_to_save"));
  if (!ready.length) return;
  const total = { added: 0, already: 0, failed: [] };
  const ended = await attempt(async () => {
    for (let at = 0; at < ready.length; at += AT_ONCE) {
      setText(part("saving"), words("saving", { done: at, n: ready.length }));
      setShown(part("saving"), true);
      const result = await call("POST", `${batch}/save`, { files: ready.slice(at, at + AT_ONCE) });
      total.added += result.added;
      total.already += result.already;
      total.failed.push(...result.failed);
    }
  });
  setShown(part("saving"), false);
  if (ended) await finish(total);
}

async function finish({ added, already, failed }) {
  if (failed.length) await look();
  else reset();
  const text = [words("saved", { n: added }), already ? words("saved_already", { n: already }) : ""].filter(Boolean).join(" ");
  setText(part("done-text"), text);
  part("done-failed").replaceChildren(...failed.map((file) => line(words("saved_failed", file))));
  setShown(part("done"), true);
  setShown(part("choose"), failed.length > 0);
  part("done-title").focus();
  announce(text);
}

function reset() {
  clearTimeout(looking);
  batch = null;
  list(part("refused"), []);
  setShown(part("earlier"), false);
  show({ rows: [], texts: [], problems: [], notes: [], draft: { state: "none" } });
}

async function discard() {
  if (!await ask(part("sure"))) return;
  await attempt(async () => {
    transfer.forget();
    await call("DELETE", batch);
    reset();
    complain("");
    announce(words("discarded"));
    part("choose-files").focus();
  });
}

part("choose-files").addEventListener("click", () => part("files").click());
part("files").addEventListener("change", async (event) => {
  const chosen = [...event.target.files];
  event.target.value = ""; // so that choosing the same files again is a change
  await add(chosen);
});
part("save").addEventListener("click", save);
part("discard").addEventListener("click", discard);
part("add-more").addEventListener("click", () => {
  setShown(part("done"), false);
  setShown(part("choose"), true);
  part("choose-files").focus();
});
place.addEventListener("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  place.dataset.drop = "";
});
for (const gone of ["dragleave", "drop"]) place.addEventListener(gone, () => delete place.dataset.drop);
place.addEventListener("drop", (event) => {
  event.preventDefault();
  add(event.dataTransfer.files);
});
addEventListener("beforeunload", (event) => {
  if (transfer.busy || rows.dirty) event.preventDefault();
});

attempt(async () => {
  const { uploads } = await call("GET", `${address}/uploads`);
  if (!uploads.length || batch) return;
  batch = `${address}/uploads/${uploads[0]}`;
  await look();
  setShown(part("earlier"), true);
  const unheard = seen.rows.filter((row) => row.state === "unheard"); // the server was ended while it listened to these
  transfer.add(unheard.map((row) => ({ address: batch, number: row.file, file: new Blob(), stored: row.stored })));
});
