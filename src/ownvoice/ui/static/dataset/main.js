// The dataset page: amounts, findings, rows a page at a time, copies. The server searches and counts.
import { alarm, announce } from "../announce.js";
import { call } from "../api.js";
import { PlayButtons, tenths } from "../pages.js";
import { setShown, setText } from "../record/elements.js";
import { words } from "../words.js";
import { Changes } from "./changes.js";
import { Findings } from "./findings.js";
import { Rows } from "./rows.js";

const TYPING = 350; // ms without a key before a search begins

const part = (id) => document.getElementById(id);
const { address, page } = part("dataset").dataset;
const pageRows = Number(page);
const player = new PlayButtons();
let offset = 0;
let typing = 0;
let asked = 0;

const act = {
  play: (row, button) => player.toggle(button, `${utterance(row)}/audio?trimmed=1`),
  make: (row, fields, key) => attempt(() => changes.make(row, fields, key)),
  again: (row) => `${address}/record?again=${encodeURIComponent(row.id)}`,
  files: `${address}/upload`,
  edit,
};
const rows = new Rows(act);
const findings = new Findings(act);
const changes = new Changes(address, (row) => {
  rows.update(row);
  refreshAmounts();
  check();
});

function utterance(row) {
  return `${address}/utterances/${encodeURIComponent(row.id)}`;
}

/** Do `work`; what is refused is shown and said. Whether it went well. */
async function attempt(work) {
  const problem = part("problem");
  try {
    await work();
    setShown(problem, false);
    return true;
  } catch (error) {
    if (!error.text) throw error;
    setText(problem, error.text);
    setShown(problem, true);
    alarm(error.text);
    return false;
  }
}

function ask(query, status, from, limit) {
  return call("GET", `${address}/utterances?${new URLSearchParams({ query, status, offset: from, limit })}`);
}

function showAmounts({ used, excluded }) {
  for (const [name, share] of Object.entries({ used, excluded })) {
    setText(part(`${name}-minutes`), words("minutes", { minutes: tenths(share.seconds / 60), n: share.seconds / 60 }));
    setText(part(`${name}-count`), words("recordings", { n: share.utterances }));
  }
  const some = used.utterances + excluded.utterances > 0;
  setShown(part("empty"), !some);
  for (const id of ["amounts", "list", "export"]) setShown(part(id), some);
  if (some) setShown(part("findings"), true); // a voice that lists nothing may still hold files, and says so then
}

function refreshAmounts() {
  return attempt(async () => showAmounts(await ask("", "all", 0, 1)));
}

async function look() {
  player.stop();
  const mine = ++asked;
  await attempt(async () => {
    const found = await ask(part("query").value, part("status-choice").value, offset, pageRows);
    if (mine !== asked) return; // a later search is under way
    showAmounts(found);
    rows.show(found.rows);
    const values = { first: offset + 1, last: offset + found.rows.length, total: found.total };
    setText(part("shown"), words(found.total ? "shown" : "shown_none", values));
    setShown(part("earlier"), offset > 0);
    setShown(part("later"), offset + found.rows.length < found.total);
  });
}

async function search() {
  offset = 0;
  await look();
  announce(part("shown").textContent);
}

async function turn(by) {
  offset = Math.max(0, offset + by);
  await look();
  part("list-title").focus();
  announce(part("shown").textContent);
}

let checking = false;
let stale = false;

/** Have everything checked; where something changed meanwhile, once more. */
async function check() {
  stale = true;
  if (checking) return;
  checking = true;
  while (stale) {
    stale = false;
    await attempt(async () => {
      const found = (await call("GET", `${address}/findings`)).findings;
      findings.show(found);
      if (!found.length) return;
      setShown(part("findings"), true);
      if (!part("empty").hidden) setText(part("empty").querySelector("p"), words("empty_unlisted"));
    });
  }
  checking = false;
}

async function edit(row) {
  if (rows.edit(row.id)) return;
  part("query").value = row.id;
  part("status-choice").value = "all";
  await search();
  rows.edit(row.id);
}

part("search").addEventListener("submit", (event) => { event.preventDefault(); search(); });
part("query").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(search, TYPING);
});
part("status-choice").addEventListener("change", search);
part("earlier").addEventListener("click", () => turn(-pageRows));
part("later").addEventListener("click", () => turn(pageRows));
part("undo").addEventListener("click", () => attempt(() => changes.undo()));
part("export-folder").addEventListener("click", () => attempt(async () => {
  announce(words("exporting"));
  const text = words("exported", await call("POST", `${address}/exports`));
  setText(part("exported"), text);
  announce(text);
}));

await look();
await check();
