"""Speech from the microphone to text, phrase by phrase, with one model.

Hands-free a phrase ends with a pause; push-to-talk it lasts from one key press to the next, however often the person
halts. What becomes of the text is the caller's to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from ownvoice.workflow.transcribe import open_recogniser

if TYPE_CHECKING:
    pass


class Dictation:
    """A loaded model that listens."""

    def __init__(self, model: str, language: str | None) -> None:
        """Raises as :func:`~ownvoice.workflow.transcribe.open_recogniser`."""
        self._recogniser, self._language = open_recogniser(model, language)

    def hands_free(self, sound: Iterable[np.ndarray], pause: float) -> Iterator[str]:
        """The text of each phrase, as soon as a pause of so many seconds ends it.

        Parameters
        ----------
        sound
            Samples as they come, float32 at 16 kHz.
        """
        from ownvoice.model.recording import Piece, hear
        from ownvoice.serving.phrases import Phrase, PhraseCutter

        cutter = PhraseCutter(self._recogniser.window.samples, pause)

        def texts(phrases: list[Phrase]) -> Iterator[str]:
            pieces = [Piece(phrase.stretch, phrase.samples) for phrase in phrases]
            yield from (segment.text for segment in hear(self._recogniser, pieces, self._language) if segment.text)

        for block in sound:
            yield from texts(cutter.feed(block))
        yield from texts(cutter.finish())

    def push_to_talk(self, sound: Iterable[np.ndarray], released: Callable[[], bool]) -> str:
        """The text of all that is said until ``released`` says that the key was pressed again."""
        from ownvoice.model.recording import transcribe_long

        blocks = []
        for block in sound:
            blocks.append(block)
            if released():
                break
        if not blocks:
            return ""
        return transcribe_long(self._recogniser, np.concatenate(blocks), self._language).text
