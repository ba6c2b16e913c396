// Spans of time and amounts of memory as people say them.
import { interfaceLanguage, words } from "../words.js";

const UNITS = [["days", 86400], ["hours", 3600], ["minutes", 60], ["seconds", 1]];

/** 95 is "2 minutes", 40 is "40 seconds"; no more exact than anybody can know. */
export function spoken(seconds) {
  const [unit, size] = UNITS.find(([, length]) => seconds >= 1.5 * length) ?? UNITS.at(-1);
  const n = Math.max(1, Math.round(seconds / size));
  return words(unit, { n });
}

/** 9400000000 is "9.4 GB". */
export function bytes(count) {
  const [unit, size] = count >= 1e9 ? ["gigabyte", 1e9] : ["megabyte", 1e6];
  const digits = count / size >= 10 ? 0 : 1;
  const form = new Intl.NumberFormat(interfaceLanguage, { style: "unit", unit, maximumFractionDigits: digits });
  return form.format(count / size);
}

/** 0.046 is "4.6%", 0.46 is "46%"; as evaluation/report.py writes rates. */
export function percent(rate) {
  const points = 100 * rate;
  const form = new Intl.NumberFormat(interfaceLanguage, { maximumFractionDigits: points >= 9.95 ? 0 : 1 });
  return `${form.format(points)}%`;
}
