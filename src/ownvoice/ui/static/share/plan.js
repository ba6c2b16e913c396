// A plan before the yes, and how far each part of it is afterwards. Draws what it is handed, and decides nothing.
import { bytes } from "../train/duration.js";
import { interfaceLanguage, words } from "../words.js";

const byId = (id) => document.getElementById(id);

function items(list, texts) {
  list.replaceChildren(...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  list.hidden = texts.length === 0;
}

function dollars(amount) {
  return new Intl.NumberFormat(interfaceLanguage, { style: "currency", currency: "USD" }).format(amount);
}

/** What a step holds, in the person's language; the library's own sentences stand behind "exactly". */
function contents(step) {
  const texts = { dataset: words("share_holds_dataset", { n: step.recordings }), model: words("share_holds_model"), space: words("share_holds_space") };
  const told = [texts[step.kind], words("share_holds_size", { size: bytes(step.size) })];
  if (step.dollars_an_hour > 0) told.push(words("share_costs", { price: dollars(step.dollars_an_hour) }));
  return told;
}

/** Show the plan of `sharing`: what will be made, where, who can read it, and what the speaker must agree to. */
export function showPlan(sharing) {
  const open = sharing.wanted.public;
  byId("plan-title").textContent = words(open ? "share_plan_public" : "share_plan_private");
  byId("plan-lead").textContent = words(open ? "share_plan_public_lead" : "share_plan_private_lead", { name: sharing.owner });
  byId("plan-changed").hidden = !sharing.has_changed;
  byId("plan-steps").replaceChildren(...sharing.steps.map((step) => {
    const part = byId("step").content.cloneNode(true);
    part.querySelector("h3").textContent = words("share_step", { what: words(`share_kind_${step.kind}`), repo: step.repo });
    part.querySelector(".readers").textContent = words(open ? "share_readers_public" : "share_readers_private");
    part.querySelector("article").classList.toggle("open", open);
    part.querySelector("details").open = open; // what becomes public is not to be looked for
    items(part.querySelector(".contains"), contents(step));
    items(part.querySelector(".notes"), step.notes);
    items(part.querySelector(".told"), step.contains);
    items(part.querySelector(".files"), step.listing);
    return part;
  }));
  const asked = sharing.steps.find((step) => step.consent);
  byId("consent").hidden = !asked;
  if (asked) {
    const known = asked.consent_kind !== "own";
    byId("consent-text").textContent = known ? words(`share_consent_${asked.consent_kind}`) : asked.consent;
    byId("consent-kept").hidden = !known;
    byId("consent-original").textContent = asked.consent;
  }
  byId("agree").textContent = words(open ? "share_agree_public" : "share_agree");
}

function standing(step, sharing, isNow) {
  if (step.url) return words("share_step_done");
  if (!isNow) return words("share_step_waits");
  if (sharing.state === "failed" || !sharing.working) return words("share_step_stopped");
  if (step.kind === "space" && step.to_send !== null && step.sent >= step.to_send) return words("share_step_builds");
  if (step.to_send) return words("share_step_sends", { sent: bytes(step.sent), all: bytes(step.to_send) });
  return words("share_step_begins");
}

/** Show how far each step is; returns the steps that are done. */
export function showProgress(sharing) {
  const now = sharing.steps.findIndex((step) => !step.url);
  const list = byId("progress-steps");
  const rows = sharing.steps.map((step, place) => {
    const row = list.children[place] ?? document.createElement("li");
    if (!row.firstChild) {
      row.append(Object.assign(document.createElement("b"), { className: "what" }), " ", document.createElement("span"));
    }
    row.querySelector("b").textContent = words("share_step", { what: words(`share_kind_${step.kind}`), repo: step.repo });
    const text = standing(step, sharing, place === now);
    if (row.querySelector("span").textContent !== text) row.querySelector("span").textContent = text;
    if (step.url && !row.querySelector("a")) row.append(" ", link(step.url));
    return row;
  });
  if (list.children.length !== rows.length) list.replaceChildren(...rows);
  return sharing.steps.filter((step) => step.url);
}

export function link(url) {
  return Object.assign(document.createElement("a"), { href: url, target: "_blank", rel: "noopener noreferrer", textContent: url });
}
