// Talks to the server: JSON in, JSON out; what the server refuses becomes a Refusal with its plain words.
import { words } from "./words.js";

export class Refusal extends Error {
  constructor(status, answer) {
    super(answer.message);
    this.status = status;
    this.where = answer.where ?? null;
    this.mend = answer.mend ?? null;
    this.answer = answer;
  }

  /** Message and mend, as one text to show. */
  get text() {
    return [this.message, this.mend].filter(Boolean).map(sentence).join(" ");
  }
}

/** The library begins its messages small and ends them openly, to be put together with a place. */
function sentence(text) {
  return text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

/** No answer came: the server is gone or the connection is. */
export class Unreachable extends Error {
  constructor() {
    super(words("error_offline"));
    this.text = this.message;
  }
}

/** Send `body` (an object as JSON; a Blob or buffer as it is) and return the answer's JSON. */
export async function call(method, path, body, { signal } = {}) {
  const raw = body instanceof Blob || body instanceof ArrayBuffer || ArrayBuffer.isView(body);
  const headers = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = raw ? "application/octet-stream" : "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, signal, body: body === undefined || raw ? body : JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable();
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Refusal(response.status, answer ?? { message: words("error_unexpected") });
  if (answer === null) throw new Unreachable(); // the connection was cut within the answer
  return answer;
}
