// One dictation: sound goes to the model, text comes back, drafts first and then each phrase for good.
// The messages are those of docs/serving.md.

export class Dictation {
  #socket;
  #stopped = false;
  #problem = "";

  /** `tell` has draft(text), phrase(text), and end(problem): null when it ended well, "" for a lost connection. */
  constructor(path, rate, tell) {
    this.#socket = new WebSocket(new URL(path, location.href.replace(/^http/, "ws")));
    this.#socket.binaryType = "arraybuffer";
    this.#socket.addEventListener("open", () => {
      this.#send(JSON.stringify({ type: "start", model: "tuned", sample_rate: rate }));
      if (this.#stopped) this.#send(JSON.stringify({ type: "stop" }));
    });
    this.#socket.addEventListener("message", ({ data }) => {
      const { type, text, message } = JSON.parse(data);
      if (type === "partial") tell.draft(text);
      else if (type === "final") tell.phrase(text);
      else if (type === "done") this.#problem = null;
      else if (type === "error") this.#problem = message;
    });
    this.#socket.addEventListener("close", () => tell.end(this.#problem));
  }

  /** A block of the microphone. */
  hear(block) {
    if (!this.#stopped) this.#send(block);
  }

  /** Nothing more will be said; what was said still comes. */
  stop() {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#send(JSON.stringify({ type: "stop" }));
  }

  #send(message) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(message);
  }
}
