"""What a person is told of runs that ended: figures, what is still wrong, which models there are, if more helps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from following import settings
from made_up_runs import judge, trained_run
from ownvoice.data.manifest import read_manifest
from ownvoice.data.split import load_split
from ownvoice.errors import DataError, StorageError, TooLittleDataError, TrainingError
from ownvoice.rundir import VoiceFolder
from ownvoice.training.durable import held
from ownvoice.workflow import models, runs
from ownvoice.workflow.learning_curve import learning_curve_of, start_learning_curve
from ownvoice.workflow.results import compare_runs, results_of
from voices import make_voice


def deaf(said: str) -> str:
    return ""


def perfect(said: str) -> str:
    return said


def mishears(word: str, as_what: str):  # type: ignore[no-untyped-def]
    return lambda said: said.replace(word, as_what)


@pytest.fixture
def large(tmp_path: Path) -> VoiceFolder:
    """Enough phrases that a difference is no chance."""
    return make_voice(tmp_path / "voices" / "anna", 60, seconds=0.3)


def test_results_say_what_is_still_wrong(large: VoiceFolder) -> None:
    run = trained_run(large)
    with pytest.raises(DataError, match="not compared with its base yet"):
        results_of(run)
    evaluation = judge(run, deaf, mishears("water", "what are"))
    results = results_of(run)
    said = sum(phrase.text.split().count("water") for phrase in evaluation.phrases)
    assert said >= 2
    (wrong,) = results.wrong_words
    assert (wrong.word, wrong.said, wrong.wrong, wrong.heard_as) == ("water", said, said, ("are",))
    assert len(wrong.phrases) == said
    assert results.wrong_sounds and all("water" in sound.examples for sound in results.wrong_sounds)

    content = json.loads(json.dumps(results.to_json()))
    saved = json.loads(run.evaluation_json.read_text())
    assert {name: content[name] for name in saved} == saved
    assert content["picture"]["text"] == saved["headline"] and content["picture"]["before"] == 0
    assert content["wrong_words"][0]["word"] == "water"


def test_nothing_wrong_nothing_listed(large: VoiceFolder) -> None:
    run = trained_run(large)
    judge(run, deaf, perfect)
    assert results_of(run).wrong_words == () and results_of(run).wrong_sounds == ()


def test_several_runs_in_a_table(large: VoiceFolder) -> None:
    first = trained_run(large, epochs=3)
    judge(first, deaf, mishears("tea", "sea"))
    trained_run(large)  # not evaluated: nothing to compare
    other_split = load_split(first, read_manifest(large).utterances)
    other_split.test.pop()
    last = trained_run(large, other_split)
    judge(last, deaf, perfect)
    rows = compare_runs(large)
    assert [(row.run, row.tuned_wer == 0, row.same_phrases) for row in rows] == [
        (last.path.name, True, True),
        (first.path.name, False, False),
    ]
    assert (rows[1].epochs, rows[1].method, rows[1].verdict, rows[1].base_wer) == (3, "lora", "better", 1.0)


def test_models_are_listed_chosen_deleted_and_brought_back(large: VoiceFolder) -> None:
    run, empty = trained_run(large), large.new_run()
    settings(Path("tiny")).save(empty.config)
    name = run.path.name
    newest, model = models.models_of(large)
    assert (newest.view.has_model, model.view.has_model, model.is_mine) == (False, True, False)
    assert {part.kind: part.bytes for part in model.parts}["model"] == 1000
    assert model.to_json()["bytes"] == sum(path.stat().st_size for path in run.path.rglob("*") if path.is_file())

    assert models.mine(large) is None
    with pytest.raises(TrainingError, match="no trained model yet"):
        models.choose(large, empty.path.name)
    models.choose(large, name)
    assert models.mine(large) == run and models.models_of(large)[1].is_mine

    recordings = {path: path.read_bytes() for path in large.wavs.iterdir()}
    trashed = models.trash_run(large, name)
    assert models.mine(large) is None and [model.view.run for model in models.models_of(large)] == [empty]
    assert models.list_trashed_runs(large) == [trashed]
    assert models.restore_run(large, trashed.key) == name
    assert models.mine(large) == run
    trashed = models.trash_run(large, name)
    models.purge_run(large, trashed.key)
    assert models.list_trashed_runs(large) == [] and not run.path.exists()
    assert {path: path.read_bytes() for path in large.wavs.iterdir()} == recordings
    for wrong in (trashed.key, "..", ""):
        with pytest.raises(TrainingError, match="not in the trash"):
            models.restore_run(large, wrong)
    with pytest.raises(TrainingError, match="no such run"):
        models.trash_run(large, "../anna")


def test_run_at_work_is_not_deleted(large: VoiceFolder) -> None:
    run = trained_run(large)
    run.events.unlink()
    with held(run.lock), pytest.raises(StorageError, match="still at work"):
        models.trash_run(large, run.path.name)


def test_learning_curve_trains_on_parts_and_compares_them(large: VoiceFolder) -> None:
    assert learning_curve_of(large) is None
    run = trained_run(large)
    with pytest.raises(DataError, match="not compared"):
        start_learning_curve(run)
    judge(run, deaf, perfect)
    with held(large.queue / ".device"):
        curve = start_learning_curve(run)
        for point in curve.points[:2]:
            runs.cancel(runs.find(large, point.run))
    assert [(point.share, point.wer) for point in curve.points] == [(0.25, None), (0.5, None), (1.0, 0.0)]
    assert curve.worth is None and curve.sentence == ""

    utterances = read_manifest(large).utterances
    quarter, half, whole = (load_split(runs.find(large, point.run), utterances) for point in curve.points)
    assert set(quarter.train) < set(half.train) < set(whole.train)
    assert [len(part.train) for part in (quarter, half, whole)] == [point.train for point in curve.points]
    assert len(half.train) == round(len(whole.train) / 2)
    assert quarter.test == half.test == whole.test and quarter.dev == half.dev == whole.dev

    judge(runs.find(large, curve.points[1].run), deaf, deaf)
    read = learning_curve_of(large)
    assert read is not None
    assert (read.worth, read.points[1].wer, read.sentence[:4]) == ("yes", 1.0, "Yes:")
    judge(run, deaf, deaf)
    assert learning_curve_of(large).worth == "unclear"  # type: ignore[union-attr]
    large.learning_curve.write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        learning_curve_of(large)


def test_learning_curve_of_too_few_recordings(voice: VoiceFolder) -> None:
    run = trained_run(voice)
    judge(run, deaf, perfect)
    with pytest.raises(TooLittleDataError, match="at least 12"):
        start_learning_curve(run)
