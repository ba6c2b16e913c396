// How the person likes to record: every control with data-preference, the choice of a microphone, the keys.
import { announce } from "../announce.js";
import { words } from "../words.js";
import { setText } from "./elements.js";
import { microphones } from "./microphone.js";
import { prefer, preferences } from "./preferences.js";
import { changeKey, combination, DEFAULT_KEYS, keys } from "./shortcuts.js";

/** Fill in what is preferred, and keep what is changed; `changed()` is told. */
export function bindPreferences(element, changed) {
  for (const control of element.querySelectorAll("[data-preference]")) {
    const name = control.dataset.preference;
    const numeric = typeof preferences[name] === "number";
    if (control.type === "checkbox") control.checked = preferences[name];
    else if (control.type === "radio") control.checked = control.value === preferences[name];
    else control.value = preferences[name];
    control.addEventListener("change", () => {
      const value = control.type === "checkbox" ? control.checked : control.value;
      prefer({ [name]: numeric ? Number(value) : value });
      changed();
    });
  }
}

/** Keep the list of microphones true. */
export function bindMicrophones(select, microphone) {
  async function fill() {
    const found = await microphones();
    const options = [["", words("microphone_any")], ...found.map(({ id, label }) => [id, label])];
    // Chosen once and not plugged in today: said rather than swapped for another.
    const chosen = preferences.microphone;
    if (!options.some(([id]) => id === chosen)) options.push([chosen, words("microphone_absent")]);
    select.replaceChildren(...options.map(([id, label]) => new Option(label, id, false, id === chosen)));
  }
  fill();
  microphone.addEventListener("open", fill);
  navigator.mediaDevices?.addEventListener("devicechange", fill);
  select.addEventListener("change", () => prefer({ microphone: select.value }));
}

/** The table of keys: each can be changed; all can be set back. `changed()` is told. */
export function bindShortcuts(element, changed) {
  const rows = new Map();
  const template = element.querySelector("template");
  for (const action of Object.keys(DEFAULT_KEYS)) {
    const row = template.content.firstElementChild.cloneNode(true);
    row.querySelector("[data-part=action]").textContent = words(`key_${action}`);
    const button = row.querySelector("button");
    button.textContent = words("change_key", { action: words(`key_${action}`) });
    button.addEventListener("click", () => listenFor(action, button));
    rows.set(action, row);
  }
  element.querySelector("tbody").append(...rows.values());
  element.querySelector("[data-part=reset-keys]").addEventListener("click", () => {
    prefer({ keys: {} });
    draw();
    say(words("keys_reset"));
  });
  draw();

  function draw() {
    for (const [action, row] of rows) setText(row.querySelector("kbd"), keyName(keys()[action]));
    changed();
  }

  function say(text) {
    setText(element.querySelector("[data-part=key-message]"), text);
    announce(text);
  }

  function listenFor(action, button) {
    say(words("press_key", { action: words(`key_${action}`) }));
    button.addEventListener("keydown", heard);
    button.addEventListener("blur", leave);

    function heard(event) {
      const key = combination(event);
      if (key === null) return;
      if (key === "Tab" || key === "Shift+Tab") return; // always leads away
      event.preventDefault();
      leave();
      if (key === "Escape") return say(words("key_kept", { key: keyName(keys()[action]) }));
      const trouble = changeKey(action, key);
      if (trouble === "reserved") return say(words("key_reserved", { key: keyName(key) }));
      if (trouble) return say(words("key_taken", { key: keyName(key), action: words(`key_${trouble}`) }));
      draw();
      say(words("key_changed", { action: words(`key_${action}`), key: keyName(key) }));
    }

    function leave() {
      button.removeEventListener("keydown", heard);
      button.removeEventListener("blur", leave);
    }
  }
}

/** How a key is written on a button: "r" -> "R", "Alt+n" -> "Alt+N". */
export function keyName(key) {
  return key.replace(/(?<=^|\+)\S$/, (letter) => letter.toUpperCase());
}
