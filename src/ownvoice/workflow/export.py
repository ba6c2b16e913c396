"""A trained model in a form for other programs, and what it says compared with what the run says.

The forms themselves are written by :mod:`ownvoice.model`; here they are put in place whole, private to this person, and
listened to on the phrases the run was judged on. vLLM is not run: its two forms are checked by name.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from ownvoice.config import TrainingSettings
from ownvoice.data.recording import AudioSource
from ownvoice.errors import StorageError, UsageError
from ownvoice.evaluation.evaluate import Evaluation, Transcriber, evaluate
from ownvoice.events import StageProgress
from ownvoice.rundir import RunFolder, write_atomically
from ownvoice.workflow.judge import held_out_phrases, transcriber

if TYPE_CHECKING:
    from ownvoice.model.quantised import Quantisation

ExportFormat = Literal["merged", "vllm-adapter", "mistral"]
FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)
_PHRASES_COMPARED = 10
"""Of an export that should say the same word for word: a wrong merge shows in the first."""


@dataclass(frozen=True)
class Exported:
    """What was written, how to use it, and how it compares."""

    folder: Path
    format: ExportFormat
    quantised: Quantisation | None
    use: str
    """A command or a line of Python that uses it."""
    comparison: Evaluation | None
    """The run as "base", the export as "tuned"; None where no phrases were kept apart or nothing here can read it."""

    @property
    def same_transcripts(self) -> int | None:
        """On how many of the phrases both wrote the same, letter for letter."""
        if self.comparison is None:
            return None
        return sum(row.base_text == row.tuned_text for row in self.comparison.rows)

    def to_json(self) -> dict[str, object]:
        """Plain values; rates are fractions."""
        row: dict[str, object] = {"folder": str(self.folder), "format": self.format, "use": self.use}
        if self.quantised:
            row["quantised"] = self.quantised
        if self.comparison is not None:
            row |= {"n": self.comparison.n, "same_transcripts": self.same_transcripts} | _error_rates(self.comparison)
        return row


def export_model(
    source: str,
    form: ExportFormat,
    *,
    quantise: Quantisation | None = None,
    to: Path | None = None,
    progress: StageProgress,
) -> Exported:
    """Write a trained model in another form.

    Parameters
    ----------
    source
        A run; or "tiny", a model's folder, a Hub id, for which ``to`` has to be given.
    quantise
        Fewer bits for the weights of format "merged"; its word error rate is measured beside the run's.
    to
        A folder that does not exist yet; left out, one in the run's folder.

    Raises
    ------
    UsageError
        when quantisation is asked for in another format than "merged", or there is no place to write to.
    StorageError
        when the folder is there already, or cannot be written.
    ModelError
        when the model cannot be loaded, or cannot be written in this form.
    """
    from ownvoice.training.durable import place_folder

    if quantise is not None and form != "merged":
        raise UsageError(f"only --format merged can be quantised, not {form}", mend="Leave --quantize out.")
    run = RunFolder(Path(source)) if RunFolder(Path(source)).config.is_file() else None
    folder = to or _own_place(source, run, form if quantise is None else f"{form}-{quantise}")
    if folder.exists():
        raise StorageError("there is something here already", where=folder, mend="Move it away or choose another --to.")
    progress("Writing the model", 0, None)
    use = ""

    def fill(new: Path) -> None:
        nonlocal use
        use = _write(source, form, quantise, new, folder)

    place_folder(folder, fill)
    comparison = _compare(run, folder, quantise, progress) if form == "merged" and run is not None else None
    if quantise is not None and comparison is not None:
        figures = {"quantised": quantise, "n": comparison.n} | _error_rates(comparison)
        write_atomically(folder / "quantisation.json", json.dumps(figures, indent=1) + "\n")
    return Exported(folder, form, quantise, use, comparison)


def _own_place(source: str, run: RunFolder | None, name: str) -> Path:
    if run is None:
        raise UsageError("this is no training run, so there is no folder to write to", where=source, mend="Give --to.")
    return run.export(name)


def _write(source: str, form: ExportFormat, quantise: Quantisation | None, new: Path, final: Path) -> str:
    """Fill ``new``, which will be called ``final``; returns the line that uses it."""
    from ownvoice.model import export
    from ownvoice.model.mistral_layout import write_mistral_layout
    from ownvoice.model.source import find_model
    from ownvoice.model.vllm_adapter import export_vllm_adapter

    if form == "vllm-adapter":
        return export_vllm_adapter(source, new).command("me", final.absolute())
    if form == "mistral":
        write_mistral_layout(export.merged(source), find_model(source).base / "tekken.json", new)
        return f"vllm serve {final} --tokenizer-mode mistral --config-format mistral --load-format mistral"
    if quantise is None:
        export.merge_run(source, new)
    else:
        with tempfile.TemporaryDirectory(dir=new.parent, prefix=f".{final.name}.merged-") as plain:
            export.merge_run(source, Path(plain))
            export.quantise(Path(plain), new, quantise)
    return f'transformers.VoxtralForConditionalGeneration.from_pretrained("{final}")'


def _compare(run: RunFolder, folder: Path, quantise: Quantisation | None, progress: StageProgress) -> Evaluation | None:
    """The run and the export hear the same phrases, one model in memory at a time; None where there are no phrases."""
    from ownvoice.model.load import load_recogniser

    settings = TrainingSettings.load(run.config)
    phrases = held_out_phrases(run)
    phrases = phrases if quantise else phrases[:_PHRASES_COMPARED]
    if not phrases:
        return None

    def hearing(source: Path, stage: str) -> Transcriber:
        def transcribe(clips: Sequence[AudioSource]) -> list[str]:
            return transcriber(load_recogniser(source), settings.language, progress, stage)(clips)

        return transcribe

    return evaluate(
        phrases,
        base=hearing(run.path, "Run listens"),
        tuned=hearing(folder, "Export listens"),
        language=settings.language,
        seed=settings.seed,
    )


def _error_rates(comparison: Evaluation) -> dict[str, object]:
    return {"wer_run": comparison.base.score.wer, "wer_export": comparison.tuned.score.wer}
