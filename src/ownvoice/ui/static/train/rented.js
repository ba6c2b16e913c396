// The rented machine of a training: what it costs, and going on to follow it after this computer was switched off.
import { alarm, announce } from "../announce.js";
import { call } from "../api.js";
import { interfaceLanguage, words } from "../words.js";

const byId = (id) => document.getElementById(id);
const money = new Intl.NumberFormat(interfaceLanguage, { style: "currency", currency: "USD" });
const LOST = 3; // looks in a row without anybody who follows: a process that was just started needs a moment

let unfollowed = 0;

/** Show what `state` says of its machine; nothing for a training on this computer. */
export function showRented({ remote }) {
  byId("rented").hidden = remote === null;
  if (remote === null) return;
  const { machine, dollars_an_hour: price, seconds } = remote;
  const values = { machine, price: money.format(price), most: money.format(price * seconds / 3600) };
  const text = words(remote.is_over ? "rent_over" : "rent_run", values);
  if (byId("rented-what").textContent !== text) byId("rented-what").textContent = text;
  unfollowed = remote.is_over || remote.is_followed ? 0 : unfollowed + 1;
  const lost = unfollowed >= LOST;
  if (lost && byId("rented-lost").hidden) announce(words("rent_lost"));
  byId("rented-lost").hidden = !lost;
}

byId("attend").addEventListener("click", async () => {
  try {
    await call("POST", `${location.pathname}/attend`);
    unfollowed = -10; // looks until its process is expected to follow
    byId("rented-lost").hidden = true;
    announce(words("rent_attending"));
    byId("title").focus(); // the button that was pressed is gone
  } catch (error) {
    if (error.text === undefined) throw error;
    alarm(error.text);
  }
});
