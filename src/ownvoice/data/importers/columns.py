"""Which column of a table names the recording, and which holds its words. Reads no table and opens no file."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ownvoice.errors import SourceError

AUDIO_COLUMNS = (
    *("audio_path", "audio", "file_name", "path", "audio_filepath", "filename", "file", "wav", "audio_file"),
    *("recording", "datei", "dateiname", "aufnahme", "audiodatei"),
    *("archivo", "nombre_de_archivo", "grabación", "fichero", "fichier", "nom_du_fichier", "enregistrement"),
)
"""Names under which tables keep the recording, most telling first: ownvoice, Hugging Face, Common Voice, NeMo; then
what people write over a column of their own, in the languages of the app."""

TEXT_COLUMNS = (
    *("text", "transcript", "transcription", "sentence", "words", "phrase"),
    *("wörter", "gesprochen", "satz", "transkript", "transkription"),
    *("texto", "palabras", "frase", "transcripción", "texte", "mots"),
)
"""Names under which tables keep the words, likewise."""

LANGUAGE_COLUMNS = ("language", "locale")


@dataclass(frozen=True)
class Wanted:
    """Columns the person named; None where the choice is left to :func:`choose_columns`."""

    text: str | None = None
    audio: str | None = None


@dataclass(frozen=True)
class Columns:
    """The columns that are read."""

    audio: str
    text: str
    language: str | None
    warnings: list[str]
    """Where another column could have been meant, in words."""

    def __str__(self) -> str:
        return f"audio from {self.audio!r}, text from {self.text!r}"


def choose_columns(present: Sequence[str], wanted: Wanted, where: str | Path) -> Columns:
    """Choose from the columns ``present``: the one the person named, else the first of the known names.

    Raises
    ------
    SourceError
        when there is none; it names those present and the option to choose with.
    """
    audio = _candidates(present, AUDIO_COLUMNS, wanted.audio)
    text = _candidates(present, TEXT_COLUMNS, wanted.text)
    missing = []
    if not audio:
        missing.append(f"no column {wanted.audio!r}" if wanted.audio else "no column that names the audio file")
    if not text:
        missing.append(f"no column {wanted.text!r}" if wanted.text else "no column with the words spoken")
    if missing:
        raise SourceError(
            f"has {' and '.join(missing)}; its columns are: {', '.join(present) or 'none'}",
            where=where,
            mend='Call them "file" and "text" in the first line of the table; ownvoice import also takes other names, '
            "with --audio-column NAME and --text-column NAME.",
        )
    warnings = [
        f"{where}: used column {names[0]!r}; {', '.join(map(repr, names[1:]))} could be meant too ({option} chooses)"
        for names, option in ((audio, "--audio-column"), (text, "--text-column"))
        if len(names) > 1
    ]
    language = _candidates(present, LANGUAGE_COLUMNS, None)
    return Columns(audio[0], text[0], language[0] if language else None, warnings)


def _candidates(present: Sequence[str], known: Sequence[str], wanted: str | None) -> list[str]:
    """Those of ``present`` that fit, best first; upper and lower case count as the same, and a space as a "_"."""
    if wanted is not None and wanted in present:
        return [wanted]
    names = known if wanted is None else (wanted,)
    return [column for name in names for column in present if _plain(column) == _plain(name)]


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().lower().replace(" ", "_")
