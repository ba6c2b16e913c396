// The microphone: opened when it is first needed, read in blocks, let go of when it was not used for a while.
// Keeps nothing but the last quarter of a second; what is recorded is take.js's part.

const IDLE_SECONDS = 60;
const RECENT_SECONDS = 0.25; // people start to speak as they press the button, and the first sound counts

/** Why there is no sound. `kind` is the key of a text: denied, missing, busy, gone, unsupported. */
export class MicrophoneProblem extends Error {
  constructor(kind) {
    super(kind);
    this.kind = kind;
  }
}

const KINDS = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
  OverconstrainedError: "gone",
};

export class Microphone extends EventTarget {
  #stream = null;
  #context = null;
  #choice = "";
  #recent = [];
  #idle = null;
  #opening = null;

  get isOpen() {
    return this.#context !== null;
  }

  /** Samples a second of what comes in; only while open. */
  get rate() {
    return this.#context.sampleRate;
  }

  /** The blocks of the last moment, oldest first. */
  get recent() {
    return [...this.#recent];
  }

  /** Open the chosen microphone, unless it is open already. `choice`: microphone, echo, noise, gain (preferences). */
  async open(choice) {
    this.stayOpen();
    const wanted = JSON.stringify(choice);
    if (this.isOpen && this.#choice === wanted) return;
    this.#opening ??= this.#openNew(choice, wanted).finally(() => { this.#opening = null; });
    await this.#opening;
  }

  async #openNew(choice, wanted) {
    this.close();
    if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) throw new MicrophoneProblem("unsupported");
    const stream = await ask(choice);
    const [track] = stream.getAudioTracks();
    const context = contextAt(track.getSettings().sampleRate);
    try {
      await this.#connect(context, stream);
    } catch (error) {
      track.stop();
      await context.close();
      throw error instanceof DOMException ? new MicrophoneProblem("unsupported") : error;
    }
    const lose = () => { if (this.#context === context) this.#lose(); };
    track.addEventListener("ended", lose);
    track.addEventListener("mute", () => { if (this.#context === context) this.dispatchEvent(new Event("mute")); });
    context.addEventListener("statechange", () => { if (context.state !== "running") lose(); });
    [this.#stream, this.#context, this.#choice] = [stream, context, wanted];
    this.dispatchEvent(new Event("open"));
  }

  async #connect(context, stream) {
    await context.audioWorklet.addModule(new URL("./capture_worklet.js", import.meta.url));
    await context.resume();
    const capture = new AudioWorkletNode(context, "capture", {
      numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit",
    });
    capture.port.onmessage = ({ data }) => this.#hear(data);
    context.createMediaStreamSource(stream).connect(capture);
  }

  #hear(block) {
    if (!this.isOpen) return;
    this.dispatchEvent(new CustomEvent("block", { detail: block }));
    this.#recent.push(block);
    if (this.#recent.length * block.length > RECENT_SECONDS * this.rate) this.#recent.shift();
  }

  #lose() {
    this.close();
    this.dispatchEvent(new Event("lost"));
  }

  close() {
    if (!this.isOpen) return;
    const [stream, context] = [this.#stream, this.#context];
    [this.#stream, this.#context, this.#recent] = [null, null, []];
    for (const track of stream.getTracks()) track.stop();
    if (context.state !== "closed") context.close();
    this.dispatchEvent(new Event("close"));
  }

  /** It is in use: do not let go of it. */
  stayOpen() {
    clearTimeout(this.#idle);
  }

  /** It is no longer in use: let go of it after a while, so that nobody sits before an open microphone. */
  closeWhenIdle() {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.close(), IDLE_SECONDS * 1000);
  }
}

/** At the device's own rate nothing is resampled on the way to the disk; not every browser tells it, or can do it. */
function contextAt(sampleRate) {
  const options = { latencyHint: "playback" };
  try {
    return new AudioContext({ ...options, ...(sampleRate && { sampleRate }) });
  } catch (error) {
    if (error.name !== "NotSupportedError") throw error;
    return new AudioContext(options);
  }
}

async function ask({ microphone, echo, noise, gain }) {
  const audio = { channelCount: 1, echoCancellation: echo, noiseSuppression: noise, autoGainControl: gain };
  if (microphone) audio.deviceId = { exact: microphone };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    if (error.name in KINDS) throw new MicrophoneProblem(KINDS[error.name]);
    throw error;
  }
}

/** Microphones to choose from, as `{id, label}`; browsers give names only once one has been allowed. */
export async function microphones() {
  const devices = await navigator.mediaDevices?.enumerateDevices() ?? [];
  return devices
    .filter(({ kind, deviceId, label }) => kind === "audioinput" && deviceId && label)
    .map(({ deviceId, label }) => ({ id: deviceId, label }));
}
