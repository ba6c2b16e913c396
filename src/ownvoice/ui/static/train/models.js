// The list of models: one's own, folders, copies for other programs, deleting with a question before and an undo after.
import { alarm, announce } from "../announce.js";
import { call } from "../api.js";
import { ask } from "../pages.js";
import { words } from "../words.js";
import { bytes } from "./duration.js";
import { offerMine } from "./mine.js";

const EACH = 2000; // milliseconds between two looks at an export

const { voice } = JSON.parse(document.getElementById("models-data").textContent);
const home = `/voices/${encodeURIComponent(voice)}`;
const undo = document.getElementById("undo");
let deleted = null; // its key in the trash

for (const element of document.querySelectorAll("[data-bytes]")) element.textContent = bytes(Number(element.dataset.bytes));

const actions = {
  async folder(button, address) {
    await call("POST", `${address}/folder`);
    announce(words("models_folder_opened"));
  },

  async delete(button, address, row) {
    if (!await ask(row.querySelector("dialog"))) return;
    deleted = (await call("DELETE", address)).key;
    row.remove();
    undo.querySelector("span").textContent = words("models_deleted", { date: row.dataset.date });
    undo.hidden = false;
    undo.querySelector("button").focus(); // the button that was pressed is gone with its model
    announce(undo.querySelector("span").textContent);
  },

  async export(button, address) {
    const { form } = button.closest("[data-form]").dataset;
    showExports(button.closest(".exports"), address, await call("POST", `${address}/exports`, { form }));
  },

  async restore(button) {
    await bringBack(button.closest("[data-key]").dataset.key);
  },

  async purge(button) {
    const row = button.closest("[data-key]");
    const question = document.getElementById("purge");
    question.querySelector("h2").textContent = words("models_purge_ask", { name: row.dataset.name });
    if (!await ask(question)) return;
    await call("DELETE", `${home}/models/trash/${encodeURIComponent(row.dataset.key)}`);
    row.remove();
    announce(words("models_purged"));
    document.getElementById("title").focus();
  },
};

async function attempt(action) {
  try {
    await action();
  } catch (error) {
    if (error.text === undefined) throw error;
    alarm(error.text);
    undo.hidden = false;
    undo.querySelector("span").textContent = error.text;
    undo.querySelector("button").hidden = deleted === null;
  }
}

async function bringBack(key) {
  await call("POST", `${home}/models/trash/${encodeURIComponent(key)}/restore`);
  location.reload();
}

function showExports(box, address, states) {
  for (const { form, state, folder, reason } of states) {
    const row = box.querySelector(`[data-form="${form}"]`);
    const done = folder === null ? words("models_export_done_there") : words("models_export_done", { folder });
    const said = { none: "", running: words("models_export_running"), done, failed: words("models_export_failed", { reason }) };
    const text = said[state];
    row.querySelector("button").hidden = state === "done" || state === "running";
    if (row.querySelector(".said").textContent === text) continue;
    row.querySelector(".said").textContent = text;
    if (text && box.dataset.seen) announce(text);
  }
  box.dataset.seen = "yes";
  clearTimeout(box.timer);
  if (!states.some(({ state }) => state === "running")) return;
  box.timer = setTimeout(() => attempt(async () => showExports(box, address, await call("GET", `${address}/exports`))), EACH);
}

function addressOf(element) {
  return `${home}/models/${encodeURIComponent(element.closest("[data-run]")?.dataset.run ?? "")}`;
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("button[data-do]");
  if (!button) return;
  attempt(() => actions[button.dataset.do](button, addressOf(button), button.closest("[data-run]")));
});

for (const box of document.querySelectorAll(".exports")) {
  box.addEventListener("toggle", () => {
    if (!box.open) return;
    attempt(async () => showExports(box, addressOf(box), await call("GET", `${addressOf(box)}/exports`)));
  });
}

undo.querySelector("button").addEventListener("click", () => attempt(() => bringBack(deleted)));
offerMine(home);
