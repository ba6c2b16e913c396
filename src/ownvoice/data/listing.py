"""A voice's utterances as a person looks through them: searched, a page at a time, with minutes by status.

Reads the manifest alone, the lines that can be used even where others cannot; it opens no sound but the headers of
recordings whose length was never written down. Changing one is ``manifest.revise_utterance``.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import Literal

from ownvoice.data.manifest import audio_file, scan_manifest
from ownvoice.data.shelf import counted_seconds
from ownvoice.data.utterance import Utterance, utterance_id
from ownvoice.errors import DataError
from ownvoice.rundir import VoiceFolder

Status = Literal["all", "used", "excluded"]


@dataclass(frozen=True)
class Share:
    """Some of a voice's recordings together."""

    utterances: int
    seconds: float


@dataclass(frozen=True)
class Listing:
    """One page of a voice's recordings."""

    rows: list[Utterance]
    total: int
    """How many fit the search, on all pages."""
    used: Share
    """Of the whole voice: what is trained on and judged by."""
    excluded: Share
    """Of the whole voice: what is set aside."""


def list_utterances(
    voice: VoiceFolder, *, query: str = "", status: Status = "all", offset: int = 0, limit: int = 50
) -> Listing:
    """Those whose text, id or file holds every word of ``query``, the latest first, ``limit`` from ``offset`` on.

    Upper and lower case count as the same, and so do letters with and without accents.

    Raises
    ------
    DataError
        when the manifest cannot be opened.
    """
    if not voice.manifest.is_file():
        return Listing([], 0, Share(0, 0.0), Share(0, 0.0))
    everything = [with_length(voice, row) for _, row in reversed(scan_manifest(voice).everything)]
    wanted = _plain(query).split()
    found = [
        row
        for row in everything
        if status in ("all", "excluded" if row.excluded else "used")
        and all(word in _plain(f"{row.text} {row.id or ''} {row.audio_path}") for word in wanted)
    ]
    return Listing(
        found[offset : offset + limit],
        len(found),
        _share([row for row in everything if not row.excluded]),
        _share([row for row in everything if row.excluded]),
    )


def find_utterance(voice: VoiceFolder, name: str) -> Utterance:
    """The utterance with the id ``name``, excluded or not.

    Raises
    ------
    DataError
        when there is none, or the manifest cannot be opened.
    """
    for _, row in scan_manifest(voice).everything:
        if utterance_id(row) == name:
            return row
    raise DataError("there is no such recording", mend="Reload the page.")


def with_length(voice: VoiceFolder, utterance: Utterance) -> Utterance:
    """``utterance`` with the length in its file's header where none was written down."""
    import soundfile

    if utterance.duration is not None:
        return utterance
    try:
        return replace(utterance, duration=soundfile.info(str(audio_file(voice, utterance))).duration)
    except soundfile.LibsndfileError:  # missing, or in a format without such a header: check.py names it
        return utterance


def _share(rows: list[Utterance]) -> Share:
    return Share(len(rows), sum(map(counted_seconds, rows)))


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
