// Trying a model: a recording that both models hear, which can be corrected and kept; and dictation.
import { alarm, announce } from "../announce.js";
import { call } from "../api.js";
import { Microphone, MicrophoneProblem } from "../record/microphone.js";
import { preferences } from "../record/preferences.js";
import { Uplink } from "../record/uplink.js";
import { decoded, joined, wavOf } from "../sound.js";
import { words } from "../words.js";
import { offerMine } from "../train/mine.js";
import { Dictation } from "./dictation.js";
import { Topic } from "./topic.js";

const MAX_MINUTES = 4; // one request's bytes
const EACH = 1000; // milliseconds between two questions whether the model is open

const { voice, run, prompts } = JSON.parse(document.getElementById("try-data").textContent);
const home = `/voices/${encodeURIComponent(voice)}`;
const here = `${home}/try/${encodeURIComponent(run)}`;
const byId = (id) => document.getElementById(id);
const microphone = new Microphone();
const topic = new Topic(prompts);

let ready = false;
let recording = null; // {blocks, rate, answer}, while one is made
let clip = null; // {samples, rate} of the last one, until it is saved
let answer = null; // its uplink, where it answers a question: it has been on its way since it began, and waits for words
let draft = ""; // what the tuned model wrote for it
let hearings = 0; // what a model wrote of an earlier clip comes too late
let dictation = null;
let cleared = null; // the text that was there before "Clear", until something else is
let loose = false; // whether there is dictated text that was copied nowhere

function fail(text) {
  byId("problem").textContent = text;
  byId("problem").hidden = false;
  alarm(text);
}

/** Run `action`; what is told in words when it fails is shown. */
async function attempt(action) {
  byId("problem").hidden = true;
  try {
    return await action();
  } catch (error) {
    if (error instanceof MicrophoneProblem) fail(words(`microphone_${error.kind}`));
    else if (error.text !== undefined) fail(error.text);
    else throw error;
  }
}

function setUsable(usable) {
  for (const id of ["record", "dictate"]) byId(id).setAttribute("aria-disabled", String(!usable));
  byId("file").disabled = !usable;
}

/** Have the models opened ("POST"), or see how far that is ("GET"). */
async function open(method) {
  byId("open-again").hidden = true;
  const answer = await attempt(() => call(method, `${here}/open`));
  ready = answer?.state === "ready";
  setUsable(ready);
  if (ready) {
    byId("readiness").textContent = words("try_ready");
    announce(words("try_ready"));
  } else if (answer?.state === "opening") {
    setTimeout(open, EACH, "GET");
  } else {
    byId("readiness").textContent = `${words("try_failed")} ${answer?.reason ?? ""}`;
    byId("open-again").hidden = false;
    alarm(byId("readiness").textContent);
  }
}

async function openMicrophone() {
  const { microphone: device, echo, noise, gain } = preferences;
  await microphone.open({ microphone: device, echo, noise, gain });
}

/** The label says what pressing does, so the state is not told a second time. */
function press(button, isOn, label) {
  button.toggleAttribute("data-on", isOn);
  button.textContent = label;
}

async function startRecording() {
  await openMicrophone();
  leaveAnswer();
  recording = { blocks: [...microphone.recent], rate: microphone.rate, answer: null };
  if (topic.asked !== null) {
    recording.answer = newUplink(recording.rate, { text: "", prompt: topic.asked });
    for (const block of recording.blocks) recording.answer.push(block);
  }
  press(byId("record"), true, words("try_stop"));
  announce(words("recording"));
}

async function stopRecording() {
  const { blocks, rate } = recording;
  ({ answer } = recording);
  answer?.hurry();
  recording = null;
  press(byId("record"), false, words("try_record"));
  byId("clock").textContent = "";
  clip = { samples: joined(blocks), rate };
  microphone.closeWhenIdle();
  await hearClip();
}

/** Both models hear the clip; the tuned one first, since it is the one that is waited for. */
async function hearClip() {
  byId("heard").hidden = false;
  byId("added").textContent = "";
  byId("said").value = "";
  draft = "";
  const hearing = ++hearings;
  for (const which of ["base", "tuned"]) byId(`${which}-text`).textContent = words("try_hearing");
  announce(words("try_hearing"));
  const wav = await wavOf(clip);
  for (const which of ["tuned", "base"]) {
    const { text } = await call("POST", `${here}/hear?model=${which}`, wav);
    if (hearing !== hearings) return;
    byId(`${which}-text`).textContent = text || words("try_nothing");
    if (which !== "tuned") continue;
    draft = text;
    byId("said").value ||= text;
    announce(words("try_heard", { text: text || words("try_nothing") }));
  }
}

function newUplink(rate, known) {
  const uplink = new Uplink(home, { phrase_id: null, language: null, sample_rate: rate, replaces: null, ...known });
  uplink.addEventListener("trouble", () => {
    if (uplink.trouble) fail(uplink.trouble.text);
    else byId("problem").hidden = true;
    if (uplink.trouble?.kind !== "refused" || uplink.take !== null) return;
    uplink.giveUp(); // nothing of it is there yet; an answer is then sent as any other clip when it is added
    if (answer === uplink) answer = null;
    if (recording?.answer === uplink) recording.answer = null;
  });
  return uplink;
}

/** An answer that nobody adds stays with the server, among the recordings that were not finished. */
function leaveAnswer() {
  answer?.giveUp();
  answer = null;
}

function uplinkOfClip(text) {
  const uplink = newUplink(clip.rate, { text });
  for (let at = 0; at < clip.samples.length; at += clip.rate) uplink.push(clip.samples.subarray(at, at + clip.rate));
  return uplink;
}

async function addClip() {
  if (clip === null) {
    announce(words("try_added"));
    return;
  }
  const text = byId("said").value.trim();
  if (!text) {
    fail(words("try_empty"));
    byId("said").focus();
    return;
  }
  byId("added").textContent = words("try_adding");
  const added = clip;
  const isAnswer = answer !== null;
  const uplink = answer ?? uplinkOfClip(text);
  answer = null; // it is on its way, whatever is recorded next
  sending = uplink;
  uplink.end({ text, draft });
  if (await uplink.saved === null) {
    byId("added").textContent = "";
    return;
  }
  byId("problem").hidden = true;
  byId("added").textContent = words("try_added");
  if (clip === added) clip = null;
  if (isAnswer) topic.next();
  announce(isAnswer ? `${words("try_added")} ${topic.text}` : words("try_added"));
}

microphone.addEventListener("block", ({ detail: block }) => {
  dictation?.hear(block);
  if (recording === null) return;
  recording.blocks.push(block);
  recording.answer?.push(block);
  const seconds = recording.blocks.length * block.length / recording.rate;
  const shown = words("try_recording", { seconds: Math.floor(seconds) });
  if (byId("clock").textContent !== shown) byId("clock").textContent = shown;
  if (seconds > MAX_MINUTES * 60) attempt(stopRecording);
});

microphone.addEventListener("lost", () => {
  const isUsed = recording !== null || dictation !== null;
  if (recording !== null) attempt(stopRecording);
  dictation?.stop();
  if (isUsed) fail(words("microphone_lost"));
});

byId("record").addEventListener("click", () => {
  if (!ready || dictation) return;
  attempt(recording === null ? startRecording : stopRecording);
});

byId("file").addEventListener("change", ({ target }) => attempt(async () => {
  const [file] = target.files;
  if (!file || !ready) return;
  leaveAnswer();
  try {
    clip = await decoded(file);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    fail(words("try_file_wrong"));
    return;
  }
  if (clip.samples.length > MAX_MINUTES * 60 * clip.rate) fail(words("try_file_long", { minutes: MAX_MINUTES }));
  else await hearClip();
}));

let sending = null; // the uplink of what is being added
byId("add").addEventListener("click", async () => {
  if (sending !== null) { // what the server refused is tried again, with other words perhaps
    sending.end({ text: byId("said").value.trim(), draft });
    sending.tryNow();
    return;
  }
  await attempt(addClip).finally(() => { sending = null; });
});

function showDictation(on) {
  press(byId("dictate"), on, words(on ? "try_dictation_stop" : "try_dictation_start"));
  byId("record").setAttribute("aria-disabled", String(on || !ready));
  announce(words(on ? "try_dictation_on" : "try_dictation_off"));
}

async function startDictation() {
  await openMicrophone();
  dictation = new Dictation(`${here}/dictation`, microphone.rate, {
    draft: (text) => { byId("draft").textContent = text; },
    phrase: (text) => {
      byId("draft").textContent = "";
      const { value } = byId("dictated");
      byId("dictated").value = value && !/\s$/.test(value) ? `${value} ${text}` : value + text;
      textChanged();
    },
    end: (problem) => {
      dictation = null;
      byId("draft").textContent = "";
      microphone.closeWhenIdle();
      showDictation(false);
      if (problem !== null) fail(problem || words("try_dictation_lost"));
    },
  });
  showDictation(true);
}

byId("dictate").addEventListener("click", () => {
  if (!ready || recording !== null) return;
  if (dictation === null) attempt(startDictation);
  else dictation.stop();
});

/** There is another text than the one that could be brought back. */
function textChanged() {
  loose = byId("dictated").value.trim() !== "";
  cleared = null;
  byId("clear").textContent = words("try_clear");
}

byId("dictated").addEventListener("input", textChanged);

byId("clear").addEventListener("click", () => {
  const before = cleared;
  const { value } = byId("dictated");
  byId("dictated").value = before ?? "";
  textChanged();
  announce(words(before === null ? "try_cleared" : "undone"));
  if (before !== null || !value) return;
  cleared = value;
  byId("clear").textContent = words("undo");
});

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const source = byId(button.dataset.copy);
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    if (source === byId("dictated")) loose = false;
    announce(words("try_copied"));
  });
}

byId("open-again").addEventListener("click", () => open("POST"));
addEventListener("beforeunload", (event) => { if (recording !== null || sending !== null || loose) event.preventDefault(); });
offerMine(home);
open("POST");
