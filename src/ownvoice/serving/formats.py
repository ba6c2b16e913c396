"""A transcript in the formats other programs read: text, JSON, SRT, WebVTT, TSV, and OpenAI's two kinds of JSON.

Times come from the transcript's segments, which end at pauses. Nothing here hears, reads or writes files.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ownvoice.config import VOXTRAL_LANGUAGES

if TYPE_CHECKING:
    from ownvoice.model.recording import Segment, Transcript


def to_row(name: str, transcript: Transcript) -> dict[str, Any]:
    """What ``ownvoice transcribe --json`` prints of one recording; keys may be added, none is renamed."""
    return {
        "audio": name,
        "text": transcript.text,
        "seconds": transcript.seconds,
        "language": transcript.language,
        "segments": [dataclasses.asdict(segment) for segment in transcript.segments],
    }


def to_text(transcript: Transcript) -> str:
    """The words alone, in one line."""
    return transcript.text + "\n"


def to_srt(transcript: Transcript) -> str:
    """SubRip: numbered, times with a comma."""
    cues = [
        f"{number}\n{_clock(segment.start, ',')} --> {_clock(segment.end, ',')}\n{_one_line(segment.text)}\n"
        for number, segment in enumerate(_spoken(transcript), 1)
    ]
    return "\n".join(cues)


def to_vtt(transcript: Transcript) -> str:
    """WebVTT (W3C): times with a point; ``<``, ``>`` and ``&`` would be markup and are escaped."""
    cues = [
        f"{_clock(segment.start, '.')} --> {_clock(segment.end, '.')}\n{_escaped(_one_line(segment.text))}\n"
        for segment in _spoken(transcript)
    ]
    return "\n".join(["WEBVTT\n", *cues])


def to_tsv(transcript: Transcript) -> str:
    """Start and end in milliseconds, and the words, as Whisper writes it."""
    rows = [
        f"{round(1000 * segment.start)}\t{round(1000 * segment.end)}\t{_one_line(segment.text)}\n"
        for segment in _spoken(transcript)
    ]
    return "".join(["start\tend\ttext\n", *rows])


SUBTITLES: dict[str, Callable[[Transcript], str]] = {"text": to_text, "srt": to_srt, "vtt": to_vtt, "tsv": to_tsv}
"""Formats that are plain text, by their names; each name but "text" is a file's ending too."""


def to_openai(transcript: Transcript, model: str) -> dict[str, Any]:
    """OpenAI's ``json``; ``model`` and ``language`` are what Mistral's own client asks for besides."""
    return {
        "text": transcript.text,
        "model": model,
        "language": transcript.language,
        "usage": {"type": "duration", "seconds": transcript.seconds},
    }


def to_openai_verbose(transcript: Transcript) -> dict[str, Any]:
    """OpenAI's ``verbose_json``.

    ``avg_logprob`` and ``tokens`` are not there: what is not measured is not made up.
    """
    language = transcript.language or ""
    return {
        "task": "transcribe",
        "language": VOXTRAL_LANGUAGES.get(language, language).lower(),
        "duration": transcript.seconds,
        "text": transcript.text,
        "segments": [_openai_segment(number, segment) for number, segment in enumerate(transcript.segments)],
        "usage": {"type": "duration", "seconds": transcript.seconds},
    }


def _openai_segment(number: int, segment: Segment) -> dict[str, Any]:
    written = segment.text.encode()
    return {
        "id": number,
        "seek": round(100 * segment.start),  # in frames of 10 ms, as Whisper counts
        "start": segment.start,
        "end": segment.end,
        "text": segment.text,
        "temperature": 0.0,
        "compression_ratio": len(written) / len(zlib.compress(written)) if written else 0.0,
        "no_speech_prob": round(1 - segment.speech, 3),
    }


def _spoken(transcript: Transcript) -> list[Segment]:
    return [segment for segment in transcript.segments if segment.text]


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(1000 * seconds)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def _one_line(text: str) -> str:  # an empty line would end a cue, and a tab a column
    return " ".join(text.split()).replace("-->", "->")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
