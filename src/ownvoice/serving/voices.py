"""The models a server answers with, by the names clients ask for: several adapters share one base in memory.

Loads them and lets one at a time speak. Which requests are heard together is :mod:`ownvoice.serving.batching`'s.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ownvoice.errors import UsageError
from ownvoice.model.load import Recogniser, add_voice, load_recogniser
from ownvoice.model.source import find_model
from ownvoice.rundir import RunFolder


@dataclass(frozen=True)
class Voice:
    """One model that can be asked for."""

    name: str
    recogniser: Recogniser
    """Shared by every voice with the same base."""
    adapter: str | None
    """Name of its adapter in the recogniser; None for a model without one."""
    language: str | None
    """Language it was tuned with; None to detect it."""
    short_windows: bool = False
    """Whether it hears in windows that end soon after the sound."""

    @contextlib.contextmanager
    def speaking(self) -> Iterator[Recogniser]:
        """The loaded model, answering as this voice for as long as the block lasts."""
        if self.adapter is not None:
            self.recogniser.speak_as(self.adapter)
            self.recogniser.short_windows = self.short_windows
            yield self.recogniser
        elif self.recogniser.adapter is not None:
            with self.recogniser.as_base():
                yield self.recogniser
        else:
            yield self.recogniser


def load_voices(asked: Sequence[str]) -> dict[str, Voice]:
    """Load models, each base once.

    Parameters
    ----------
    asked
        ``NAME=MODEL`` or ``MODEL``; a model is a run, a folder, a Hub id, or "tiny". Without a name a run goes by its
        voice's, everything else by its own.

    Raises
    ------
    UsageError
        when two have the same name.
    ModelError
        when one cannot be loaded.
    """
    voices: dict[str, Voice] = {}
    loaded: dict[Path, Recogniser] = {}
    for entry in asked:
        name, source = _name_and_source(entry)
        if name in voices:
            raise UsageError(f"two models are called {name!r}", mend="Give each a name: --model NAME=RUN.")
        found = find_model(source)
        if found.base not in loaded:
            loaded[found.base] = load_recogniser(found.base_name)
        recogniser = loaded[found.base]
        adapter = None
        if found.adapter is not None:
            adapter = f"voice-{len(voices)}"
            add_voice(recogniser, found.adapter, adapter)
        voices[name] = Voice(name, recogniser, adapter, found.language, found.short_windows)
    return voices


def _name_and_source(entry: str) -> tuple[str, str]:
    name, equals, source = entry.partition("=")
    if equals and name and "/" not in name and not Path(entry).exists():
        return name, source
    run = RunFolder(Path(entry))
    return (run.voice.path.resolve().name if run.config.is_file() else entry), entry
