// Runs in the audio thread: hands the microphone's samples on in blocks of 16-bit integers, at the rate they come in.
// Decides nothing and drops nothing.
const BLOCK_SAMPLES = 2048; // 43 ms at 48 kHz: often enough for a level meter, seldom enough to cost nothing

class Capture extends AudioWorkletProcessor {
  block = new Int16Array(BLOCK_SAMPLES);
  filled = 0;

  process([input]) {
    for (const sample of input[0] ?? []) {
      // Browsers make floats of 16-bit sound by dividing by 32768, so this brings back the very numbers.
      this.block[this.filled++] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
      if (this.filled === BLOCK_SAMPLES) this.handOver();
    }
    return true;
  }

  handOver() {
    this.port.postMessage(this.block, [this.block.buffer]);
    this.block = new Int16Array(BLOCK_SAMPLES);
    this.filled = 0;
  }
}

registerProcessor("capture", Capture);
