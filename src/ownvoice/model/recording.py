"""Hears a recording of any length: stretches cut at pauses, heard in batches, guarded, and put together again.

Two known failures of speech models are guarded against. A stretch in which nobody speaks is not shown to the model,
which would make something up. An answer that says one phrase over and over, or runs into its bound, is heard again in
halves; what still loops is written once and marked. Reads no files and writes none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ownvoice.errors import AudioError
from ownvoice.model.lanes import answer_in_lanes
from ownvoice.model.load import Recogniser
from ownvoice.model.pauses import Stretch, cut_at_pauses
from ownvoice.model.transcribe import Answer
from ownvoice.model.wording import is_looping, join_at_seam, without_loops

SHORTEST_RETRY = 1.0
"""Seconds. A shorter stretch is not heard again in halves: half a word says nothing."""


@dataclass(frozen=True)
class Piece:
    """A stretch of a recording with its samples (float32, mono, the model's rate)."""

    stretch: Stretch
    samples: np.ndarray


@dataclass(frozen=True)
class Segment:
    """The words of one stretch of a recording; ``start`` and ``end`` in seconds."""

    start: float
    end: float
    text: str
    cut_in_speech: bool = False
    """Whether the end may lie in a word, because no pause was found within a whole window."""
    overlap: float = 0.0
    """Seconds at its beginning that the segment before heard too; its text begins after them once they are joined."""
    speech: float = 1.0
    """Highest probability that someone speaks in it."""
    silent: bool = False
    """Whether nobody speaks in it: the model was not asked."""
    heard_again: bool = False
    """Whether the first answer looped or ran on, and the text is what was heard in its halves."""
    doubtful: bool = False
    """Whether the answer looped or ran on the second time too; a looping phrase is written once."""


@dataclass(frozen=True)
class Transcript:
    """What was said in a recording."""

    segments: tuple[Segment, ...]
    seconds: float
    """Length of the recording."""
    language: str | None = None
    """Two-letter code written into the prompts; None where the model told the language of each window by itself."""

    @property
    def text(self) -> str:
        return " ".join(segment.text for segment in self.segments if segment.text)


def transcribe_long(recogniser: Recogniser, samples: np.ndarray, language: str | None) -> Transcript:
    """Transcribe a recording of any length, in stretches of at most one window cut at pauses.

    Parameters
    ----------
    samples
        Mono float32 at the model's rate, shape ``(n,)``.
    language
        Two-letter code, or None to have it detected in each window.

    Raises
    ------
    AudioError
        when there is no sample.
    """
    segments = hear(recogniser, cut(recogniser, samples), language)
    return Transcript(tuple(join(segments)), samples.size / recogniser.window.sampling_rate, language)


def cut(recogniser: Recogniser, samples: np.ndarray) -> list[Piece]:
    """Cut a recording into pieces of at most one window.

    Raises
    ------
    AudioError
        when there is no sample.
    """
    if samples.size == 0:
        raise AudioError("the recording holds no sound at all")
    window = recogniser.window
    stretches = cut_at_pauses(samples, window.samples, window.sampling_rate)
    return [Piece(stretch, samples[stretch.start : stretch.end]) for stretch in stretches]


def hear(recogniser: Recogniser, pieces: Sequence[Piece], language: str | None) -> list[Segment]:
    """What is said in each piece, in the order given; the pieces may be of several recordings."""
    rate = recogniser.window.sampling_rate
    segments = [_silent(piece.stretch, rate) for piece in pieces]
    spoken = [index for index, piece in enumerate(pieces) if not piece.stretch.silent]
    answers = answer_in_lanes(recogniser, [pieces[index].samples for index in spoken], language)
    for index, answer in zip(spoken, answers, strict=True):
        heard = replace(segments[index], silent=False, text=answer.text)
        if _suspicious(answer):
            heard = _hear_again(recogniser, pieces[index], heard, language)
        segments[index] = heard
    return segments


def join(segments: Iterable[Segment]) -> Iterator[Segment]:
    """Put the segments of one recording together: what two of them heard twice stays in one.

    A segment is handed on as soon as nothing that comes can change it.
    """
    held: Segment | None = None
    for segment in segments:
        following = segment
        if held is not None:
            before, after = join_at_seam(held.text, segment.text)
            yield replace(held, text=before)
            following = replace(segment, text=after, start=segment.start + segment.overlap)
            held = None
        if following.cut_in_speech:
            held = following
        else:
            yield following
    if held is not None:
        yield held


def _silent(stretch: Stretch, rate: int) -> Segment:
    return Segment(
        stretch.start / rate,
        stretch.end / rate,
        "",
        stretch.cut_in_speech,
        stretch.overlap / rate,
        round(stretch.speech, 3),
        silent=True,
    )


def _suspicious(answer: Answer) -> bool:
    return not answer.ended or is_looping(answer.text)


def _hear_again(recogniser: Recogniser, piece: Piece, first: Segment, language: str | None) -> Segment:
    """Hear a piece in halves, cut at its longest pause: a loop seldom survives other surroundings."""
    rate = recogniser.window.sampling_rate
    halves = [piece.samples]
    if piece.samples.size >= SHORTEST_RETRY * rate:
        stretches = cut_at_pauses(piece.samples, piece.samples.size * 2 // 3, rate)
        halves = [piece.samples[part.start + part.overlap : part.end] for part in stretches]
    answers = answer_in_lanes(recogniser, halves, language)
    return replace(
        first,
        text=" ".join(text for answer in answers if (text := without_loops(answer.text))),
        heard_again=True,
        doubtful=any(_suspicious(answer) for answer in answers),
    )
