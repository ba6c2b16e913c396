"""Is it worth recording more? The same training on a quarter and a half of the recordings, beside the whole.

Each part is a run of its own that waits in the queue; it has the settings, the dev set and the test set of the run it
is compared with, and the half holds the quarter. What comes of it is read from the runs' evaluations, so it is as far
as they are and no step of it can be lost.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from ownvoice.config import TrainingSettings
from ownvoice.data.manifest import read_manifest
from ownvoice.data.split import Split, load_split
from ownvoice.errors import DataError, TooLittleDataError, TrainingError
from ownvoice.evaluation.compare import Verdict, compare
from ownvoice.evaluation.saved import load_evaluation
from ownvoice.rundir import RunFolder, VoiceFolder, write_atomically
from ownvoice.workflow.run_view import RunWatch, State
from ownvoice.workflow.runs import find, start

SHARES = (0.25, 0.5)
"""Of the recordings trained on; with the whole these are two doublings, enough to see whether the curve is flat."""
FEWEST = 12
"""Recordings needed to train on: a quarter of fewer teaches nothing."""

Worth = Literal["yes", "unclear", "no"]

_ANSWERS: Mapping[Verdict, Worth] = {"better": "yes", "unclear": "unclear", "worse": "no"}


@dataclass(frozen=True)
class Point:
    """One training on a part of the recordings."""

    share: float
    train: int
    """Utterances trained on."""
    run: str
    state: State
    wer: float | None
    """On the test set; None until the run was evaluated. The interval is of 95 %."""
    low: float | None
    high: float | None


@dataclass(frozen=True)
class LearningCurve:
    """The points in the order of their size, the last of them the whole."""

    of: str
    """The run that was trained on all."""
    points: tuple[Point, ...]
    worth: Worth | None
    """Whether twice the recordings brought fewer mistakes; None until both runs of that comparison are done.

    "yes" or "no" where the whole is better or worse than its half by more than chance, on the same phrases.
    """

    def to_json(self) -> dict[str, object]:
        """``{"of", "worth", "sentence", "points": [{"share", "train", "run", "state", "wer", "low", "high"}]}``."""
        return {
            "of": self.of,
            "worth": self.worth,
            "sentence": self.sentence,
            "points": [asdict(point) for point in self.points],
        }

    @property
    def sentence(self) -> str:
        """The answer in plain words; empty while there is none."""
        match self.worth:
            case "yes":
                return "Yes: with all recordings it hears you better than with half of them, so more will likely help."
            case "no":
                return "Not by itself: all recordings brought no gain over half of them. Look for wrong texts first."
            case "unclear":
                return "It cannot be told: all recordings and half of them came out the same within chance."
        return ""


def start_learning_curve(run: RunFolder) -> LearningCurve:
    """Train on a quarter and a half of what ``run`` was trained on, each in its turn; an older curve is replaced.

    Raises
    ------
    TrainingError
        when ``run`` was not trained to its end.
    TooLittleDataError
        when it was trained on fewer than :data:`FEWEST` utterances.
    DataError
        when it was not evaluated, or its recordings are no longer there.
    """
    if RunWatch(run).look().story.trained is None:
        raise TrainingError("this run was not trained to its end", where=run.path, mend="Let it go on first.")
    load_evaluation(run)
    settings = TrainingSettings.load(run.config)
    split = load_split(run, read_manifest(run.voice).utterances)
    if len(split.train) < FEWEST:
        raise TooLittleDataError(
            f"it was trained on {len(split.train)} recordings, and this takes at least {FEWEST}",
            where=run.path,
            mend="Record more: with so few it is always worth it.",
        )
    order = sorted(split.train, key=lambda name: hashlib.sha256(f"{settings.seed}\n{name}".encode()).digest())
    parts: list[tuple[float, str]] = []
    for share in SHARES:
        chosen = set(order[: round(share * len(order))])
        part = Split([name for name in split.train if name in chosen], split.dev, split.test)
        parts.append((share, start(run.voice, settings, part).path.name))
    content = {"of": run.path.name, "parts": [{"share": share, "run": name} for share, name in parts]}
    write_atomically(run.voice.learning_curve, json.dumps(content, indent=1) + "\n")
    return _read(run.voice, run.path.name, parts)


def learning_curve_of(voice: VoiceFolder) -> LearningCurve | None:
    """The voice's learning curve as far as it is; None where nobody asked for one.

    Raises
    ------
    DataError
        when ``learning_curve.json`` is damaged.
    TrainingError
        when one of its runs was deleted.
    """
    try:
        content = json.loads(voice.learning_curve.read_text(encoding="utf-8"))
        parts = [(float(part["share"]), str(part["run"])) for part in content["parts"]]
        of = str(content["of"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError("cannot be read", where=voice.learning_curve, mend="Ask for the learning curve anew.") from None
    return _read(voice, of, parts)


def _read(voice: VoiceFolder, of: str, parts: Sequence[tuple[float, str]]) -> LearningCurve:
    points = [_point(voice, share, name) for share, name in (*parts, (1.0, of))]
    half, whole = (find(voice, point.run) for point in points[-2:])
    return LearningCurve(of, tuple(points), _worth(half, whole))


def _point(voice: VoiceFolder, share: float, name: str) -> Point:
    run = find(voice, name)
    view = RunWatch(run).look()
    train = len(load_split(run, read_manifest(voice).everything).train)
    if view.story.evaluated is None:
        return Point(share, train, name, view.state, None, None, None)
    tuned = load_evaluation(run).tuned
    return Point(share, train, name, view.state, tuned.score.wer, tuned.wer_interval.low, tuned.wer_interval.high)


def _worth(half: RunFolder, whole: RunFolder) -> Worth | None:
    """Both were judged on the same phrases, so the difference is taken phrase by phrase."""
    if not (half.evaluation_json.is_file() and whole.evaluation_json.is_file()):
        return None
    with_half, with_all = load_evaluation(half), load_evaluation(whole)
    if with_half.phrases != with_all.phrases:
        return "unclear"  # a phrase was corrected or set aside between the two
    return _ANSWERS[compare(with_half.tuned.score, with_all.tuned.score).difference.verdict]
