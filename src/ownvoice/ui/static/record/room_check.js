// Five seconds of room and voice, to find out before the first phrase what would spoil all of them. Nothing is kept.
import { alarm, announce } from "../announce.js";
import { call } from "../api.js";
import { words } from "../words.js";
import { setLines, setText, setUsable } from "./elements.js";

const QUIET_SECONDS = 2;
const SECONDS = 5;

export function bindRoomCheck(element, studio) {
  const button = element.querySelector("button");
  const result = element.querySelector("[data-part=result]");
  let checking = false;
  button.addEventListener("click", check);
  studio.addEventListener("change", () => setUsable(button, !checking && !studio.recording && !studio.opening));

  async function check() {
    if (checking) return;
    if (studio.recording) return announce(words("stop_first"));
    setLines(result, []);
    if (!await studio.openMicrophone()) return setLines(result, [studio.problem]);
    checking = true;
    studio.changed();
    try {
      const { rate } = studio.microphone;
      const sound = new Blob(await listen(studio.microphone, tell));
      const address = `${studio.session.address}/room-check?sample_rate=${rate}`;
      const { text_keys } = await call("POST", address, sound);
      const answer = text_keys.map((key) => words(key));
      setLines(result, answer);
      tell(words("room_done"));
      announce(answer.join(" "));
    } catch (error) {
      if (!("text" in error)) throw error;
      tell("");
      setLines(result, [error.text]);
      alarm(error.text);
    } finally {
      checking = false;
      studio.microphone.closeWhenIdle();
      studio.changed();
    }
  }

  function tell(text) {
    setText(element.querySelector("[data-part=step]"), text);
  }
}

/** The samples of the check, as blocks; says what to do meanwhile. */
function listen(microphone, tell) {
  return new Promise((resolve) => {
    const blocks = [];
    let samples = 0;
    let told = null;
    microphone.addEventListener("block", hear);
    microphone.addEventListener("close", done);

    function hear({ detail }) {
      blocks.push(detail);
      samples += detail.length;
      const seconds = samples / microphone.rate;
      const step = seconds < QUIET_SECONDS ? "room_quiet" : "room_speak";
      if (step !== told) announce(words(step));
      told = step;
      tell(`${words(step)} ${words("room_left", { n: Math.max(1, Math.ceil(SECONDS - seconds)) })}`);
      if (seconds >= SECONDS) done();
    }

    function done() {
      microphone.removeEventListener("block", hear);
      microphone.removeEventListener("close", done);
      resolve(blocks);
    }
  });
}
