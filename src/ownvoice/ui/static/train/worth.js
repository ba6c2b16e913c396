// Is it worth recording more? Starts the trainings on parts of the recordings, and shows how far they are.
import { alarm } from "../announce.js";
import { call, Unreachable } from "../api.js";
import { words } from "../words.js";
import { saySeldom } from "./seldom.js";

const EACH = 3000; // milliseconds between two looks: these trainings take minutes

const { voice, run } = JSON.parse(document.getElementById("curve-data").textContent);
const start = document.getElementById("start");
const problem = document.getElementById("problem");

/** The page as it would be now, with what changed put in its place. */
async function look() {
  const curve = document.getElementById("curve");
  const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  const now = answer?.ok ? new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("curve") : null;
  if (now !== null && now.innerHTML !== curve.innerHTML) {
    curve.replaceWith(now);
    const said = now.querySelector("#answer") ?? now.querySelector("#under-way");
    if (said) saySeldom("curve", said.textContent);
  }
  const shown = now ?? curve;
  if (Number(shown.dataset.underWay) > 0 || now === null) setTimeout(look, EACH);
  else if (start) start.hidden = false;
}

start?.addEventListener("click", async () => {
  problem.hidden = true;
  try {
    await call("POST", `/voices/${encodeURIComponent(voice)}/curve`, { run });
    start.textContent = words("curve_again");
    start.hidden = true;
    document.getElementById("content").focus();
    await look();
  } catch (error) {
    if (error.text === undefined && !(error instanceof Unreachable)) throw error;
    problem.textContent = error.text;
    problem.hidden = false;
    alarm(error.text);
  }
});

if (Number(document.getElementById("curve").dataset.underWay) > 0) setTimeout(look, EACH);
