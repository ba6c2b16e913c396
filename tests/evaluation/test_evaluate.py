"""The front door: two transcribers in, one evaluation out, and the file programs read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from ownvoice.errors import DataError, TooLittleDataError
from ownvoice.evaluation.evaluate import Evaluation, HeldOutPhrase, Transcriber, evaluate
from ownvoice.evaluation.saved import load_evaluation, save_evaluation
from ownvoice.rundir import RunFolder

SAID = {"a": "Open the window, please.", "b": "I want tea", "c": "Yes"}
BASE = {"a": "hope the winter please", "b": "", "c": "yes yes I will see you", "hush": "Thank you!"}
TUNED = {"a": "Open the window please", "b": "I I want tea", "c": "Yes.", "hush": ""}


def from_table(table: dict[str, str]) -> Transcriber:
    def transcribe(clips: Sequence[Path]) -> list[str]:
        return [table[clip.stem] for clip in clips]

    return transcribe


@pytest.fixture
def evaluation() -> Evaluation:
    phrases = [HeldOutPhrase(name, Path("/somewhere/private") / f"{name}.wav", text) for name, text in SAID.items()]
    return evaluate(
        phrases,
        base=from_table(BASE),
        tuned=from_table(TUNED),
        language="en",
        silence=[Path("hush.wav")],
        names=["Tea"],
        seed=3,
    )


def test_every_figure(evaluation: Evaluation) -> None:
    assert evaluation.n == 3
    assert evaluation.base.score.words.errors == 2 + 3 + 5
    assert evaluation.base.score.wer == 10 / 8  # over 1: words were made up
    assert evaluation.tuned.score.wer == 1 / 8
    assert evaluation.difference.wer == pytest.approx(-9 / 8)
    assert evaluation.difference.verdict == "unclear"  # three phrases
    assert [(name.base_right, name.tuned_right) for name in evaluation.names] == [(0, 1)]
    assert evaluation.base.hallucinations.rate == 2 / 4
    assert evaluation.tuned.hallucinations.rate == 0
    assert evaluation.headline.text == "No clear change: now 10 of 10 words; before, 4 of 10"


def test_rows_stand_side_by_side_in_the_order_given(evaluation: Evaluation) -> None:
    row = evaluation.rows[2]
    assert (row.phrase.text, row.base_text, row.tuned_text) == ("Yes", "yes yes I will see you", "Yes.")
    assert (row.base.words.errors, row.tuned.words.errors) == (5, 0)
    assert (row.base_overlong, row.tuned_overlong) == (True, False)


def test_file_that_programs_read(evaluation: Evaluation, tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    save_evaluation(run, evaluation)
    saved = json.loads(run.evaluation_json.read_text(encoding="utf-8"))
    assert saved["n"] == 3
    for model in ("base", "tuned"):
        assert saved[model]["wer_low"] <= saved[model]["wer"] <= saved[model]["wer_high"]
        assert {"cer", "wer_accent_folded", "hallucination_rate"} <= saved[model].keys()
    assert saved["base"]["wer"] == 1.25
    assert saved["base"]["silent_clips_with_text"] == 1
    assert saved["verdict"] == "unclear"
    assert saved["warnings"][0].startswith("Only 3 phrases")
    assert saved["names"] == [{"name": "Tea", "said": 1, "base_right": 0, "tuned_right": 1}]
    assert saved["phrases"][1]["tuned"]["edits"][1] == {"kind": "insert", "reference": "", "hypothesis": "i"}
    assert saved["phrases"][0]["audio"] == "a.wav"
    assert "private" not in run.evaluation_json.read_text(encoding="utf-8")


def test_the_same_seed_gives_the_same_file(evaluation: Evaluation) -> None:
    again = evaluate(
        evaluation.phrases,
        base=from_table(BASE),
        tuned=from_table(TUNED),
        language="en",
        silence=[Path("hush.wav")],
        names=["Tea"],
        seed=3,
    )
    assert again.to_json() == evaluation.to_json()


def test_nothing_to_judge_on() -> None:
    with pytest.raises(TooLittleDataError, match="no phrase to judge"):
        evaluate([], base=from_table(BASE), tuned=from_table(TUNED), language="en")


def test_a_transcriber_that_loses_a_clip_is_caught() -> None:
    phrases = [HeldOutPhrase("a", Path("a.wav"), "a"), HeldOutPhrase("b", Path("b.wav"), "b")]
    with pytest.raises(ValueError, match="1 texts for 2 audio files"):
        evaluate(phrases, base=lambda clips: ["a"], tuned=from_table(TUNED), language="en")


def test_saved_evaluation_is_read_back_whole(evaluation: Evaluation, tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with pytest.raises(DataError, match="not compared with its base yet"):
        load_evaluation(run)
    save_evaluation(run, evaluation)
    loaded = load_evaluation(run)
    assert loaded.to_json() == evaluation.to_json()
    assert loaded.base == evaluation.base
    assert loaded.headline == evaluation.headline
    run.evaluation_json.write_text('{"n": 3}')
    with pytest.raises(DataError, match="cannot be read as an evaluation"):
        load_evaluation(run)
