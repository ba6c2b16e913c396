// The page's texts, as words/catalog.py chose them: words("saved", {seconds: 3}). A text by number needs {n}.
const { language, entries } = JSON.parse(document.getElementById("words").textContent);

export const interfaceLanguage = language;

/** Whether there is a text for `key`: kinds that a server may add have none yet. */
export function isWritten(key) {
  return key in entries;
}

export function words(key, values = {}) {
  let entry = entries[key];
  if (entry === undefined) throw new Error(`no text is written for "${key}"`);
  if (typeof entry !== "string") entry = isOne(values.n) ? entry.one : entry.other;
  return entry.replace(/\{(\w+)\}/g, (_, name) => {
    if (!(name in values)) throw new Error(`the text "${key}" needs "${name}"`);
    return values[name];
  });
}

function isOne(number) {
  return number === 1 || (language === "fr" && number >= 0 && number < 2);
}
