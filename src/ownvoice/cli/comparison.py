"""An evaluation as tables on stdout: base against tuned, and a few phrases side by side."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ownvoice.evaluation.compare import Interval
from ownvoice.evaluation.evaluate import Evaluation
from ownvoice.evaluation.report import percent
from ownvoice.evaluation.wer import UtteranceScore
from ownvoice.quantities import counted

PHRASES_SHOWN = 5
"""The first ones of the test set: not chosen by how they turned out."""

_STYLES = {"equal": "", "substitute": "red", "insert": "red", "delete": "red strike"}


def print_comparison(evaluation: Evaluation, report: Path | None) -> None:
    """Print figures with their intervals, names if any were asked for, five phrases, and where the page lies if any."""
    console = Console()
    console.print(_figures(evaluation, "" if evaluation.notes else " never trained on"))
    if evaluation.names:
        console.print(_names(evaluation))
    console.print(_phrases(evaluation))
    console.print(f"\n{evaluation.headline.text}. {evaluation.difference.sentence}", highlight=False)
    for warning in evaluation.warnings:
        console.print(f"Note: {warning}", highlight=False, markup=False)
    if report:
        console.print(f"Report: {report}", highlight=False, markup=False, soft_wrap=True)


def _figures(evaluation: Evaluation, held_out: str) -> Table:
    base, tuned = evaluation.base, evaluation.tuned
    table = Table(title=f"On {counted(evaluation.n, 'phrase')}{held_out}", title_justify="left")
    table.add_column("")
    table.add_column("base", justify="right")
    table.add_column("tuned", justify="right")
    table.add_row("word error rate (WER)", percent(base.score.wer), percent(tuned.score.wer))
    table.add_row("  95 % interval", _interval(base.wer_interval), _interval(tuned.wer_interval))
    table.add_row("character error rate (CER)", percent(base.score.cer), percent(tuned.score.cer))
    table.add_row("text nobody said", percent(base.hallucinations.rate), percent(tuned.hallucinations.rate))
    return table


def _interval(interval: Interval) -> str:
    return f"{percent(interval.low)} to {percent(interval.high)}"


def _names(evaluation: Evaluation) -> Table:
    table = Table("name", "said", "base right", "tuned right")
    for name in evaluation.names:
        table.add_row(name.name, str(name.said), str(name.base_right), str(name.tuned_right))
    return table


def _phrases(evaluation: Evaluation) -> Table:
    table = Table("said", "base heard", "tuned heard", title="Side by side", title_justify="left", show_lines=True)
    for row in evaluation.rows[:PHRASES_SHOWN]:
        table.add_row(Text(row.phrase.text), _marked(row.base), _marked(row.tuned))
    return table


def _marked(score: UtteranceScore) -> Text:
    """What was heard, with wrong words in red and words left out struck through."""
    heard = Text()
    for edit in score.edits:
        heard.append(edit.hypothesis or edit.reference, _STYLES[edit.kind])
        heard.append(" ")
    return heard
