// The settings of one voice: what was changed here is saved, and no more, as another page may have changed the rest
// (consent above all, given or taken back); deleting the voice asks first, and can be undone on the start page.
import { alarm, announce } from "./announce.js";
import { call } from "./api.js";
import { ask } from "./pages.js";
import { words } from "./words.js";

const form = document.getElementById("settings");
const refused = document.getElementById("refused");
const saved = document.getElementById("saved");
const { address } = form.dataset;
let known = document.getElementById("unreadable") ? {} : JSON.parse(form.dataset.known);

function refuse(error) {
  refused.textContent = error.text;
  refused.hidden = false;
  alarm(error.text);
}

form.addEventListener("input", () => { saved.textContent = ""; });

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { language, style, consent } = form.elements;
  const here = { language: language.value || null, transcript_style: style.value, consent: consent.value.trim() };
  const changed = Object.entries(here).filter(([name, value]) => value !== known[name]);
  refused.hidden = true;
  try {
    known = await call("POST", `${address}/settings`, Object.fromEntries(changed));
    language.value = known.language ?? "";
    style.value = known.transcript_style;
    consent.value = known.consent;
    document.getElementById("unreadable")?.remove();
    saved.textContent = words("settings_saved");
    announce(words("settings_saved"));
  } catch (error) {
    refuse(error);
  }
});

document.getElementById("delete").addEventListener("click", async () => {
  if (!await ask(document.getElementById("sure"))) return;
  try {
    const { key } = await call("DELETE", address);
    location.assign(`/?deleted=${encodeURIComponent(key)}`);
  } catch (error) {
    refuse(error);
  }
});
