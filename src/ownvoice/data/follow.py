"""A manifest kept in memory, of which only what was added is read again, so that saving the 500th take costs no more
than the first.

The file stays the truth: when it was changed in any other way than by adding lines, all of it is read anew. Lines that
cannot be used are passed over here; ``check.py`` names them.
"""

from __future__ import annotations

import os
import threading

from ownvoice.data.manifest import LineSettler
from ownvoice.data.utterance import Utterance
from ownvoice.rundir import VoiceFolder


class ManifestFollower:
    """What a voice holds now; any number of threads may ask."""

    def __init__(self, voice: VoiceFolder) -> None:
        self.voice = voice
        self._lock = threading.Lock()
        self._begin()

    def everything(self) -> list[Utterance]:
        """All utterances that can be used, the excluded too, in the order of their first lines; none without a file."""
        with self._lock:
            self._follow()
            return [utterance for _, utterance in self._settled.by_id.values()]

    def _begin(self) -> None:
        self._read = b""
        self._settled = LineSettler(os.path.realpath(self.voice.path))

    def _follow(self) -> None:
        try:
            content = self.voice.manifest.read_bytes()
        except FileNotFoundError:
            content = b""
        whole = content[: content.rfind(b"\n") + 1]  # a line without its end is still being written
        if not whole.startswith(self._read):
            self._begin()
        for raw in whole[len(self._read) :].split(b"\n")[:-1]:
            self._settled.add(raw)
        self._read = whole
