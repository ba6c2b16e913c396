// Figures and findings as words, in the language of the interface.
import { interfaceLanguage, words } from "../words.js";

const tenths = new Intl.NumberFormat(interfaceLanguage, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat(interfaceLanguage, { maximumFractionDigits: 0 });

/** The values of a text about so many seconds. */
export function inSeconds(seconds) {
  return { seconds: tenths.format(seconds), n: seconds };
}

/** Minutes to a tenth while they are few: every take counts then. */
export function inMinutes(minutes) {
  return (minutes < 10 ? tenths : whole).format(minutes);
}

/** 65 -> "1:05" */
export function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

/** What may be wrong with a take and what helps, a text for each hint. */
export function hintTexts(hints) {
  return hints.map(({ kind }) => words(`hint_${kind}`));
}
