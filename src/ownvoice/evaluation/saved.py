"""``RUN/evaluation.json``: an evaluation written for programs, and read back whole.

What was measured is read; what follows from the texts (alignments, counts, the headline) is worked out again by the
same functions, so that a saved evaluation is as rich as a fresh one. No model and no recording is touched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ownvoice.errors import DataError
from ownvoice.evaluation.compare import Difference, Interval
from ownvoice.evaluation.evaluate import Evaluation, HeldOutPhrase, ModelResult
from ownvoice.evaluation.hallucination import find_hallucinations
from ownvoice.evaluation.names import NameCount
from ownvoice.evaluation.wer import score
from ownvoice.rundir import RunFolder, write_atomically


def save_evaluation(run: RunFolder, evaluation: Evaluation) -> None:
    """Write ``RUN/evaluation.json`` atomically.

    Raises
    ------
    StorageError
        when it cannot be written.
    """
    write_atomically(run.evaluation_json, json.dumps(evaluation.to_json(), ensure_ascii=False, indent=1) + "\n")


def load_evaluation(run: RunFolder) -> Evaluation:
    """The saved evaluation of a run; each phrase's ``audio`` is its file's name alone.

    Raises
    ------
    DataError
        when the run was not evaluated, or the file is damaged or of an older version.
    """
    mend = "Evaluate the run again."
    try:
        return _evaluation(json.loads(run.evaluation_json.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise DataError("this run was not compared with its base yet", where=run.path, mend=mend) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"cannot be read as an evaluation ({error!r})", where=run.evaluation_json, mend=mend) from error


def _evaluation(content: Mapping[str, Any]) -> Evaluation:
    language, difference = content["language"], content["difference"]
    phrases = tuple(HeldOutPhrase(row["id"], Path(row["audio"]), row["text"]) for row in content["phrases"])
    return Evaluation(
        language=language,
        phrases=phrases,
        base=_model(content, "base", phrases),
        tuned=_model(content, "tuned", phrases),
        difference=Difference(
            wer=difference["wer"],
            interval=Interval(difference["wer_low"], difference["wer_high"]),
            p=difference["p"],
            verdict=content["verdict"],
            phrases=len(phrases),
        ),
        names=tuple(NameCount(**name) for name in content["names"]),
        seed=content["seed"],
        window_in_use=content.get("windows", {}).get("in_use", "standard"),
    )


def _model(content: Mapping[str, Any], side: str, phrases: tuple[HeldOutPhrase, ...]) -> ModelResult:
    figures, language = content[side], content["language"]
    texts = tuple(row[side]["text"] for row in content["phrases"])
    scored = score([phrase.text for phrase in phrases], texts, language)
    return ModelResult(
        transcripts=texts,
        score=scored,
        accent_folded=scored.accent_folded(),
        wer_interval=Interval(figures["wer_low"], figures["wer_high"]),
        cer_interval=Interval(figures["cer_low"], figures["cer_high"]),
        hallucinations=find_hallucinations(scored, figures["on_silence"], language),
    )
