"""Every problem of a voice's recordings and their table, each with its place and its mend.

Lists them all rather than stop at the first, and changes nothing on disk. An ``error`` should not be trained on; a
``warning`` is worth a look. Excluded recordings are passed over.
"""

from __future__ import annotations

import hashlib
import re
import statistics
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from ownvoice.config import VOXTRAL_LANGUAGES
from ownvoice.data.manifest import ManifestScan, scan_manifest
from ownvoice.data.measure import Measures, measure
from ownvoice.data.recording import Recording, load_recording, recording_of, unnamed_recordings
from ownvoice.data.split import fold_text
from ownvoice.data.takes import take_folders
from ownvoice.data.utterance import Utterance
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.errors import AudioError, ConfigError
from ownvoice.rundir import VoiceFolder

MAX_SECONDS = 30.0
"""Voxtral hears 30 s at a time; a longer recording is cut into windows that its one transcript does not follow."""

MIN_SECONDS = 0.2
"""No word is shorter; what is, was a slip of the key."""

SILENT_DBFS = -50.0
"""A loudest 20 ms below this is a room's noise: quiet speech into a poor microphone still comes to about -40."""

CLIPPED_SHARE = 0.001
"""From one sample in a thousand in flat tops on, clipping is heard as distortion; single touches are not."""

LONG_SILENCE = 2.0
"""Seconds without speech at one end from which on it is worth cutting off; a breath before a sentence takes less."""

PACE_FACTOR = 3.0
"""Times faster or slower than the speaker's own median that is suspicious. Blocks and pauses make even one speaker's
pace vary about twofold, so less would accuse good recordings."""

PACE_SAMPLE = 8
"""Recordings needed before their median says anything of the speaker."""

PACE_CHARACTERS = 5
"""A shorter text has no pace: one long vowel decides it."""

FASTEST = 35.0
"""Letters a second that nobody speaks; fast readers of English come to about 20."""

_SCRIPTS = {**dict.fromkeys(VOXTRAL_LANGUAGES, "LATIN"), "hi": "DEVANAGARI"}
"""The script of each language, by the first word of its letters' Unicode names; other languages are not judged."""

_REMEMBERED = 20_000
"""Recordings whose measures are kept while a program runs: a few MB, so that checking again takes no listening."""

MARKUP = re.compile(r"\[[^\]]*\]|<[^>]*>|\*[^*]*\*|♪|^\s*\([^)]*\)\s*$")
"""How transcripts mark what is not speech: [laughter], <noise>, *coughs*, music notes; and (silence) on its own."""


@dataclass(frozen=True)
class Problem:
    """One finding; its fields are the keys of ``ownvoice check --json``."""

    severity: Literal["error", "warning"]
    kind: str
    """A short name that programs may rely on, such as ``clipping``."""
    file: str
    """Where to mend it, a path in the voice folder: the recording, or data.jsonl where its line is what is wrong."""
    line: int | None
    """The line of data.jsonl that is wrong or that names the recording, from 1; None where no line does."""
    message: str
    mend: str
    source: str | None = None
    """The file of the person's own that the recording was imported from, where it was."""


@dataclass(frozen=True)
class _Clip:
    """A recording that could be decoded."""

    line: int
    utterance: Utterance
    measures: Measures
    digest: bytes
    """Of its samples."""

    def problem(self, severity: Literal["error", "warning"], kind: str, message: str, mend: str) -> Problem:
        return Problem(severity, kind, self.utterance.audio_path, self.line, message, mend)


def check_voice(voice: VoiceFolder) -> list[Problem]:
    """Every problem of ``voice``, in the order of the manifest's lines; those without a line come last.

    Raises
    ------
    DataError
        when this is no voice folder, or its manifest cannot be opened.
    """
    scan = scan_manifest(voice)
    problems = _line_problems(voice, scan)
    language, settings_problems = _language(voice)
    problems += settings_problems
    clips: list[_Clip] = []
    for line, utterance in scan.lines:
        problems += _text_problems(voice, line, utterance, utterance.language or language)
        result = _listen(voice, line, utterance)
        if isinstance(result, Problem):
            problems.append(result)
        else:
            clips.append(result)
            problems += _sound_problems(result)
    unnamed = unnamed_problems(voice, (utterance for _, utterance in scan.everything))
    problems += [
        *_pace_problems(clips),
        *_same_audio(clips),
        *_same_text(voice, scan),
        *unnamed,
        *_damaged_takes(voice),
    ]
    own_files: dict[int | None, str] = {
        line: utterance.source for line, utterance in scan.lines if utterance.source and "/" in utterance.source
    }
    placed = [replace(problem, source=own_files.get(problem.line)) for problem in problems]
    return sorted(placed, key=lambda problem: (problem.line is None, problem.line or 0))


def _line_problems(voice: VoiceFolder, scan: ManifestScan) -> list[Problem]:
    name = voice.manifest.name
    faults = [Problem("error", fault.kind, name, fault.line, fault.message, fault.mend) for fault in scan.faults]
    return faults + [Problem("warning", note.kind, name, note.line, note.message, note.mend) for note in scan.notes]


def _language(voice: VoiceFolder) -> tuple[str | None, list[Problem]]:
    try:
        return read_voice_settings(voice).language, []
    except ConfigError as error:
        mend = error.mend or "Correct the file, or delete it to have the defaults."
        return None, [Problem("error", "bad-settings", voice.settings.name, None, error.what, mend)]


def _text_problems(voice: VoiceFolder, line: int, utterance: Utterance, language: str | None) -> Iterator[Problem]:
    file, text = voice.manifest.name, utterance.text
    if not fold_text(text):
        mend = "Write down the words that were said, or delete the line."
        yield Problem("error", "empty-text", file, line, "its text has no words", mend)
        return
    if MARKUP.search(text):
        speechless = not fold_text(MARKUP.sub(" ", text))
        message = "its text marks sounds and has no words" if speechless else "its text holds marks that nobody says"
        mend = "Write only what was said, without marks like [laughter]; delete the line if there was no speech."
        yield Problem("error" if speechless else "warning", "non-speech-text", file, line, message, mend)
    letters = [character for character in text if character.isalpha()]
    script = _SCRIPTS.get(language or "")
    if script and letters:
        matching = sum(unicodedata.name(letter, "").startswith(script) for letter in letters)
        if matching < len(letters) / 2:
            message = f"its text is not in {script.capitalize()} letters, and its language is {language!r}"
            mend = "Write it in the language's own letters, or correct the language in voice.yaml or in this line."
            yield Problem("warning", "wrong-script", file, line, message, mend)


def _listen(voice: VoiceFolder, line: int, utterance: Utterance) -> _Clip | Problem:
    recording = recording_of(voice, utterance)
    try:
        measures, digest = _hear(recording, _stamp(recording.path))
    except AudioError as error:
        kind = "unreadable-audio" if recording.path.exists() else "missing-audio"
        return Problem("error", kind, utterance.audio_path, line, error.what, error.mend or "Record it again.")
    return _Clip(line, utterance, measures, digest)


@lru_cache(_REMEMBERED)
def _hear(recording: Recording, stamp: tuple[int, int] | None) -> tuple[Measures, bytes]:
    """Measures and digest of what counts of a recording; another ``stamp`` of its file has it heard again."""
    samples = load_recording(recording)
    return measure(samples), hashlib.sha256(samples.data).digest()


def _stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of change (nanoseconds) of a file; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _sound_problems(clip: _Clip) -> Iterator[Problem]:
    measures = clip.measures
    if measures.loudest_dbfs < SILENT_DBFS:
        message = f"is nearly silent: its loudest moment is at {measures.loudest_dbfs:.0f} dB of full scale"
        yield clip.problem("error", "near-silence", message, "Check the microphone and record it again.")
    if measures.clipped > CLIPPED_SHARE:
        message = f"is clipped: {measures.clipped:.1%} of it is beyond full scale"
        mend = "Move away from the microphone or turn its gain down, and record it again if it sounds distorted."
        yield clip.problem("warning", "clipping", message, mend)
    if measures.seconds > MAX_SECONDS:
        message = f"is {measures.seconds:.1f} s long; Voxtral hears {MAX_SECONDS:.0f} s at a time"
        yield clip.problem(
            "warning", "over-30-seconds", message, "Cut it at a pause into several, each with its words."
        )
    before, after = measures.speech_start, measures.seconds - measures.speech_end
    if max(before, after) > LONG_SILENCE and measures.loudest_dbfs >= SILENT_DBFS:
        message = f"has {before:.1f} s of silence before the words and {after:.1f} s after them"
        yield clip.problem("warning", "long-silence", message, "Trim it, or leave it: only training takes longer.")
    if measures.seconds < MIN_SECONDS:
        message = f"is {measures.seconds:.2f} s long, too short for a word"
        yield clip.problem("error", "too-short", message, "Record it again.")


def _pace_problems(clips: Sequence[_Clip]) -> Iterator[Problem]:
    paces = [(clip, rate) for clip in clips if (rate := pace(clip.utterance.text, clip.measures)) is not None]
    median = statistics.median(rate for _, rate in paces) if len(paces) >= PACE_SAMPLE else None
    for clip, rate in paces:
        usual = f"; this speaker's usual is {median:.0f}" if median else ""
        figures = f"{rate:.1f} letters a second{usual}"
        if rate > FASTEST or (median and rate > PACE_FACTOR * median):
            severity: Literal["error", "warning"] = "error" if rate > FASTEST else "warning"
            mend = "Listen: if the end is missing or the words are others, record it again or correct the text."
            yield clip.problem(severity, "too-short-for-text", f"is too short for its text: {figures}", mend)
        elif median and rate < median / PACE_FACTOR:
            mend = "Listen: if more is said than the text has, correct the text; long pauses are fine."
            yield clip.problem("warning", "too-long-for-text", f"is too long for its text: {figures}", mend)


def pace(text: str, measures: Measures) -> float | None:
    """Letters a second of the part that is spoken; None where the text or the sound does not tell.

    Digits and letters spelled out are long when spoken, and marks are not spoken.
    """
    words = fold_text(MARKUP.sub(" ", text)).split()
    letters = sum(map(len, words))
    if letters < max(PACE_CHARACTERS, 2 * len(words)) or any(map(str.isdigit, "".join(words))):
        return None
    if measures.loudest_dbfs < SILENT_DBFS:
        return None
    return letters / measures.spoken_seconds


def _same_audio(clips: Iterable[_Clip]) -> Iterator[Problem]:
    first: dict[bytes, _Clip] = {}
    for clip in clips:
        earlier = first.setdefault(clip.digest, clip)
        if earlier is clip:
            continue
        message = f"holds the same sound as {earlier.utterance.audio_path} (line {earlier.line})"
        if fold_text(clip.utterance.text) == fold_text(earlier.utterance.text):
            yield clip.problem("warning", "duplicate-audio", message, "Delete one of the two lines of data.jsonl.")
        else:
            mend = "Listen, and delete the line of data.jsonl whose words are wrong."
            yield clip.problem("error", "duplicate-audio", message + ", with other words", mend)


def _same_text(voice: VoiceFolder, scan: ManifestScan) -> Iterator[Problem]:
    groups: defaultdict[str, list[tuple[int, Utterance]]] = defaultdict(list)
    for line, utterance in scan.lines:
        groups[fold_text(utterance.text)].append((line, utterance))
    for text, group in groups.items():
        takes = {utterance.take for _, utterance in group if utterance.take is not None}
        if not text or len(group) == 1 or len(takes) == len(group):  # numbered takes are meant
            continue
        (first, _), *others = group
        places = ", ".join(str(line) for line, _ in others[:10]) + (", ..." if len(others) > 10 else "")
        message = f"its text is said again on line {places}"
        mend = "Nothing to do if it was recorded more than once on purpose; new phrases teach more."
        yield Problem("warning", "duplicate-text", voice.manifest.name, first, message, mend)


def unnamed_problems(voice: VoiceFolder, everything: Iterable[Utterance]) -> Iterator[Problem]:
    """A warning for each sound file that no line names."""
    for path in unnamed_recordings(voice, everything):
        message = "is named by no line of data.jsonl: its words are not known"
        mend = "Add a line with its words, or delete the file if it is not wanted."
        yield Problem("warning", "unnamed-recording", str(path), None, message, mend)


def _damaged_takes(voice: VoiceFolder) -> Iterator[Problem]:
    for folder in take_folders(voice):
        if not folder.is_whole():
            message = "is an unfinished recording of which a part is missing or damaged, so it cannot be gone on with"
            mend = "If there is an audio.wav in it, listen, and import it with its words. Then delete the folder."
            yield Problem("warning", "damaged-take", str(folder.path.relative_to(voice.path)), None, message, mend)
