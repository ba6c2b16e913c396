"""What a voice should record next: by what its model still gets wrong, or in the order of the source.

Reads what the latest evaluation wrote of each word; trains, transcribes and judges nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ownvoice.data.manifest import read_manifest
from ownvoice.data.phrase_marks import read_marks
from ownvoice.data.phrases.adaptive import HeardWord, Weaknesses, find_weaknesses, order_by_weakness
from ownvoice.data.phrases.bank import Phrase, load_lexicon
from ownvoice.data.phrases.choose import choose_phrases
from ownvoice.data.split import fold_text
from ownvoice.data.utterance import Utterance
from ownvoice.errors import ManifestError, TooLittleDataError
from ownvoice.rundir import RunFolder, VoiceFolder


@dataclass(frozen=True)
class NextPhrases:
    """What to record next, and why."""

    phrases: tuple[Phrase, ...]
    run: RunFolder | None
    """The run whose errors chose them; None where they are in the order of their source."""
    weaknesses: Weaknesses | None


def next_phrases(
    voice: VoiceFolder, phrases: Sequence[Phrase], language: str | None, count: int, *, by_errors: bool
) -> NextPhrases:
    """The next ``count`` of ``phrases``: none recorded, hidden or too hard.

    Parameters
    ----------
    by_errors
        Choose them by the errors of the voice's latest evaluation, else take them in their order.

    Raises
    ------
    TooLittleDataError
        when they are to be chosen by errors and no run of this voice was evaluated.
    ManifestError
        when the voice's table or the evaluation cannot be read.
    """
    counted = _counted(voice)
    texts = {fold_text(utterance.text) for utterance in counted}
    recorded = texts | {utterance.phrase_id for utterance in counted if utterance.phrase_id}
    shown = choose_phrases(phrases, read_marks(voice))
    left = [phrase for phrase in shown if phrase.id not in recorded and fold_text(phrase.text) not in recorded]
    if not by_errors:
        return NextPhrases(tuple(left[:count]), None, None)
    run = latest_evaluated(voice)
    if run is None:
        raise TooLittleDataError(
            "no model of this voice was judged yet, so its errors are not known",
            where=voice.path,
            mend="Train and evaluate one, or take the phrases in their own order.",
        )
    lexicon = load_lexicon(language)
    weaknesses = find_weaknesses(heard_words(run), lexicon)
    return NextPhrases(tuple(order_by_weakness(left, weaknesses, lexicon, count=count)), run, weaknesses)


def latest_evaluated(voice: VoiceFolder) -> RunFolder | None:
    """The run started last of those that were evaluated, or None."""
    return next((run for run in reversed(voice.started_runs()) if run.evaluation_json.is_file()), None)


def heard_words(run: RunFolder) -> list[list[HeardWord]]:
    """Every word of the run's test phrases, and whether the tuned model wrote it.

    Raises
    ------
    ManifestError
        when ``RUN/evaluation.json`` is none.
    """
    try:
        phrases: list[dict[str, Any]] = json.loads(run.evaluation_json.read_bytes())["phrases"]
        return [
            [
                HeardWord(word, edit["kind"] == "equal")
                for edit in phrase["tuned"]["edits"]
                for word in fold_text(edit["reference"]).split()
            ]
            for phrase in phrases
        ]
    except (ValueError, KeyError, TypeError):
        raise ManifestError(
            "is no evaluation", where=run.evaluation_json, mend="Make it again with: ownvoice evaluate"
        ) from None


def _counted(voice: VoiceFolder) -> list[Utterance]:
    """The recordings that count; none of a voice that has no table yet."""
    return read_manifest(voice).utterances if voice.manifest.is_file() else []
