"""How fast a run is and how long it will still take, from the steps and looks at the dev set it has done."""

from __future__ import annotations

from collections import deque

WINDOW = 20
"""Steps that count: enough to even out long and short batches, few enough to follow a machine that gets busy."""


class Pace:
    """Remembers the last steps and the last look; times are wall time in seconds."""

    def __init__(self) -> None:
        self._steps: deque[tuple[float, int]] = deque(maxlen=WINDOW)
        self._look: float | None = None

    def add_step(self, seconds: float, clips: int) -> None:
        self._steps.append((seconds, clips))

    def add_look(self, seconds: float) -> None:
        self._look = seconds

    @property
    def clips_per_second(self) -> float:
        """Utterances trained on in a second; 0 before the first step."""
        seconds = sum(spent for spent, _ in self._steps)
        return sum(clips for _, clips in self._steps) / seconds if seconds else 0.0

    def remaining(self, steps: int, looks: int) -> float | None:
        """Seconds for so many more steps and looks; None before the first step.

        A look not yet seen is taken to cost nothing, so the first figures of a run are a little too small.
        """
        if not self._steps:
            return None
        mean = sum(spent for spent, _ in self._steps) / len(self._steps)
        return steps * mean + looks * (self._look or 0.0)
