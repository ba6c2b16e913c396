// The start page: makes a voice and goes on to it; brings deleted voices back or deletes them for good.
import { alarm, announce } from "./announce.js";
import { call } from "./api.js";
import { ask, showDays } from "./pages.js";
import { words } from "./words.js";

const form = document.getElementById("new-voice");
const refused = document.getElementById("refused");

showDays();

function showChosen() {
  const language = form.elements.language.selectedOptions[0].textContent;
  const style = words(`style_short_${form.elements.style.value}`);
  document.getElementById("chosen").textContent = words("new_summary", { name: form.elements.name.value, language, style });
}
form.addEventListener("input", showChosen);
showChosen();

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { name, language, style } = form.elements;
  const voice = { name: name.value.trim(), language: language.value || null, transcript_style: style.value, consent: "" };
  refused.hidden = true;
  try {
    const { voice: made } = await call("POST", "/voices", voice);
    location.assign(`/voices/${encodeURIComponent(made)}/${event.submitter?.value ?? "record"}`);
  } catch (error) {
    refused.textContent = error.text;
    refused.hidden = false;
    alarm(error.text);
    form.querySelector("details").open = true;
    name.focus();
  }
});

for (const button of document.querySelectorAll("[data-part=restore]")) {
  button.addEventListener("click", async () => {
    const { key } = button.closest("[data-key]").dataset;
    try {
      await call("POST", `/trash/${encodeURIComponent(key)}/restore`);
      location.assign("/");
    } catch (error) {
      alarm(error.text);
    }
  });
}

for (const button of document.querySelectorAll("[data-part=purge]")) {
  button.addEventListener("click", async () => {
    const row = button.closest("[data-key]");
    document.getElementById("purge-ask").textContent = words("purge_ask", { voice: row.dataset.name });
    if (!await ask(document.getElementById("purge"))) return;
    try {
      await call("DELETE", `/trash/${encodeURIComponent(row.dataset.key)}`);
      row.remove();
      announce(words("purged", { voice: row.dataset.name }));
      document.querySelector("#trash summary").focus();
    } catch (error) {
      alarm(error.text);
    }
  });
}
