// Single keys for what is done again and again. They can be changed and be off (WCAG 2.1.4), and are never heard in a
// text field. Dictation types whole words at once: letters that tumble in are left alone, none of them acts.
import { preferences, prefer } from "./preferences.js";

export const DEFAULT_KEYS = {
  record: "r", hear: "h", next: "n", back: "b", skip: "s", aloud: "a", remove: "d", undo: "u",
};

const TUMBLING = 80; // milliseconds between letters that no finger leaves
const RESERVED = new Set(["Tab", "Enter", "Escape", " ", "Shift+Tab"]); // the page itself is worked with these
const MODIFIERS = new Set(["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "Dead", "Unidentified"]);
const TYPED_INTO = "input:not([type=radio], [type=checkbox], [type=button]), textarea, select, [contenteditable]";

/** The key of each action, as the person has it. */
export function keys() {
  return { ...DEFAULT_KEYS, ...preferences.keys };
}

/** A key press as text, such as "r" or "Alt+Shift+F2"; null for a modifier by itself. */
export function combination(event) {
  if (MODIFIERS.has(event.key)) return null;
  const letter = event.key.length === 1;
  const held = [event.ctrlKey && "Ctrl", event.altKey && "Alt", event.metaKey && "Meta"].filter(Boolean);
  if (event.shiftKey && (held.length || !letter)) held.push("Shift"); // "?" by itself is a key, whatever makes it
  return [...held, letter ? event.key.toLowerCase() : event.key].join("+");
}

/** Give `action` another key. Returns "reserved", or the action that has this key already, or null when it is done. */
export function changeKey(action, key) {
  if (RESERVED.has(key)) return "reserved";
  const taken = Object.entries(keys()).find(([other, its]) => its === key && other !== action);
  if (taken) return taken[0];
  prefer({ keys: { ...preferences.keys, [action]: key } });
  return null;
}

/** Listen for the whole page; `act(action)` does it. */
export function listen(act) {
  let last = -Infinity;
  let waiting = null;
  document.addEventListener("keydown", (event) => {
    if (!preferences.shortcuts || event.repeat || event.isComposing || event.defaultPrevented) return;
    if (event.target.closest?.(TYPED_INTO)) return;
    const key = combination(event);
    if (key === null) return;
    const tumbles = key.length === 1 && event.timeStamp - last < TUMBLING;
    if (key.length === 1) last = event.timeStamp;
    clearTimeout(waiting);
    const action = Object.keys(DEFAULT_KEYS).find((name) => keys()[name] === key);
    if (tumbles || !action) return;
    event.preventDefault();
    waiting = setTimeout(() => act(action), key.length === 1 ? TUMBLING : 0);
  });
}
