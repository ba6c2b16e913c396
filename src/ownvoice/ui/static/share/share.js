// Sharing: sign in, choose, look, say yes once, watch, take back. The server knows how far it is, so that a reload and a
// restarted server show the same; this page asks it each second while something goes on.
import { alarm, announce } from "../announce.js";
import { call, Unreachable } from "../api.js";
import { ask } from "../pages.js";
import { saySeldom } from "../train/seldom.js";
import { interfaceLanguage, words } from "../words.js";
import { AccountPanel } from "./account.js";
import { link, showPlan, showProgress } from "./plan.js";
import { attempt, explain } from "./trouble.js";

const EACH = 1000; // milliseconds between two questions

const byId = (id) => document.getElementById(id);
const { voice, state: first } = JSON.parse(byId("share-data").textContent);
const home = `/voices/${encodeURIComponent(voice)}/publish`;
const choose = byId("choose");
let account = { name: null, places: [] };
let shown = null;
let priced = false;

const kindsChosen = () => [...choose.querySelectorAll("[name=kinds]:checked")].map(({ value }) => value);
const isPublic = () => choose.querySelector("[name=public]:checked").value === "yes";

function phase(sharing) {
  if (sharing === null) return "none";
  if (!sharing.working && ["looking", "sending"].includes(sharing.state)) return "interrupted";
  return sharing.state;
}

function show(state, { moves = false } = {}) {
  const { sharing, shared } = state;
  const now = phase(sharing);
  const before = shown === null ? null : phase(shown.sharing);
  const may = account.places.length > 0;
  choose.hidden = now !== "none" || !may;
  byId("plan").hidden = now !== "asking";
  byId("progress").hidden = ["none", "asking"].includes(now);
  if (now === "asking" && before !== "asking") showPlan(sharing);
  if (!byId("progress").hidden) showCourse(sharing, now);
  byId("agree").setAttribute("aria-disabled", String(!may));
  showShared(shared, may);
  shown = state;
  if (before !== null && before !== now) arrive(now, moves);
}

function showCourse(sharing, now) {
  byId("progress-title").textContent = words(`share_title_${now}`);
  const done = showProgress(sharing).length;
  const said = now === "looking" || now === "sending" ? sharing.said : "";
  if (byId("said").textContent !== said) byId("said").textContent = said;
  byId("trouble").hidden = now !== "failed";
  if (now === "failed") explain(byId("trouble"), sharing.trouble);
  const stopped = now === "failed" || now === "interrupted";
  byId("go-on").hidden = !stopped;
  byId("go-on").setAttribute("aria-disabled", String(account.places.length === 0));
  byId("again").hidden = !stopped || sharing.wanted.public || !sharing.wanted.kinds.includes("space");
  byId("sign-in-first").hidden = !stopped || account.places.length > 0;
  byId("done").hidden = !stopped && now !== "done";
  byId("done").textContent = words(now === "done" ? "share_again" : "share_put_aside");
  const known = shown?.sharing?.steps.filter((step) => step.url).length;
  if (known !== undefined && done > known && now === "sending") saySeldom("steps", words("share_said_steps", { done, all: sharing.steps.length }));
}

/** Say what has come; whoever pressed the button that led there goes on at its heading. */
function arrive(now, moves) {
  const title = { asking: "plan-title", none: "choose-title" }[now] ?? "progress-title";
  const text = byId(title).textContent;
  if (now === "failed") alarm(`${text}. ${[...byId("trouble").querySelectorAll(":scope > p")].map((p) => p.textContent).join(" ")}`);
  else announce(`${text}.`);
  const lost = document.activeElement === document.body || document.activeElement?.offsetParent === null;
  if (moves || lost || now === "asking") byId(title).focus();
}

function showShared(shared, may) {
  byId("shared").hidden = shared.length === 0;
  const day = new Intl.DateTimeFormat(interfaceLanguage, { dateStyle: "long" });
  const rows = shared.map(({ kind, repo, url, public: open, when }) => {
    const row = Object.assign(document.createElement("li"), { className: "card row" });
    const text = Object.assign(document.createElement("span"), { className: "told" });
    const about = [words(open ? "share_is_public" : "share_is_private"), ...(when ? [day.format(new Date(when))] : [])].join(", ");
    text.append(Object.assign(document.createElement("b"), { textContent: words(`share_kind_${kind}`) }), " ", link(url || repo), ` (${about})`);
    const button = Object.assign(document.createElement("button"), { type: "button", className: "danger", textContent: words("share_withdraw") });
    button.append(Object.assign(document.createElement("span"), { className: "unseen", textContent: ` ${repo}` }));
    button.setAttribute("aria-disabled", String(!may));
    button.addEventListener("click", () => withdraw(kind, repo, button));
    row.append(text, button);
    return row;
  });
  const key = JSON.stringify([shared, may]);
  if (byId("shared").dataset.key === key) return; // nothing new: the focus stays where it is
  byId("shared").dataset.key = key;
  byId("shared").querySelector("ul").replaceChildren(...rows);
}

async function withdraw(kind, repo, button) {
  if (button.getAttribute("aria-disabled") === "true") {
    alarm(words("share_sign_in_first"));
    return;
  }
  byId("sure-title").textContent = words("share_withdraw_sure", { repo });
  if (!await ask(byId("sure"))) return;
  announce(words("share_withdrawing"));
  await attempt(byId("shared-problem"), async () => {
    show(await call("POST", `${home}/withdraw`, { kind, repo }));
    announce(words("share_withdrawn", { repo }));
    (byId("shared").hidden ? byId("account-title") : byId("shared-title")).focus();
  });
}

function wanted() {
  const kinds = kindsChosen();
  return {
    kinds, public: isPublic(), run: kinds.some((kind) => kind !== "dataset") ? byId("run").value : byId("run")?.value ?? "",
    author: byId("author").value.trim(), licence: byId("licence").value.trim(), conditions: byId("conditions").value.trim(),
    machine: byId("machine").value, compares: byId("compares").checked,
    space_token: byId("reader").hidden ? null : byId("space_token").value.trim() || null,
  };
}

function showChoices() {
  const kinds = kindsChosen();
  byId("demo").hidden = !kinds.includes("space");
  byId("reader").hidden = !kinds.includes("space") || isPublic();
  if (kinds.includes("space") && !priced) showPrices();
}

async function showPrices() {
  priced = true;
  await attempt(byId("choose-problem"), async () => {
    const money = new Intl.NumberFormat(interfaceLanguage, { style: "currency", currency: "USD" });
    const chosen = byId("machine").value;
    byId("machine").replaceChildren(...(await call("GET", "/account/machines?purpose=spaces")).map(({ name, title, dollars_an_hour }) => {
      const price = dollars_an_hour ? words("share_machine_price", { price: money.format(dollars_an_hour) }) : words("share_machine_free");
      return new Option(`${title} (${name}): ${price}`, name, false, name === chosen);
    }));
  });
}

/** Press a button once at a time, and show what the server answers. */
async function press(button, box, request) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  await attempt(box, async () => show(await request(), { moves: true }));
  button.removeAttribute("aria-disabled");
}

choose.addEventListener("input", ({ target }) => {
  if (target.id === "kinds-space" && target.checked) byId("kinds-model").checked = true; // a demo loads it from there
  showChoices();
});

choose.addEventListener("submit", (event) => {
  event.preventDefault();
  press(event.submitter, byId("choose-problem"), () => call("POST", home, wanted()));
});

byId("agree").addEventListener("click", ({ target }) => {
  if (!byId("consent").hidden && !byId("consents").checked) {
    alarm(words("share_consent_first"));
    byId("consents").focus();
    return;
  }
  const yes = { digest: shown.sharing.digest, consents: byId("consents").checked };
  press(target, byId("plan-problem"), () => call("POST", `${home}/agree`, yes));
});

byId("go-on").addEventListener("click", ({ target }) => {
  const space_token = byId("again").hidden ? null : byId("space_token_again").value.trim() || null;
  press(target, byId("progress-problem"), () => call("POST", `${home}/go-on`, { space_token }));
});

for (const button of document.querySelectorAll("[data-do=put-aside]")) {
  button.addEventListener("click", () => press(button, byId("progress-problem"), () => call("DELETE", home)));
}

async function follow() {
  try {
    if (["looking", "sending"].includes(shown.sharing?.state)) show(await call("GET", `${home}/state`));
    byId("lost").hidden = true;
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    if (byId("lost").hidden) saySeldom("connection", error.text);
    byId("lost").hidden = false;
  } finally {
    setTimeout(follow, EACH);
  }
}

const panel = new AccountPanel((now) => {
  account = now;
  if (shown !== null) show(shown);
});
show(first);
showChoices();
panel.start();
setTimeout(follow, EACH);
