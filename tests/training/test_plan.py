"""Order, learning rate and looks at the dev set, as functions of the settings."""

from __future__ import annotations

import math

import pytest

from ownvoice.config import OptimiserSettings
from ownvoice.training.plan import Plan, epoch_batches, learning_rate

LENGTHS = [(1 + number // 40, 3 + number * 7 % 13) for number in range(50)]


def plan(**changes: object) -> Plan:
    values = {"batch_size": 4, "accumulate": 1, "epochs": 3, "seed": 0, "dev_every": 1.0}
    return Plan(lengths=tuple(LENGTHS), **(values | changes))  # type: ignore[arg-type]


def test_every_example_is_met_once_an_epoch_and_in_another_order_each_time() -> None:
    epochs = [epoch_batches(LENGTHS, 4, seed=0, epoch=epoch) for epoch in range(3)]
    for batches in epochs:
        assert sorted(index for batch in batches for index in batch) == list(range(50))
        assert max(map(len, batches)) == 4
    assert len({str(batches) for batches in epochs}) == 3
    assert epoch_batches(LENGTHS, 4, seed=0, epoch=1) == epochs[1]
    assert epoch_batches(LENGTHS, 4, seed=1, epoch=1) != epochs[1]


def test_batches_hold_examples_of_like_length() -> None:
    def spread(batches: list[list[int]]) -> float:
        return sum(max(LENGTHS[i][1] for i in batch) - min(LENGTHS[i][1] for i in batch) for batch in batches)

    by_chance = [list(range(start, min(start + 4, 50))) for start in range(0, 50, 4)]
    assert spread(epoch_batches(LENGTHS, 4, seed=0, epoch=0)) < spread(by_chance) / 2


@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_run_resumed_anywhere_meets_the_steps_that_were_left(accumulate: int) -> None:
    whole = list(plan(accumulate=accumulate).steps_from(0))
    assert len(whole) == plan(accumulate=accumulate).total == 3 * math.ceil(13 / accumulate)
    assert [step.number for step in whole] == list(range(len(whole)))
    assert sorted(i for step in whole if step.epoch == 1 for batch in step.batches for i in batch) == list(range(50))
    for first in (1, 4, 5, len(whole) - 1, len(whole)):
        assert list(plan(accumulate=accumulate).steps_from(first)) == whole[first:]


def test_dev_is_looked_at_each_so_many_epochs_and_at_the_end() -> None:
    looks = [done for done in range(1, 40) if plan(dev_every=2.0).looks_at_dev(done)]
    assert looks == [26, 39]
    assert [done for done in range(1, 40) if plan(dev_every=0.5).looks_at_dev(done)] == [6, 12, 18, 24, 30, 36, 39]
    assert all(plan(dev_every=0.001).looks_at_dev(done) for done in range(1, 40))


def test_learning_rate_rises_and_falls() -> None:
    cosine = OptimiserSettings(warmup=0.2, schedule="cosine")
    rates = [learning_rate(step, 10, 3.0, cosine) for step in range(10)]
    assert rates[:3] == pytest.approx([1.0, 2.0, 3.0])  # a third, two thirds, the peak
    assert rates[6] == pytest.approx(1.5)  # half of the fall: 3 x (1 + cos(pi / 2)) / 2
    assert rates == sorted(rates[:3]) + sorted(rates[3:], reverse=True)
    linear = OptimiserSettings(warmup=0, schedule="linear")
    assert [learning_rate(step, 4, 1.0, linear) for step in range(4)] == [1.0, 0.75, 0.5, 0.25]
