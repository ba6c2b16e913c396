// Signing in with Hugging Face: the token goes to ownvoice's memory, and never back to a page.
import { announce } from "../announce.js";
import { call } from "../api.js";
import { words } from "../words.js";
import { attempt } from "./trouble.js";

const byId = (id) => document.getElementById(id);
const problem = byId("account-problem");

/** Who is signed in, {name, places}, told to `changed` whenever that changes; name is null while nobody is. */
export class AccountPanel {
  #changed;

  constructor(changed) {
    this.#changed = changed;
    byId("sign-in").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#signIn({ token: byId("token").value.trim() });
    });
    byId("own-login").addEventListener("click", () => this.#signIn({}));
    byId("sign-out").addEventListener("click", () => attempt(problem, async () => {
      this.#show(await call("DELETE", "/account"));
      announce(words("share_signed_out"));
      byId("account-title").focus(); // the button that was pressed is gone
    }));
  }

  async start() {
    await attempt(problem, async () => {
      const account = await call("GET", "/account");
      byId("own").hidden = !account.own_login;
      this.#show(account);
    });
  }

  async #signIn(given) {
    if ("token" in given && !given.token) {
      byId("token").focus();
      return;
    }
    announce(words("share_signing_in"));
    await attempt(problem, async () => {
      const account = await call("POST", "/account", given);
      this.#show(account);
      announce(`${byId("who-name").textContent} ${byId("who-may").textContent}`);
      byId("account-title").focus();
    }, { token: "login" });
    byId("token").value = "";
  }

  #show(account) {
    const { name, places } = account;
    byId("who").hidden = name === null;
    byId("sign-in").hidden = name !== null;
    if (name !== null) {
      byId("who-name").textContent = words("share_signed_in", { name });
      byId("who-may").textContent = places.length ? words("share_may_write", { places: places.join(", ") }) : words("share_may_read");
      byId("rent").hidden = places.length === 0;
    }
    this.#changed(account);
  }
}
