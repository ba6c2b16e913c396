// Setting up a training: two decisions, what they need on this computer, and every setting for who wants to see them.
// The server turns choices into settings (workflow/presets.py); a setting changed by hand stays as it was set.
import { alarm, announce } from "../announce.js";
import { call } from "../api.js";
import { words } from "../words.js";
import { bytes, spoken } from "./duration.js";
import { flat } from "./flat.js";

const WAIT = 400; // milliseconds after the last change: one question for a number that is being typed

const { voice, changed: changedAtFirst } = JSON.parse(document.getElementById("setup-data").textContent);
const home = `/voices/${encodeURIComponent(voice)}`;
const form = document.getElementById("setup");
const preflight = document.getElementById("preflight");
const headline = document.getElementById("preflight-title");
const needs = preflight.querySelector(".needs");
const notes = preflight.querySelector(".notes");
const alternative = preflight.querySelector(".alternative");
const start = form.querySelector(".start");
const other = document.getElementById("other-base");

const changed = new Set(changedAtFirst);
let offered = null;
let asked = 0;
let timer;

function fields() {
  return [...form.querySelectorAll("[data-field]")].map((box) => box.querySelector("input, select"));
}

function valueOf(input) {
  return input.type === "checkbox" ? input.checked : input.value.trim();
}

/** What a person decided: base model, pace, and the settings changed by hand. */
export function choices() {
  const { base, pace } = Object.fromEntries(new FormData(form));
  const changes = Object.fromEntries(
    fields().filter((input) => changed.has(input.name)).map((input) => [input.name, valueOf(input)]));
  return { base_model: base === "other" ? other.value.trim() : base, pace, changes };
}

/** Show the settings that follow from the choices, but never write over what a person set. */
function fill(values) {
  for (const input of fields()) {
    if (changed.has(input.name)) continue;
    const value = values[input.name];
    if (input.type === "checkbox") input.checked = value;
    else input.value = value ?? "";
  }
  mark();
}

function mark() {
  for (const box of form.querySelectorAll("[data-field]")) {
    box.querySelector(".changed").hidden = !changed.has(box.dataset.field);
  }
}

async function check({ aloud }) {
  const number = ++asked;
  preflight.setAttribute("aria-busy", "true");
  try {
    const plan = await call("POST", `${home}/train/plan`, choices());
    if (number !== asked) return;
    fill(plan.settings);
    show(plan);
  } catch (error) {
    if (number !== asked) return;
    if (error.text === undefined) throw error;
    refuse(error);
  }
  preflight.setAttribute("aria-busy", "false");
  if (aloud) announce(headline.textContent);
}

function show(plan) {
  preflight.classList.toggle("problem", !plan.fits);
  headline.textContent = words(plan.fits ? "train_fits" : "train_fits_not");
  needs.hidden = false;
  need("time", plan.seconds === null ? words("train_time_unknown") : words("train_time_about", { time: spoken(plan.seconds) }));
  for (const kind of ["memory", "disk"]) {
    const { needed, free } = plan[kind];
    need(kind, needed === null ? words("train_time_unknown") : words("train_needs_of", { needed: bytes(needed), free: bytes(free) }));
  }
  const said = plan.problems.map((problem) => words(`train_problem_${problem}`));
  if (plan.disk.download > 0) said.push(words("train_download", { size: bytes(plan.disk.download) }));
  notes.replaceChildren(...said.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  offered = plan.changes === null ? null : flat(plan.changes);
  alternative.hidden = offered === null;
  if (offered !== null) alternative.querySelector("span").textContent = offer(offered, plan.instead);
}

function need(kind, text) {
  needs.querySelector(`[data-need=${kind}]`).textContent = text;
}

/** What would work here, in the names that the page has for it. */
function offer(changes, instead) {
  const what = Object.entries(changes).map(([name, value]) => {
    const radio = name === "base_model" && form.querySelector(`[name=base][value="${CSS.escape(value)}"]`);
    if (radio) return radio.closest("label").querySelector("b").textContent;
    return `${words(`field_${name.replaceAll(".", "_")}`)} = ${value}`;
  });
  const time = instead?.seconds ? words("train_time_about", { time: spoken(instead.seconds) }) : words("train_time_unknown");
  return words("train_instead", { what: what.join(", "), time });
}

function refuse(error) {
  preflight.classList.add("problem");
  headline.textContent = `${words("train_wrong")} ${error.text}`;
  needs.hidden = true;
  alternative.hidden = true;
  notes.replaceChildren();
}

function checkSoon() {
  clearTimeout(timer);
  timer = setTimeout(() => check({ aloud: true }), WAIT);
}

function showOther() {
  const isOther = form.querySelector("[name=base]:checked").value === "other";
  form.querySelector(".other-base").hidden = !isOther;
  return isOther;
}

form.addEventListener("input", ({ target }) => {
  if (target.id === "recipe-open") return;
  if (target.closest("[data-field]")) {
    changed.add(target.name);
    mark();
  }
  if (target.name === "base" && showOther() && !other.value.trim()) return; // nothing to ask about yet
  checkSoon();
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (start.getAttribute("aria-disabled")) return;
  const wrong = form.querySelector("input:invalid");
  if (wrong) {
    document.getElementById("advanced").open = true;
    wrong.reportValidity();
    return;
  }
  start.setAttribute("aria-disabled", "true");
  announce(words("train_starting"));
  try {
    const { url } = await call("POST", `${home}/runs`, choices());
    location.href = url;
  } catch (error) {
    start.removeAttribute("aria-disabled");
    if (error.text === undefined) throw error;
    refuse(error);
    alarm(error.text);
  }
});

document.getElementById("use-alternative").addEventListener("click", () => {
  for (const [name, value] of Object.entries(offered)) choose(name, value);
  showOther();
  start.focus(); // the button that was pressed goes away
  check({ aloud: true });
});

function choose(name, value) {
  if (name === "base_model") {
    const radio = form.querySelector(`[name=base][value="${CSS.escape(value)}"]`) ?? form.querySelector("[value=other]");
    radio.checked = true;
    if (radio.value === "other") other.value = value;
    changed.delete(name);
    return;
  }
  const input = fields().find((field) => field.name === name);
  if (input.type === "checkbox") input.checked = value;
  else input.value = value ?? "";
  changed.add(name);
}

document.getElementById("reset").addEventListener("click", () => {
  changed.clear();
  check({ aloud: true });
});

document.getElementById("recipe-save").addEventListener("click", async () => {
  try {
    const { name, text } = await call("POST", `${home}/train/recipe`, choices());
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/yaml" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } catch (error) {
    if (error.text === undefined) throw error;
    alarm(error.text);
  }
});

document.getElementById("recipe-open").addEventListener("change", async ({ target }) => {
  const [file] = target.files;
  if (!file) return;
  try {
    const { settings } = await call("POST", `${home}/train/recipe/read`, { name: file.name, text: await file.text() });
    for (const [name, value] of Object.entries(settings)) choose(name, value);
    showOther();
    announce(words("train_recipe_opened", { name: file.name }));
    await check({ aloud: false });
  } catch (error) {
    if (error.text === undefined) throw error;
    refuse(error);
    alarm(error.text);
  } finally {
    target.value = ""; // the same file, corrected, may be chosen again
  }
});

showOther();
mark();
check({ aloud: false });
