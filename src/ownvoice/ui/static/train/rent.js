// Teaching on a rented machine: there for who is signed in with Hugging Face, with what it costs said before.
import { alarm, announce } from "../announce.js";
import { call } from "../api.js";
import { attempt } from "../share/trouble.js";
import { interfaceLanguage, words } from "../words.js";
import { choices } from "./setup.js";

const byId = (id) => document.getElementById(id);
const panel = byId("rent");
const hours = byId("rent-hours");
const home = location.pathname.replace(/\/$/, "");
const money = new Intl.NumberFormat(interfaceLanguage, { style: "currency", currency: "USD" });
let machines = null; // their prices, by name

function showMost() {
  const price = machines?.get(byId("rent-machine").value);
  const known = price !== undefined && hours.checkValidity();
  const values = { most: money.format(price * hours.valueAsNumber), price: money.format(price), n: hours.valueAsNumber };
  byId("rent-most").textContent = known ? words("rent_most", values) : "";
}

async function showMachines() {
  if (!panel.open || machines !== null) return;
  machines = new Map();
  await attempt(byId("rent-problem"), async () => {
    const offered = await call("GET", "/account/machines?purpose=jobs");
    machines = new Map(offered.map(({ name, dollars_an_hour }) => [name, dollars_an_hour]));
    byId("rent-machine").replaceChildren(...offered.map(({ name, title, dollars_an_hour }) =>
      new Option(`${title} (${name}): ${words("rent_price", { price: money.format(dollars_an_hour) })}`, name)));
    const card = offered.find(({ name }) => !name.startsWith("cpu-")); // the first with a graphics card
    if (card) byId("rent-machine").value = card.name;
    showMost();
  });
}

panel.addEventListener("toggle", showMachines);
panel.addEventListener("input", showMost);

byId("rent-start").addEventListener("click", async ({ target }) => {
  if (target.getAttribute("aria-disabled") === "true") return;
  const consents = byId("rent-consents");
  if (!hours.reportValidity()) return;
  if (consents && !consents.checked) {
    alarm(words("rent_consent_first"));
    consents.focus();
    return;
  }
  target.setAttribute("aria-disabled", "true");
  announce(words("rent_starting"));
  const asked = { ...choices(), machine: byId("rent-machine").value, hours: hours.valueAsNumber, consents: Boolean(consents) };
  await attempt(byId("rent-problem"), async () => { location.href = (await call("POST", `${home}/rent`, asked)).url; });
  target.removeAttribute("aria-disabled");
});

attempt(byId("rent-problem"), async () => {
  if ((await call("GET", "/account")).places.length === 0) return;
  panel.hidden = false;
  const footer = document.querySelector("footer.frame p"); // says that everything stays on this computer
  if (footer) footer.textContent = words("share_footer");
});
