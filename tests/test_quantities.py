"""How numbers, bytes and seconds are said to a person."""

from __future__ import annotations

import pytest

from ownvoice.quantities import counted, duration, readable_size


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 second"), (60, "60 seconds"), (600, "10 minutes"), (9000, "2.5 hours"), (4e5, "5 days")],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("size", "said"), [(999, "999 bytes"), (1_200, "1.2 kB"), (340_000_000, "340.0 MB"), (9_400_000_000, "9.4 GB")]
)
def test_sizes(size: int, said: str) -> None:
    assert readable_size(size) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 takes"), (1, "1 take"), (2, "2 takes"), (1.0, "1 take"), (2.5, "2.5 takes"), (12_345, "12,345 takes")],
)
def test_numbers_of_things(number: float, said: str) -> None:
    assert counted(number, "take") == said


def test_a_plural_of_its_own() -> None:
    assert [counted(n, "phrase was", "phrases were") for n in (1, 2)] == ["1 phrase was", "2 phrases were"]
