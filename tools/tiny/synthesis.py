"""Makes speech from text with espeak-ng and flite, and makes it sound recorded, hurried, or hard to say.

All sound here is synthetic and says so. Everything is a pure function of its random generator, so that a clip can be
made again from its number. Signals are float32 mono at 16 kHz.
"""

from __future__ import annotations

import io
import random
import subprocess
import tempfile
from dataclasses import dataclass

import numpy as np
import soundfile
import soxr
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

RATE = 16_000

ESPEAK_ACCENTS = [
    "en-us",
    "en-gb",
    "en-gb-scotland",
    "en-gb-x-rp",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-029",
    "en-us-nyc",
]
ESPEAK_VARIANTS = [
    "m1",
    "m2",
    "m3",
    "m4",
    "m5",
    "m6",
    "m7",
    "m8",
    "f1",
    "f2",
    "f3",
    "f4",
    "f5",
    "klatt",
    "klatt2",
    "klatt3",
    "klatt4",
    "klatt6",
    "grandma",
    "grandpa",
    "adam",
    "Alex",
    "Alicia",
    "Andrea",
    "Andy",
    "Annie",
    "antonio",
    "aunty",
    "belinda",
    "benjamin",
    "boris",
    "caleb",
    "david",
    "Denis",
    "Diogo",
    "ed",
    "edward",
    "Gene",
    "gustave",
    "Henrique",
    "Hugo",
    "iven",
    "iven2",
    "Jacky",
    "john",
    "Lee",
    "linda",
    "marcelo",
    "Marco",
    "Mario",
    "max",
    "Michael",
    "michel",
    "miguel",
    "pablo",
    "paul",
    "pedro",
    "quincy",
    "rob",
    "robert",
    "sandro",
    "shelby",
    "steph",
    "steph2",
    "travis",
    "Tweaky",
    "victor",
    "zac",
    "anika",
    "norbert",
]
FLITE_VOICES = ["kal", "kal16", "awb"]
"""flite's slt and rms, and espeak's whisper and croak, are never used in training: they stand in for new people."""


@dataclass(frozen=True)
class Voice:
    """One speaker: an engine, its voice name, words a minute (espeak) or a stretch (flite), and a pitch."""

    engine: str
    name: str
    tempo: float
    pitch: float


def training_voice(rng: random.Random) -> Voice:
    """A speaker the built-in model may learn from; one in four comes from flite's recorded diphones."""
    if rng.random() < 0.25:
        return Voice("flite", rng.choice(FLITE_VOICES), rng.uniform(0.75, 1.5), rng.uniform(75, 210))
    name = f"{rng.choice(ESPEAK_ACCENTS)}+{rng.choice(ESPEAK_VARIANTS)}"
    return Voice("espeak", name, rng.uniform(95, 210), rng.uniform(20, 80))


def speak(text: str, voice: Voice, word_gap: int = 0) -> np.ndarray:
    """Synthesise ``text``; ``word_gap`` is an added pause between words in units of 10 ms (espeak alone)."""
    if voice.engine == "espeak":
        command = [
            "espeak-ng",
            "-v",
            voice.name,
            "-s",
            f"{voice.tempo:.0f}",
            "-p",
            f"{voice.pitch:.0f}",
            "-g",
            str(word_gap),
        ]
        wave = subprocess.run([*command, "--stdout", text], check=True, capture_output=True).stdout
        return _decode(io.BytesIO(_fix_header(wave)))
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(
            ["flite", "-voice", voice.name, "--setf", f"duration_stretch={voice.tempo:.3f}", "--setf",
             f"int_f0_target_mean={voice.pitch:.1f}", "-t", text, "-o", file.name],
            check=True, capture_output=True,
        )  # fmt: skip
        return _decode(file.name)


def several(texts: list[str], voice: Voice, rng: random.Random) -> np.ndarray:
    """Phrases of one speaker with pauses of 0.25 to 1 s between them."""
    parts: list[np.ndarray] = []
    for text in texts:
        if parts:
            parts.append(np.zeros(int(rng.uniform(0.25, 1.0) * RATE), np.float32))
        parts.append(trim(speak(text, voice, word_gap=rng.choice([0, 0, 0, 2, 6]))))
    return np.concatenate(parts)


def trim(signal: np.ndarray, floor: float = 1e-3) -> np.ndarray:
    """Cut digital silence off both ends, leaving 20 ms."""
    loud = np.flatnonzero(np.abs(signal) > floor)
    if loud.size == 0:
        return signal
    margin = RATE // 50
    return signal[max(0, loud[0] - margin) : loud[-1] + margin]


def record(signal: np.ndarray, rng: random.Random) -> np.ndarray:
    """As in a room before a microphone: speaker size, reverberation, colour, noise, level, silence around."""
    noise = np.random.default_rng(rng.getrandbits(32))
    if rng.random() < 0.6:  # resampling moves formants and pitch together, as a larger or smaller speaker does
        signal = soxr.resample(signal, RATE * rng.uniform(0.86, 1.16), RATE).astype(np.float32)
    if rng.random() < 0.4:
        signal = _room(signal, rng.uniform(0.08, 0.45), rng.uniform(0.05, 0.5), noise)
    signal = np.concatenate([
        np.zeros(int(rng.uniform(0.02, 0.5) * RATE), np.float32), signal,
        np.zeros(int(rng.uniform(0.05, 0.5) * RATE), np.float32),
    ])  # fmt: skip
    if rng.random() < 0.5:
        low, high = rng.uniform(60, 300), rng.uniform(3200, 7600)
        signal = sosfilt(butter(2, [low, high], "bandpass", fs=RATE, output="sos"), signal)
    if rng.random() < 0.7:
        signal = _add_noise(signal, rng.uniform(8, 45), rng.uniform(0, 1.4), noise)
    peak = float(np.abs(signal).max()) or 1.0
    return (signal / peak * 10 ** (rng.uniform(-26, -1) / 20)).astype(np.float32)


def slur(signal: np.ndarray, rng: random.Random, *, blocks: float = 0.3, repetitions: float = 0.3) -> np.ndarray:
    """A stand-in for atypical speech: smeared articulation, weak high sounds, blocks and repeated onsets.

    It is a crude imitation for tests and the demo and makes no claim to sound like any person or condition.
    """
    onsets = _onsets(signal)
    pieces, last = [], 0
    for onset in onsets:
        pieces.append(signal[last:onset])
        if rng.random() < repetitions / max(1, len(onsets)) * 2:
            fragment = signal[onset : onset + int(rng.uniform(0.10, 0.18) * RATE)] * _fade(signal, onset)
            for _ in range(rng.randint(1, 3)):
                pieces += [fragment, np.zeros(int(rng.uniform(0.05, 0.15) * RATE), np.float32)]
        elif rng.random() < blocks / max(1, len(onsets)) * 2:
            pieces.append(np.zeros(int(rng.uniform(0.2, 0.6) * RATE), np.float32))
        last = onset
    pieces.append(signal[last:])
    slow = np.concatenate(pieces)
    smear = np.exp(-np.arange(int(0.08 * RATE)) / (0.02 * RATE)).astype(np.float32)
    smear[1:] *= np.random.default_rng(7).standard_normal(smear.size - 1).astype(np.float32) * 0.06
    slow = fftconvolve(slow, smear)
    return np.asarray(sosfilt(butter(2, 3400, "lowpass", fs=RATE, output="sos"), slow), np.float32)


def _onsets(signal: np.ndarray) -> list[int]:
    """Sample positions where sound rises out of a quieter stretch: about one a word."""
    hop = RATE // 100
    energy = np.sqrt(np.convolve(signal**2, np.ones(hop) / hop, "same"))[::hop]
    level = energy.max() * 0.12
    rising = np.flatnonzero((energy[1:] > level) & (energy[:-1] <= level))
    return [int(frame) * hop for frame in rising]


def _fade(signal: np.ndarray, onset: int) -> float:
    return 0.9 if onset < signal.size // 2 else 0.8


def _room(signal: np.ndarray, decay: float, wet: float, noise: np.random.Generator) -> np.ndarray:
    """Convolve with exponentially decaying noise; ``decay`` is the time to fall by 60 dB in seconds."""
    time = np.arange(int(decay * RATE)) / RATE
    tail = noise.standard_normal(time.size) * 10 ** (-3 * time / decay)
    tail *= wet / (np.sqrt((tail**2).sum()) or 1.0)
    return (signal + fftconvolve(signal, tail)[: signal.size]).astype(np.float32)


def _add_noise(signal: np.ndarray, snr: float, tilt: float, noise: np.random.Generator) -> np.ndarray:
    """Noise whose spectrum falls by ``tilt`` (0 white, 1 pink) at ``snr`` dB below the speech."""
    hiss = noise.standard_normal(signal.size)
    if tilt > 0.3:
        hiss = lfilter([1], [1, -min(0.98, tilt * 0.7)], hiss)
    power = float((signal**2).mean()) or 1e-9
    hiss *= np.sqrt(power / 10 ** (snr / 10) / (hiss**2).mean())
    return signal + hiss


def _decode(file: str | io.BytesIO) -> np.ndarray:
    signal, rate = soundfile.read(file, dtype="float32")
    return np.asarray(soxr.resample(signal, rate, RATE) if rate != RATE else signal, np.float32)


def _fix_header(wave: bytes) -> bytes:
    """espeak-ng writes to a pipe before it knows the length: put the true sizes in."""
    body = len(wave) - 44
    return wave[:4] + (body + 36).to_bytes(4, "little") + wave[8:40] + body.to_bytes(4, "little") + wave[44:]
