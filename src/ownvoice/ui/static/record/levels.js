// How loud it is, as a fraction for the bar and as a word; and whether the speaker has fallen silent.
// Thresholds are those of data/measure.py and data/check.py where they judge the same thing.

const LOUD_PEAK = 0.99 * 32768; // data/measure.py: full scale
const QUIET_DBFS = -42; // quiet speech into a poor microphone is about -40 (data/check.py)
const BAR_DBFS = -60; // left end of the bar
const LOUD_SECONDS = 1.5; // how long "too loud" stays to be read
const QUIET_SECONDS = 3; // a pause for breath is not "too quiet"
const DEAD_SECONDS = 2; // an open microphone gives some noise at once; a headset may take a moment to wake
const SPEECH_OVER_ROOM = 4; // speech is at least 12 dB over the room

/** Loudest sample and root of the mean square of a block, both in steps of 16-bit sound. */
export function measure(block) {
  let peak = 0;
  let squares = 0;
  for (const sample of block) {
    peak = Math.max(peak, Math.abs(sample));
    squares += sample * sample;
  }
  return { peak, rms: Math.sqrt(squares / block.length) };
}

function decibels(rms) {
  return 20 * Math.log10(Math.max(rms, 1e-3) / 32768);
}

/** The level of the last seconds in a word: "silent", "quiet", "good" or "loud". */
export class LevelWord {
  #now = 0;
  #loudUntil = -1;
  #goodUntil = QUIET_SECONDS; // nobody is too quiet before having had time to begin
  #heardAt = 0;
  #everHeard = false;
  fraction = 0;

  hear({ peak, rms }, seconds) {
    this.#now += seconds;
    const level = decibels(rms);
    this.fraction = Math.max(0, Math.min(1, 1 - level / BAR_DBFS));
    if (peak >= LOUD_PEAK) this.#loudUntil = this.#now + LOUD_SECONDS;
    if (level >= QUIET_DBFS) this.#goodUntil = this.#now + QUIET_SECONDS;
    if (peak > 0) [this.#heardAt, this.#everHeard] = [this.#now, true];
    return this.word;
  }

  /** Whether nothing at all has come since the microphone was opened: it is muted or the wrong one, and no pause. */
  get isDead() {
    return !this.#everHeard && this.#now > DEAD_SECONDS;
  }

  get word() {
    if (this.#now - this.#heardAt > 1) return "silent"; // not one bit of noise: muted, or not connected
    if (this.#now < this.#loudUntil) return "loud";
    return this.#now < this.#goodUntil ? "good" : "quiet";
  }
}

/** Tells when somebody who has spoken has been silent for a while. Only for people who asked to be stopped. */
export class SilenceWatch {
  #room = Infinity;
  #spoke = false;
  #quiet = 0;

  /** Seconds of silence since the last speech; 0 while nobody has spoken yet. */
  hear({ rms }, seconds) {
    // The room is the quietest so far, and may grow louder slowly: a fan that starts is not speech for ever.
    this.#room = Math.min(this.#room * (1 + 0.02 * seconds), Math.max(rms, 1));
    const speaks = rms > this.#room * SPEECH_OVER_ROOM && decibels(rms) > QUIET_DBFS - 8;
    if (speaks) [this.#spoke, this.#quiet] = [true, 0];
    else if (this.#spoke) this.#quiet += seconds;
    return this.#quiet;
  }
}
