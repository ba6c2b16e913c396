"""Text that nobody said: written on silence, or far longer than what was said.

The rule for "far longer" is ours and on purpose slow to accuse: more than twice the words of the reference *and* at
least five words more. A stutter written out ("I I I want") stays below it; a decoder caught in a loop, or a sentence
made up after "yes", does not. Wrong words of the right number are errors, not hallucinations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ownvoice.evaluation.normalize import normalise
from ownvoice.evaluation.wer import CorpusScore, UtteranceScore

LONGER_THAN = 2.0
"""Times the reference's words."""
EXTRA_WORDS = 5


@dataclass(frozen=True)
class Hallucinations:
    """What one model made up, on the test phrases and on clips without speech."""

    overlong: tuple[bool, ...]
    """For each phrase, whether the output was far longer than what was said."""
    on_silence: tuple[str, ...]
    """For each silent clip, the words written, normalised: empty is right."""

    @property
    def overlong_count(self) -> int:
        return sum(self.overlong)

    @property
    def silence_count(self) -> int:
        """Silent clips on which words were written."""
        return sum(bool(text) for text in self.on_silence)

    @property
    def rate(self) -> float:
        """Share of all clips, phrases and silent ones together, on which text was made up."""
        return (self.overlong_count + self.silence_count) / max(1, len(self.overlong) + len(self.on_silence))


def find_hallucinations(score: CorpusScore, on_silence: Sequence[str], language: str | None) -> Hallucinations:
    """Judge a model's scored phrases and its transcripts of silent clips."""
    return Hallucinations(
        overlong=tuple(is_overlong(utterance) for utterance in score.utterances),
        on_silence=tuple(normalise(text, language) for text in on_silence),
    )


def is_overlong(utterance: UtteranceScore) -> bool:
    """Whether the output is more than twice as long as what was said, and five words longer at least."""
    said, written = len(utterance.reference.split()), len(utterance.hypothesis.split())
    return written > LONGER_THAN * said and written - said >= EXTRA_WORDS
