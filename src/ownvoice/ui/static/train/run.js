// A training as it goes on: asks the server every second how it stands, and shows it. Nothing is kept here that the
// server does not know, so a reload, a second device and a restarted server show the same.
import { alarm, announce } from "../announce.js";
import { call, Unreachable } from "../api.js";
import { ask } from "../pages.js";
import { words } from "../words.js";
import { drawCurve } from "./curve.js";
import { percent, spoken } from "./duration.js";
import { flat } from "./flat.js";
import { offerMine } from "./mine.js";
import { showRented } from "./rented.js";
import { saySeldom } from "./seldom.js";

const EACH = 1000; // milliseconds between two questions: with the way there and back, under two seconds
const SAID_PARTS = 4; // progress is said aloud at each quarter of the steps
const STAGES = ["queued", "check", "load", "prepare", "train", "evaluate"];

const byId = (id) => document.getElementById(id);
const home = location.pathname;
const voiceHome = home.replace(/\/runs\/[^/]*$/, "");
const losses = [];
let shown = null; // the state on the page
let cursor = "";
let lost = false;

/** Put a text in place; an element that has it already is left alone, so that nothing is read out again. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Which of the texts of a state fit. A run that compares is "running" to the server. */
function phase(state) {
  if (state.state === "running" && state.stage === "evaluate") return "evaluating";
  return state.state;
}

function lead(state) {
  if (state.asked === "pause") return words("run_lead_pausing");
  const now = phase(state);
  if (now === "queued") return state.position ? words("run_lead_queued", { n: state.position }) : words("run_lead_next");
  if (now === "cancelled" && !state.has_model) return words("run_lead_cancelled_empty");
  return words(`run_lead_${now}`);
}

function showStages(state) {
  const at = STAGES.indexOf(state.stage ?? "queued");
  for (const item of byId("stages").children) {
    const place = STAGES.indexOf(item.dataset.stage);
    const is = state.state === "finished" || place < at ? "done" : place === at ? "now" : "later";
    if (item.dataset.is === is) continue;
    item.dataset.is = is;
    item.toggleAttribute("aria-current", is === "now");
    if (is === "now") item.setAttribute("aria-current", "step");
    write(item.querySelector(".stage-state"), is === "later" ? "" : ` (${words(`run_stage_${is}`)})`);
  }
}

function showProgress(state) {
  const bar = byId("bar");
  const known = Boolean(state.total) && state.stage !== null;
  byId("progress").hidden = state.stage === null || state.state === "finished";
  if (known) [bar.max, bar.value] = [state.total, state.done];
  else if (state.is_over) bar.value = 0;
  else bar.removeAttribute("value");
  const amount = state.stage === "train" ? words("run_step", { step: state.done, steps: state.total })
    : known ? words("run_of_total", { done: state.done, total: state.total }) : "";
  write(byId("step"), amount);
  const left = state.state === "running" && state.stage === "train" && state.remaining !== null;
  write(byId("left"), left ? words("run_left", { time: spoken(state.remaining) }) : "");
  write(byId("best"), state.best_wer === null ? "" : words("run_best", { rate: percent(state.best_wer) }));
}

function showFailure(state) {
  const { failure } = state;
  byId("failure").hidden = failure === null;
  if (failure === null) return;
  write(byId("failure-message"), failure.message);
  write(byId("failure-next"), failure.next_step);
  const changes = Object.entries(flat(failure.changes)).map(([name, value]) => `${name} = ${value}`).join(", ");
  byId("failure-change").hidden = !changes;
  write(byId("failure-change"), words("run_failed_change", { what: changes }));
  byId("failure-recording").hidden = !failure.utterance;
}

function showButtons(state) {
  const focused = document.activeElement;
  const working = !state.is_over;
  const changes = state.failure !== null && Object.keys(state.failure.changes).length > 0;
  const visible = {
    retry: changes && state.remote === null,
    resume: state.can_resume && state.state !== "finished" && state.failure?.action !== "retry",
    evaluate: state.is_over && state.has_model && !state.has_result && ["cancelled", "paused", "finished"].includes(state.state),
    pause: working && state.state !== "cancelling" && state.remote === null, // a rented machine that waits costs
  };
  for (const [name, is] of Object.entries(visible)) document.querySelector(`#buttons [data-do=${name}]`).hidden = !is;
  byId("cancel").hidden = !working;
  if (!working) byId("sure").close("no"); // it ended meanwhile
  // What was asked for takes seconds; until then the buttons stay where they are, and the focus on them.
  for (const button of document.querySelectorAll("#buttons button")) {
    button.setAttribute("aria-disabled", String(working && state.asked !== null));
  }
  byId("other-settings").hidden = !state.is_over || state.state === "finished";
  // Whoever just pressed a button that went away goes on at the one that took its place.
  if (focused?.closest("#buttons") && focused.offsetParent === null) {
    (document.querySelector("#buttons > :not([hidden])") ?? byId("title")).focus();
  }
}

function showCurves(state) {
  const { looks, steps } = state;
  byId("no-figures").hidden = looks.length > 0 || losses.length > 0;
  byId("curves").hidden = !byId("no-figures").hidden;
  byId("figures").hidden = looks.length === 0;
  byId("wer-curve").hidden = looks.length === 0;
  if (losses.length > 0) {
    const [first, last] = [losses[0][1], losses.at(-1)[1]].map((loss) => loss.toFixed(2));
    const summary = words("run_chart_loss_summary", { first, last });
    drawCurve(byId("loss-curve"), losses, { summary, label: (loss) => String(+loss.toPrecision(3)), to: steps });
  }
  if (looks.length === 0) return;
  const best = looks.find(({ step }) => step === state.best_step);
  const summary = words("run_chart_summary", {
    n: looks.length, first: percent(looks[0].dev_wer), last: percent(looks.at(-1).dev_wer),
    best: percent(best.dev_wer), step: best.step,
  });
  const points = looks.map(({ step, dev_wer }) => [step, dev_wer]);
  drawCurve(byId("wer-curve"), points, { summary, label: percent, dots: true, to: steps });
  const lossAt = new Map(losses);
  byId("figures").querySelector("tbody").replaceChildren(...looks.map((look) => {
    const row = document.createElement("tr");
    row.append(Object.assign(document.createElement("th"), { scope: "row", textContent: look.step }));
    const wer = percent(look.dev_wer) + (look.step === state.best_step ? ` (${words("run_best_mark")})` : "");
    for (const text of [wer, percent(look.dev_cer), (lossAt.get(look.step) ?? look.dev_loss).toFixed(3)]) {
      row.append(Object.assign(document.createElement("td"), { textContent: text }));
    }
    return row;
  }));
}

function showLists(state) {
  byId("notices").hidden = state.notices.length === 0;
  const list = byId("notices").querySelector("ul");
  if (list.children.length !== state.notices.length) {
    list.replaceChildren(...state.notices.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  }
  byId("queue").hidden = state.queue.length === 0;
  byId("queue").querySelector("ol").replaceChildren(...state.queue.map(({ url, date, voice }) => {
    const link = Object.assign(document.createElement("a"), { href: url, textContent: words("training_of", { date }) });
    const item = document.createElement("li");
    item.append(link, ` ${voice}`);
    return item;
  }));
}

async function showResult() {
  const answer = await fetch(`${home}/results`);
  if (!answer.ok) return;
  const parts = document.createElement("template");
  parts.innerHTML = await answer.text();
  for (const part of parts.content.children) byId(part.id).replaceChildren(...part.childNodes);
  const headline = byId("results").querySelector(".headline").textContent.trim();
  saySeldom("state", words("run_result_ready", { headline }));
}

/** Say what changed by itself since `before`. */
function tell(before, state) {
  const isTold = state.state === "finished" && state.evaluated !== null; // by its result
  if (phase(before) !== phase(state) && !isTold) {
    const failed = state.failure === null ? "" : ` ${state.failure.message}. ${state.failure.next_step}`;
    saySeldom("state", `${words(`run_title_${phase(state)}`)}.${failed}`);
  }
  const quarter = ({ stage, done, total }) => (stage === "train" && total ? Math.floor(SAID_PARTS * done / total) : 0);
  if (quarter(state) > quarter(before) && state.remaining && !state.is_over) {
    const part = percent(quarter(state) / SAID_PARTS);
    saySeldom("progress", words("run_said_progress", { percent: part, time: spoken(state.remaining) }));
  }
  if (state.best_wer !== before.best_wer) saySeldom("best", words("run_said_best", { rate: percent(state.best_wer) }));
}

function show(state) {
  if (state.rewritten) losses.length = 0;
  losses.push(...state.losses);
  cursor = state.cursor;
  write(byId("title"), words(`run_title_${phase(state)}`));
  write(byId("lead"), lead(state));
  byId("stages").hidden = state.state === "finished";
  byId("work").hidden = state.state === "finished" && state.has_result && state.queue.length === 0;
  showStages(state);
  showProgress(state);
  showFailure(state);
  showButtons(state);
  showRented(state);
  if (shown === null || state.losses.length > 0 || state.looks.length !== shown.looks.length) showCurves(state);
  showLists(state);
  if (shown !== null) tell(shown, state);
  if (state.evaluated !== null && shown !== null && shown.evaluated === null) showResult();
  shown = state;
}

async function follow() {
  try {
    const state = await call("GET", `${home}/state?after=${encodeURIComponent(cursor)}`);
    if (lost) saySeldom("connection", words("run_back"));
    lost = false;
    show(state);
    if (byId("log").open) await showLog();
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    if (!lost) saySeldom("connection", words("run_lost"));
    lost = true;
  } finally {
    byId("lost").hidden = !lost;
    setTimeout(follow, EACH);
  }
}

async function showLog() {
  const text = await (await fetch(`${home}/log`)).text();
  write(byId("log").querySelector("pre"), text || words("run_log_empty"));
}

async function act(name) {
  const body = name === "retry" ? { changes: shown.failure.changes } : undefined;
  try {
    const answer = await call("POST", `${home}/${name}`, body);
    if (answer.url) location.href = answer.url;
    else show({ ...shown, ...answer, losses: [], rewritten: false });
  } catch (error) {
    if (error.text === undefined) throw error;
    alarm(error.text);
  }
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("button[data-do]");
  if (button && button.getAttribute("aria-disabled") !== "true") act(button.dataset.do);
});

byId("cancel").addEventListener("click", async ({ target }) => {
  if (target.getAttribute("aria-disabled") !== "true" && await ask(byId("sure"))) act("cancel");
});

byId("log").addEventListener("toggle", () => { if (byId("log").open) showLog(); });

byId("track")?.addEventListener("click", async () => {
  if (byId("track").getAttribute("aria-disabled") === "true") return;
  byId("track").setAttribute("aria-disabled", "true");
  announce(words("run_track_opening"));
  try {
    const { url } = await call("POST", `${voiceHome}/track`);
    byId("tracked").href = url;
    byId("tracked").hidden = false;
    byId("tracked").focus();
    byId("track").hidden = true;
  } catch (error) {
    if (error.text === undefined) throw error;
    byId("track").removeAttribute("aria-disabled");
    alarm(error.text);
  }
});

offerMine(voiceHome);
show(JSON.parse(byId("run-state").textContent));
setTimeout(follow, EACH);
