// Sends files in pieces, one file after the other; goes on where the server stands, also after a lost connection.
import { call, Refusal, Unreachable } from "../api.js";

const LONGEST_PAUSE = 8000;

export class Transfer {
  #waiting = [];
  #running = null;
  #pieceSize;
  #tell;

  /** `tell` has started(count), moved(number, share), lost(error) and ended(count), called as it goes. */
  constructor(pieceSize, tell) {
    this.#pieceSize = pieceSize;
    this.#tell = tell;
  }

  get busy() {
    return this.#running !== null;
  }

  /** Send `jobs`: each {address, number, file, stored}. */
  add(jobs) {
    this.#waiting.push(...jobs);
    if (!this.#running && this.#waiting.length) this.#running = this.#run().finally(() => { this.#running = null; });
  }

  /** Send nothing more. */
  forget() {
    this.#waiting = [];
  }

  async #run() {
    let count = 0;
    this.#tell.started(this.#waiting.length);
    while (this.#waiting.length) {
      const job = this.#waiting.shift();
      try {
        await this.#send(job);
        count += 1;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        this.#tell.lost(error);
      }
    }
    this.#running = null;
    this.#tell.ended(count);
  }

  async #send({ address, number, file, stored }) {
    let at = stored;
    do { // once even for a file that is whole: an empty piece has the server listen to what it has
      const piece = file.slice(at, at + this.#pieceSize);
      at = await this.#put(`${address}/files/${number}?at=${at}`, piece);
      this.#tell.moved(number, at / file.size);
    } while (at < file.size);
  }

  /** How many bytes the server has; asks again and again while it cannot be reached. */
  async #put(path, piece) {
    for (let pause = 500; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      try {
        return (await call("PUT", path, piece)).stored;
      } catch (error) {
        if (error instanceof Refusal && error.status === 409) return error.answer.stored;
        if (!(error instanceof Unreachable)) throw error;
        this.#tell.lost(error);
        await new Promise((resolve) => { setTimeout(resolve, pause); });
      }
    }
  }
}
