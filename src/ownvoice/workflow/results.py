"""What a run brought, for a person: the saved evaluation, what it still gets wrong most, and several runs in a table.

Counts and sentences are :mod:`ownvoice.evaluation`'s; which sounds fail is :mod:`ownvoice.data.phrases.adaptive`'s.
Loads no model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property

from ownvoice.config import TrainingSettings
from ownvoice.data.phrases.adaptive import HeardWord, find_weaknesses
from ownvoice.data.phrases.bank import load_lexicon
from ownvoice.data.split import fold_text
from ownvoice.evaluation.evaluate import Evaluation
from ownvoice.evaluation.saved import load_evaluation
from ownvoice.evaluation.wer import UtteranceScore
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.workflow.run_view import RunWatch

SHOWN = 10
"""Words and sounds listed: more than anybody records for in one sitting."""
HEARINGS = 3
"""A sound said less often than this proves nothing."""


@dataclass(frozen=True)
class WrongWord:
    """A word that the tuned model still gets wrong."""

    word: str
    said: int
    wrong: int
    heard_as: tuple[str, ...]
    """What was written in its place, the most frequent first; empty where nothing was."""
    phrases: tuple[str, ...]
    """Ids of the utterances in which it went wrong."""


@dataclass(frozen=True)
class WrongSound:
    """A sound in whose words the tuned model errs more often than in others."""

    sound: str
    """In IPA."""
    said: int
    wrong: int
    """Words that hold it, and how many of these were wrong."""
    examples: tuple[str, ...]
    """Words of the judged phrases that hold it, those that went wrong first."""


@dataclass(frozen=True)
class Results:
    """What a run brought."""

    run: RunFolder
    evaluation: Evaluation

    @cached_property
    def wrong_words(self) -> tuple[WrongWord, ...]:
        """The words still wrong most often, at most :data:`SHOWN`."""
        said: Counter[str] = Counter()
        wrong: dict[str, list[tuple[str, str]]] = {}
        for row in self.evaluation.rows:
            for edit in row.tuned.edits:
                said[edit.reference] += 1
                if edit.kind in ("substitute", "delete"):
                    wrong.setdefault(edit.reference, []).append((edit.hypothesis, row.phrase.id))
        listed = [
            WrongWord(
                word=word,
                said=said[word],
                wrong=len(places),
                heard_as=tuple(heard for heard, _ in Counter(heard for heard, _ in places if heard).most_common()),
                phrases=tuple(dict.fromkeys(name for _, name in places)),
            )
            for word, places in wrong.items()
        ]
        return tuple(sorted(listed, key=lambda one: (-one.wrong, -one.wrong / one.said, one.word))[:SHOWN])

    @cached_property
    def wrong_sounds(self) -> tuple[WrongSound, ...]:
        """The sounds in whose words most goes wrong, at most :data:`SHOWN`; none for a language without phrase bank."""
        lexicon = load_lexicon(self.evaluation.language)
        heard = [list(_heard_words(row.tuned)) for row in self.evaluation.rows]
        weaknesses = find_weaknesses(heard, lexicon)
        mean = weaknesses.wrong / max(1, weaknesses.said)
        listed = []
        for unit, errors in weaknesses.units.items():
            if unit[0] == "phone" and errors.said >= HEARINGS and errors.wrong and weaknesses.rate(unit) > mean:
                holds = [word for phrase in heard for word in phrase if unit[1] in lexicon.get(word.word, "").split()]
                examples = dict.fromkeys(word.word for word in sorted(holds, key=lambda word: word.right))
                sound = WrongSound(unit[1], errors.said, errors.wrong, tuple(examples)[:3])
                listed.append((weaknesses.rate(unit), sound))
        listed.sort(key=lambda pair: (-pair[0], pair[1].sound))
        return tuple(sound for _, sound in listed[:SHOWN])

    def to_json(self) -> dict[str, object]:
        """``evaluation.json`` with more: ``{..., "run", "picture": {"text", "kind", "of", "before", "now",
        "mistakes_before", "mistakes_now"}, "wrong_words":
        [{"word", "said", "wrong", "heard_as", "phrases"}], "wrong_sounds": [{"sound", "said", "wrong", "examples"}]}``.
        """
        return {
            **self.evaluation.to_json(),
            "run": self.run.path.name,
            "picture": {"text": self.evaluation.headline.text, **asdict(self.evaluation.headline)},
            "wrong_words": [asdict(word) for word in self.wrong_words],
            "wrong_sounds": [asdict(sound) for sound in self.wrong_sounds],
        }


@dataclass(frozen=True)
class RunRow:
    """One evaluated run beside others."""

    run: str
    started: datetime | None
    base_model: str
    method: str
    scope: str
    epochs: int
    train: int
    """Utterances trained on."""
    n: int
    """Phrases judged."""
    base_wer: float
    tuned_wer: float
    tuned_low: float
    tuned_high: float
    tuned_cer: float
    verdict: str
    same_phrases: bool
    """Whether it was judged on the very phrases of the first row; other figures cannot be compared with it."""


def results_of(run: RunFolder) -> Results:
    """What a run brought.

    Raises
    ------
    DataError
        when it was not evaluated yet, or its evaluation cannot be read.
    """
    return Results(run, load_evaluation(run))


def compare_runs(voice: VoiceFolder) -> tuple[RunRow, ...]:
    """Every evaluated run of a voice, the newest first."""
    rows: list[RunRow] = []
    first: list[tuple[str, str]] | None = None
    for run in reversed(voice.started_runs()):
        if run.evaluation_json.is_file():
            evaluation = load_evaluation(run)
            judged = sorted((phrase.id, phrase.text) for phrase in evaluation.phrases)
            first = first or judged
            rows.append(_row(run, evaluation, judged == first))
    return tuple(rows)


def _row(run: RunFolder, evaluation: Evaluation, same_phrases: bool) -> RunRow:
    settings = TrainingSettings.load(run.config)
    story = RunWatch(run).look().story
    tuned = evaluation.tuned
    return RunRow(
        run=run.path.name,
        started=story.first,
        base_model=settings.base_model,
        method=settings.method,
        scope=settings.scope,
        epochs=settings.epochs,
        train=story.start.train if story.start else 0,
        n=evaluation.n,
        base_wer=evaluation.base.score.wer,
        tuned_wer=tuned.score.wer,
        tuned_low=tuned.wer_interval.low,
        tuned_high=tuned.wer_interval.high,
        tuned_cer=tuned.score.cer,
        verdict=evaluation.difference.verdict,
        same_phrases=same_phrases,
    )


def _heard_words(score: UtteranceScore) -> Iterator[HeardWord]:
    for edit in score.edits:
        if edit.kind != "insert":
            yield HeardWord(fold_text(edit.reference), edit.kind == "equal")
