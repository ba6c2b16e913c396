// Recordings as numbers: from the microphone's blocks or a file to what the server takes.

const HEARD_RATE = 16_000; // what the models hear; a quarter of the bytes of the microphone's own rate
const FILE_RATE = 48_000;

/** The blocks of a recording as one. */
export function joined(blocks) {
  const whole = new Int16Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    whole.set(block, at);
    at += block.length;
  }
  return whole;
}

/** A sound file of any kind the browser knows, as `{samples, rate}`; throws a DOMException for others. */
export async function decoded(file) {
  const context = new OfflineAudioContext(1, 1, FILE_RATE);
  const buffer = await context.decodeAudioData(await file.arrayBuffer());
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, number) => buffer.getChannelData(number));
  const samples = Int16Array.from({ length: buffer.length }, (_, at) =>
    whole(channels.reduce((sum, channel) => sum + channel[at], 0) / channels.length));
  return { samples, rate: FILE_RATE };
}

/** A WAV file at the rate the models hear. */
export async function wavOf({ samples, rate }) {
  const source = new AudioBuffer({ length: samples.length, sampleRate: rate });
  source.getChannelData(0).set(Float32Array.from(samples, (sample) => sample / 32768));
  const context = new OfflineAudioContext(1, Math.ceil(samples.length * HEARD_RATE / rate), HEARD_RATE);
  const player = new AudioBufferSourceNode(context, { buffer: source });
  player.connect(context.destination);
  player.start();
  const heard = (await context.startRendering()).getChannelData(0);
  return wavFile(Int16Array.from(heard, whole), HEARD_RATE);
}

/** Samples of 16 bits as a WAV file. */
export function wavFile(samples, rate) {
  return new Blob([header(samples.length, rate), samples], { type: "audio/wav" });
}

function whole(sample) {
  return Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
}

/** The 44 bytes before the samples of a mono PCM16 file (RIFF WAVE). */
function header(length, rate) {
  const view = new DataView(new ArrayBuffer(44));
  const text = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); // bytes of this part
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // one channel
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true); // bytes a second
  view.setUint16(32, 2, true); // bytes a sample
  view.setUint16(34, 16, true); // bits
  text(36, "data");
  view.setUint32(40, 2 * length, true);
  return view;
}
