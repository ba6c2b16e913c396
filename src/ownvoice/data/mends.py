"""What a person can do about each finding of ``check.py``, down to the very change one click makes.

Proposes and never changes anything itself: a change is applied by ``manifest.revise_utterance``, and undone by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ownvoice.data.check import MARKUP, Problem, check_voice, unnamed_problems
from ownvoice.data.manifest import scan_manifest
from ownvoice.data.measure import measure
from ownvoice.data.recording import load_recording, recording_of
from ownvoice.data.utterance import Utterance
from ownvoice.errors import AudioError
from ownvoice.rundir import VoiceFolder

MendKind = Literal["exclude", "trim", "text", "edit", "again"]
"""Set the recording aside; cut silence off its ends; take this text; write the text; record it again."""

MARGIN_SECONDS = 0.4
"""Kept before and after the speech when silence is cut off: soft beginnings and ends are not heard as speech."""

_WORTH_TRIMMING = 0.5
"""Seconds of silence that must go, or a trim is not worth a click."""

_KINDS: Mapping[str, tuple[MendKind, ...]] = {
    "empty-text": ("edit", "exclude"),
    "non-speech-text": ("text", "edit", "exclude"),
    "wrong-script": ("edit",),
    "missing-audio": ("again", "exclude"),
    "unreadable-audio": ("again", "exclude"),
    "near-silence": ("again", "exclude"),
    "too-short": ("again", "exclude"),
    "clipping": ("again", "exclude"),
    "long-silence": ("trim",),
    "over-30-seconds": ("trim", "exclude"),
    "too-short-for-text": ("again", "edit", "exclude"),
    "too-long-for-text": ("trim", "edit", "exclude"),
    "duplicate-audio": ("exclude", "edit"),
}
"""By :class:`Problem`'s kind, the likeliest mend first. What is left out needs none, or none that a click can make."""


@dataclass(frozen=True)
class Mend:
    """One thing to do about a finding."""

    kind: MendKind
    changes: Mapping[str, Any]
    """Fields of the utterance that the click sets; empty where the person has to do something first."""


@dataclass(frozen=True)
class Finding:
    """A problem, the utterance it is about, and what can be done."""

    problem: Problem
    utterance: Utterance | None
    """None where it is about a line that is none, or a file without a line."""
    mends: tuple[Mend, ...]


def find_mends(voice: VoiceFolder) -> list[Finding]:
    """Every problem of ``voice`` with its mends, errors first; a voice without a manifest may still hold sound files.

    Raises
    ------
    DataError
        when the manifest cannot be opened.
    """
    if not voice.manifest.is_file():
        return [Finding(problem, None, ()) for problem in unnamed_problems(voice, ())]
    by_line = dict(scan_manifest(voice).everything)
    problems = sorted(check_voice(voice), key=lambda problem: problem.severity)
    return [_finding(voice, problem, by_line.get(problem.line or 0)) for problem in problems]


def _finding(voice: VoiceFolder, problem: Problem, utterance: Utterance | None) -> Finding:
    if utterance is None:
        return Finding(problem, None, ())
    mends = (_mend(voice, kind, utterance) for kind in _KINDS.get(problem.kind, ()))
    return Finding(problem, utterance, tuple(mend for mend in mends if mend is not None))


def _mend(voice: VoiceFolder, kind: MendKind, utterance: Utterance) -> Mend | None:
    """The mend of this kind, or None where it would change nothing."""
    if kind == "exclude":
        return Mend(kind, {"excluded": True})
    if kind == "text":
        text = " ".join(MARKUP.sub(" ", utterance.text).split())
        return Mend(kind, {"text": text}) if text else None
    if kind == "trim":
        trim = _without_silence(voice, utterance)
        return Mend(kind, {"trim": trim}) if trim else None
    return Mend(kind, {})


def _without_silence(voice: VoiceFolder, utterance: Utterance) -> tuple[float, float] | None:
    """Start and end, in seconds of the file, of the speech and a margin; None where that is nearly all of it."""
    try:
        measures = measure(load_recording(recording_of(voice, utterance)))
    except AudioError:
        return None
    start = max(0.0, measures.speech_start - MARGIN_SECONDS)
    end = min(measures.seconds, measures.speech_end + MARGIN_SECONDS)
    if measures.seconds - (end - start) < _WORTH_TRIMMING:
        return None
    offset = utterance.trim[0] if utterance.trim else 0.0
    return round(offset + start, 2), round(offset + end, 2)
