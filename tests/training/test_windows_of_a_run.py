"""Runs in short windows: which steps, what auto decides, going on, and how the result is heard."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import torch
from killable import settings, train_clips
from safetensors.torch import load_file, save_file

from ownvoice import events
from ownvoice.model.cache import FeatureStore
from ownvoice.model.load import load_recogniser
from ownvoice.rundir import RunFolder
from ownvoice.training.dev import DevScore
from ownvoice.training.examples import Clip, ExampleMaker
from ownvoice.training.plan import Plan
from ownvoice.training.windows import compare_windows, upper_bound
from small_voxtral import build_small_voxtral

SHORT = {"window": "short", "epochs": 4, "optimiser": {"learning_rate": 3e-3}, "dev": {"every": 1}}


@pytest.fixture(scope="module")
def long_window(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose window is longer than the clips: 2.56 s, 32 tokens."""
    return build_small_voxtral(tmp_path_factory.mktemp("long-window"), seconds=2.56)


def of_kind(run: RunFolder, kind: type[events.Event]) -> list[events.Event]:
    return [event for event in events.read_events(run.events) if isinstance(event, kind)]


def test_three_steps_of_four_are_short_and_a_resumed_run_has_the_same() -> None:
    lengths = [(1, 8, 5)] * 400
    plan = Plan(lengths, batch_size=4, accumulate=1, epochs=4, seed=0, dev_every=1.0, short_share=0.75)
    short = [step.short for step in plan.steps_from(0)]
    assert 0.7 < sum(short) / len(short) < 0.8
    assert [step.short for step in plan.steps_from(123)] == short[123:]
    every = Plan(lengths, batch_size=4, accumulate=1, epochs=1, seed=0, dev_every=1.0, short_share=1.0)
    none = Plan(lengths, batch_size=4, accumulate=1, epochs=1, seed=0, dev_every=1.0)
    assert all(step.short for step in every.steps_from(0))
    assert not any(step.short for step in none.steps_from(0))


@pytest.mark.parametrize("scope", ["both", "decoder"])
def test_stopped_run_goes_on_as_if_never_stopped(
    long_window: Path, clips: list[Clip], run: RunFolder, tmp_path: Path, scope: str
) -> None:
    chosen = settings(long_window, scope=scope, **SHORT)
    whole = RunFolder(tmp_path / "voice" / "runs" / "whole")
    whole.path.mkdir()
    train_clips(whole, chosen, clips)

    def press(event: events.Event) -> None:
        if isinstance(event, events.Step) and event.step == 13:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_clips(run, chosen, clips, listeners=[press])
    train_clips(run, chosen, clips, resume=True)
    losses = [[event.loss for event in of_kind(one, events.Step)] for one in (run, whole)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    assert all(look.short_wer is not None for look in of_kind(run, events.Eval))


def test_what_is_read_ahead_is_what_is_read(long_window: Path, clips: list[Clip], tmp_path: Path) -> None:
    recogniser = load_recogniser(long_window, device="cpu")
    for scope in ("both", "decoder"):
        chosen = settings(long_window, scope=scope, window="short")
        maker = ExampleMaker(recogniser, FeatureStore(tmp_path / scope), chosen)
        examples = maker.prepare(clips[:4], None, lambda: None)
        for short in (False, True):
            plain = maker.batch(examples, 0, short=short)
            maker.read_ahead(examples, 0, short=short)
            ahead = maker.batch(examples, 0, short=short)
            assert all(map(torch.equal, plain.sound, ahead.sound))
            assert torch.equal(plain.ids, ahead.ids)
        assert maker.batch(examples, 0, short=True).ids.shape[1] < maker.batch(examples, 0).ids.shape[1]


@pytest.mark.parametrize(("rates", "chosen"), [((0.5, 0.5), "short"), ((0.5, 0.6), "standard"), ((1.0, 1.2), "short")])
def test_auto_asks_the_base_once_and_keeps_to_it(
    long_window: Path, clips: list[Clip], run: RunFolder, rates: tuple[float, float], chosen: str
) -> None:
    given = [*rates, *[0.9] * 20]

    def score(references: object, hypotheses: object) -> DevScore:
        return DevScore(given.pop(0), 0.0)

    asked = settings(long_window, **(SHORT | {"window": "auto"}))

    def press(event: events.Event) -> None:
        if isinstance(event, events.Checkpoint):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_clips(run, asked, clips, score=score, listeners=[press])
    train_clips(run, asked, clips, score=score, resume=True)
    (told,) = of_kind(run, events.Windows)
    assert (told.chosen, told.standard_wer, told.short_wer) == (chosen, *rates)
    assert told.divergence > 0 and told.short_loss != told.standard_loss
    assert told.loss_difference < told.loss_bound < 0.3
    assert f"at most {told.loss_bound:+.2f}" in told.sentence
    assert ("no worse" in told.sentence) == (chosen == "short")
    assert all((look.short_wer is not None) == (chosen == "short") for look in of_kind(run, events.Eval))


def compared(folder: Path, clips: list[Clip], tmp_path: Path, rate: float) -> events.Windows:
    """What is found of a base whose WER is the same in whole and in short windows."""
    recogniser = load_recogniser(folder, device="cpu")
    chosen = settings(folder, window="auto")
    maker = ExampleMaker(recogniser, FeatureStore(tmp_path / "cache"), chosen)
    dev = maker.prepare(clips, None, lambda: None)
    return compare_windows(recogniser, maker, dev, chosen, lambda *_: DevScore(rate, 0.0), lambda: None)


@pytest.mark.parametrize("rate", [0.5, 1.0])
def test_auto_takes_whole_windows_where_the_loss_does_not_show_that_short_ones_do_no_harm(
    long_window: Path, clips: list[Clip], tmp_path: Path, rate: float
) -> None:
    assert compared(long_window, clips[-8:], tmp_path, rate).chosen == "short"
    assert compared(long_window, clips[-2:], tmp_path, rate).chosen == "standard", "two recordings show nothing"
    sure = Path(shutil.copytree(long_window, tmp_path / "sure"))
    weights = load_file(sure / "model.safetensors")
    head = next(name for name in weights if name.endswith("lm_head.weight"))
    save_file(weights | {head: 100 * weights[head]}, sure / "model.safetensors", {"format": "pt"})
    told = compared(sure, clips[-8:], tmp_path, rate)
    assert told.loss_bound is not None and told.loss_bound > 0.3
    assert told.chosen == "standard" and "does not show that the base model hears as well" in told.sentence


def test_bound_of_a_difference_is_students() -> None:
    rng = np.random.default_rng(0)
    for count in (3, 5, 20, 400):
        differences = rng.normal(0.1, 0.4, count)
        error = differences.std(ddof=1) / count**0.5
        expected = scipy.stats.t.interval(0.9, count - 1, differences.mean(), error)[1]
        assert upper_bound(list(differences)) == pytest.approx(expected, rel=5e-3)
    assert upper_bound([0.1, 0.2]) is None


def test_run_is_heard_in_short_windows_only_where_its_best_look_was_no_worse(
    long_window: Path, clips: list[Clip], run: RunFolder
) -> None:
    given = [0.5, 0.4, 0.3, 0.6, 0.6, 0.1, 0.6, 0.1]  # whole and short windows in turn; the second look is the best

    def score(references: object, hypotheses: object) -> DevScore:
        return DevScore(given.pop(0), 0.0)

    train_clips(run, settings(long_window, **SHORT), clips, score=score)
    assert not load_recogniser(run.path).short_windows
    kept = run.events.read_text()
    hopeless = kept.replace('"dev_wer": 0.3', '"dev_wer": 1.0').replace('"short_wer": 0.6', '"short_wer": 1.0')
    assert hopeless != kept
    run.events.write_text(hopeless)
    assert not load_recogniser(run.path).short_windows, "as wrong in both says nothing"
    run.events.write_text(kept.replace('"short_wer": 0.6', '"short_wer": 0.3', 1))
    tuned = load_recogniser(run.path)
    assert tuned.short_windows
    with tuned.as_base() as base:
        assert not base.short_windows
    assert tuned.short_windows
