"""``RUN/evaluation.html``: the evaluation as one page that asks nothing of any other file or server.

The page holds its style, its charts, and the recordings themselves; it runs no script, and its own policy forbids
every request. This module decides what is shown and in which order; words and looks are in ``templates/``. Everything
that came from a person or a model is escaped by the template engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import jinja2

from ownvoice.config import VOXTRAL_LANGUAGES, TrainingSettings
from ownvoice.evaluation.charts import group_by_length, scale_to
from ownvoice.evaluation.clips import MAX_BYTES, embed_clips
from ownvoice.evaluation.compare import DRAWS, Interval
from ownvoice.evaluation.evaluate import Evaluation, ModelResult, PhraseResult
from ownvoice.evaluation.hallucination import EXTRA_WORDS
from ownvoice.events import Windows, read_tail
from ownvoice.rundir import RunFolder, write_atomically

PARTIALS = Path(__file__).parent / "templates"
"""The page's templates; phrases, charts and their style (``marks.css``) are the app's too."""

Change = Literal["now right", "better", "right before and now", "no change", "worse"]


@dataclass(frozen=True)
class PhraseView:
    """A phrase as the page shows it."""

    number: int
    """Place in the test set, from 1, whatever the order on the page."""
    row: PhraseResult
    audio: str | None
    """Address of the recording, or None where the page would have become too large."""

    @property
    def gain(self) -> int:
        """Word errors fewer than before."""
        return self.row.base.words.errors - self.row.tuned.words.errors

    @property
    def change(self) -> Change:
        if self.gain < 0:
            return "worse"
        if self.gain > 0:
            return "better" if self.row.tuned.words.errors else "now right"
        return "no change" if self.row.tuned.words.errors else "right before and now"


@dataclass(frozen=True)
class Figure:
    """One line of the table of figures: each model's rate and, where there is one, its interval."""

    name: str
    meaning: str
    base: tuple[float, Interval | None]
    tuned: tuple[float, Interval | None]


def write_report(run: RunFolder, evaluation: Evaluation) -> None:
    """Write ``RUN/evaluation.html``, atomically.

    Raises
    ------
    TrainingError
        when ``run`` is not the folder of a run.
    AudioError
        when a phrase's recording can no longer be read.
    StorageError
        when the page cannot be written.
    """
    settings = TrainingSettings.load(run.require().config)
    asked = [record.event for record in read_tail(run.events).records if isinstance(record.event, Windows)]
    windows = asked[-1].sentence if asked else ""
    write_atomically(run.evaluation_html, _render(evaluation, settings, run.voice.path.resolve().name, windows))


def _render(evaluation: Evaluation, settings: TrainingSettings, voice: str, windows: str) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PARTIALS),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    groups = group_by_length(evaluation)
    rates = [group.base.rate for group in groups] + [group.tuned.rate for group in groups]
    views = phrases_by_gain(evaluation, embed_clips([phrase.audio for phrase in evaluation.phrases], MAX_BYTES))
    today = datetime.now(UTC)
    return environment.get_template("report.html.j2").render(
        evaluation=evaluation,
        voice=voice,
        settings=settings,
        windows=windows,
        language_name=VOXTRAL_LANGUAGES.get(evaluation.language or "", evaluation.language),
        made=f"{today.day} {today:%B %Y}",
        figures=_figures(evaluation.base, evaluation.tuned),
        interval_scale=scale_to(max(evaluation.base.wer_interval.high, evaluation.tuned.wer_interval.high)),
        groups=groups,
        group_scale=scale_to(max(rates)),
        phrases=views,
        without_audio=sum(view.audio is None for view in views),
        draws=DRAWS,
        extra_words=EXTRA_WORDS,
    )


def percent(rate: float) -> str:
    """A rate as people write it: 0.046 is "4.6%", 0.46 is "46%"."""
    points = 100 * rate
    return f"{points:.0f}%" if points >= 9.95 else f"{points:.1f}".removesuffix(".0") + "%"


def phrases_by_gain(evaluation: Evaluation, audio: Sequence[str | None]) -> list[PhraseView]:
    """Most improved first, so that the page begins with what training did and ends with what it spoilt.

    ``audio`` is the address of each phrase's recording, in the order of ``evaluation.phrases``.
    """
    views = [PhraseView(number, *pair) for number, pair in enumerate(zip(evaluation.rows, audio, strict=True), 1)]
    return sorted(views, key=lambda view: view.gain, reverse=True)


def _figures(base: ModelResult, tuned: ModelResult) -> list[Figure]:
    return [
        Figure(
            "Word error rate (WER)",
            "wrong, missing and extra words for 100 words said",
            (base.score.wer, base.wer_interval),
            (tuned.score.wer, tuned.wer_interval),
        ),
        Figure(
            "Character error rate (CER)",
            "the same for letters and spaces",
            (base.score.cer, base.cer_interval),
            (tuned.score.cer, tuned.cer_interval),
        ),
        Figure(
            "WER without accents",
            "with accents taken from both sides",
            (base.accent_folded.wer, None),
            (tuned.accent_folded.wer, None),
        ),
    ]
