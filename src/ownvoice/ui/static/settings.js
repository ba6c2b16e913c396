// The settings of one voice: saved as a whole; deleting the voice asks first, and can be undone on the start page.
import { alarm, announce } from "./announce.js";
import { call } from "./api.js";
import { ask } from "./pages.js";
import { words } from "./words.js";

const form = document.getElementById("settings");
const refused = document.getElementById("refused");
const saved = document.getElementById("saved");
const { address } = form.dataset;

function refuse(error) {
  refused.textContent = error.text;
  refused.hidden = false;
  alarm(error.text);
}

form.addEventListener("input", () => { saved.textContent = ""; });

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { language, style, consent } = form.elements;
  refused.hidden = true;
  try {
    await call("POST", `${address}/settings`, {
      language: language.value || null, transcript_style: style.value, consent: consent.value.trim(),
    });
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
