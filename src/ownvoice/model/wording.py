"""Repairs of written text that need no sound: the seam of two overlapping stretches, and words said over and over.

Words are compared without case and punctuation. Which text needs a repair is decided by
:mod:`ownvoice.model.recording`.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher

LONGEST_UNIT = 12
"""Words of the longest phrase looked for as repeated: loops of language models are short."""
FEWEST_REPEATS = 8
"""So often in a row is nothing said by a person, stuttering included ("I I I I want" is four)."""
SEAM_WORDS = 12
"""Words at a seam: two seconds hold eight at most, and a model may write a few more."""


def is_looping(text: str) -> bool:
    """Whether a phrase stands in it :data:`FEWEST_REPEATS` times in a row."""
    return _first_loop(_plain(text.split())) is not None


def without_loops(text: str) -> str:
    """The text with every looping phrase once."""
    words = text.split()
    while (loop := _first_loop(_plain(words))) is not None:
        start, unit, repeats = loop
        del words[start + unit : start + unit * repeats]
    return " ".join(words)


def join_at_seam(before: str, after: str) -> tuple[str, str]:
    """Drop what is in both texts because it was heard twice, at the words they agree on.

    ``before`` ends and ``after`` begins in the middle of a word, so the broken words beyond what they agree on are
    dropped too. Where they agree on nothing both stay as they are: words twice are better than words lost.
    """
    left, right = before.split(), after.split()
    tail, head = _plain(left[-SEAM_WORDS:]), _plain(right[:SEAM_WORDS])
    match = SequenceMatcher(None, tail, head, autojunk=False).find_longest_match()
    if match.size == 0:
        return before, after
    kept = max(0, len(left) - SEAM_WORDS) + match.a + match.size
    return " ".join(left[:kept]), " ".join(right[match.b + match.size :])


def _first_loop(words: list[str]) -> tuple[int, int, int] | None:
    """Start, length in words and number of repeats of the first looping phrase, the shortest unit first."""
    for unit in range(1, LONGEST_UNIT + 1):
        run = 0
        for place in range(unit, len(words)):
            run = run + 1 if words[place] == words[place - unit] else 0
            following = words[place + 1] if place + 1 < len(words) else None
            ends_here = following != words[place + 1 - unit]
            if ends_here and run >= unit * (FEWEST_REPEATS - 1):
                return place - run - unit + 1, unit, run // unit + 1
    return None


def _plain(words: list[str]) -> list[str]:
    return [re.sub(r"\W", "", word).casefold() or word for word in words]
