// The buttons that make a model the person's own, wherever a page has one.
import { alarm, announce } from "../announce.js";
import { call } from "../api.js";
import { words } from "../words.js";

/** `home` is the voice's address. A button names the run in `data-mine`. */
export function offerMine(home) {
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("button[data-mine]");
    if (!button) return;
    try {
      await call("POST", `${home}/models/${encodeURIComponent(button.dataset.mine)}/mine`);
      button.textContent = words("models_is_mine");
      button.setAttribute("aria-disabled", "true");
      announce(words("models_is_mine"));
    } catch (error) {
      if (error.text === undefined) throw error;
      alarm(error.text);
    }
  });
}
