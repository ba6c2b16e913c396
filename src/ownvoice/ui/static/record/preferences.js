// How one person likes to record, kept in this browser. Never phrases, never sound.
const KEY = "ownvoice.record";

const DEFAULTS = {
  view: "single",
  microphone: "", // the browser's own choice
  echo: false, noise: false, gain: false, // each alters the voice that is to be learned
  advance: false,
  silence: 0, // seconds of silence that end a take; 0 is never
  breaks: true,
  shortcuts: true,
  keys: {},
};

export const preferences = { ...DEFAULTS, ...stored() };

/** Change some preferences and keep them. */
export function prefer(changes) {
  Object.assign(preferences, changes);
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    // A browser that keeps nothing (a private window) still does as asked until the page is closed.
  }
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch (error) {
    if (error instanceof DOMException || error instanceof SyntaxError) return {};
    throw error;
  }
}
