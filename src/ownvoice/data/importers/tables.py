"""Tables of recordings: CSV, TSV, JSON lines, and the dialects of LJSpeech and Common Voice.

Parses a table and pairs each line with the file it names; a line that cannot be used is left out with its reason and
never moves its neighbours. Which table of a folder counts is told in ``folders.py``; no sound is opened here.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import posixpath
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ownvoice.config import check_language
from ownvoice.data.importers.columns import AUDIO_COLUMNS, TEXT_COLUMNS, Columns, Wanted, choose_columns
from ownvoice.data.importers.source import Clip, Content, LeftOut, Source, decode_text, is_audio, read_content
from ownvoice.errors import SourceError
from ownvoice.quantities import counted

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl")

LJSPEECH_COLUMNS = ("audio", "text", "normalized_text")
"""LJSpeech's metadata.csv names no columns (https://keithito.com/LJ-Speech-Dataset/); these stand for its fields."""

AUDIO_FOLDERS = ("", "clips/", "wavs/")
"""Where tables leave out the folder: Common Voice means clips/, LJSpeech wavs/."""

LEFT_OUT_SUFFIXES = (".wav", ".mp3", ".flac")
"""What LJSpeech and old Common Voice tables leave out of a file's name."""

Locate = Callable[[str], Content]
"""Finds the file a table names; raises SourceError with the reason where it cannot be used."""


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    line: int
    values: Mapping[str, object]


@dataclass(frozen=True)
class Table:
    """A parsed table."""

    name: str
    form: str
    """What it was taken for, in words."""
    columns: list[str]
    rows: list[Row | LeftOut]


@dataclass(frozen=True)
class Listing:
    """A table's lines with the files they name."""

    found: list[Clip | LeftOut]
    used: set[Content]
    """Every file a line names, those of lines left out too."""
    warnings: list[str]


def parse_table(name: str, data: bytes, wanted: Wanted) -> Table:
    """Parse the table ``name`` by its ending.

    Raises
    ------
    SourceError
        when it is not UTF-8, empty, or broken so that its lines cannot be told apart.
    """
    text = decode_text(data, name)
    if not text.strip():
        raise _empty(name)
    table = _parse_json_lines(name, text) if name.lower().endswith(".jsonl") else _parse_delimited(name, text, wanted)
    if not table.rows:
        raise SourceError("has no lines below its first", where=name, mend="Add a line for each recording.")
    return table


def list_clips(table: Table, columns: Columns, locate: Locate) -> Listing:
    """Pair each row's words with the file it names."""
    listing = Listing([], set(), list(columns.warnings))
    for row in table.rows:
        if isinstance(row, LeftOut):
            listing.found.append(row)
            continue
        name, text = row.values.get(columns.audio), row.values.get(columns.text)
        try:
            if not isinstance(name, str) or not name.strip():
                raise SourceError(f"{columns.audio!r} names no file")
            audio = locate(name.strip())
            listing.used.add(audio)
            text = check_text(text, columns.text)
        except SourceError as error:
            listing.found.append(LeftOut(name if isinstance(name, str) else table.name, row.line, error.what))
            continue
        language = spoken_language(row.values, columns, listing.warnings)
        listing.found.append(Clip(name.strip(), text, audio, row.line, language))
    return listing


def check_text(value: object, column: str = "text") -> str:
    """``value`` as one line of words: any run of white space is one space.

    Raises
    ------
    SourceError
        when it is no text, empty, or cannot be saved.
    """
    if value is not None and not isinstance(value, str):
        raise SourceError(f"{column!r} is not text in quotes")
    text = " ".join((value or "").split())
    if not text:
        raise SourceError("has no text")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise SourceError(f"{column!r} holds half a character, which cannot be saved")
    return text


def spoken_language(values: Mapping[str, object], columns: Columns, warnings: list[str]) -> str | None:
    """The two-letter code in a row's language column; any other value is told in ``warnings`` and not kept."""
    value = values.get(columns.language) if columns.language else None
    if not value:
        return None
    try:
        return check_language(str(value))
    except ValueError as error:
        note = f"column {columns.language!r} was not kept where {error}"
        warnings += [note] if note not in warnings else []
        return None


def by_small_letters(names: Iterable[str]) -> dict[str, str]:
    """Each name by its small letters, as recorders write ``A.WAV`` and people ``a.wav``; none that two names share."""
    alike = defaultdict(list)
    for name in names:
        alike[name.casefold()].append(name)
    return {small: same[0] for small, same in alike.items() if len(same) == 1}


def locate_on_disk(folder: Path) -> Locate:
    """Find files named in a table of the person's own: relative to ``folder``, or anywhere by an absolute path."""

    @cache
    def alike(parent: str) -> Mapping[str, str]:
        try:
            return by_small_letters(os.listdir(parent))  # noqa: PTH208
        except (OSError, ValueError):  # no folder, or none that may be looked into
            return {}

    def locate(value: str) -> Path:
        for spelling in spellings(value):
            # os.path, not pathlib: a name that is too long or holds a zero byte is then simply no file
            path = os.path.join(folder, spelling)  # noqa: PTH118
            if os.path.isfile(path):  # noqa: PTH113
                return Path(path)
            parent, name = os.path.split(path)
            same = alike(parent).get(name.casefold())
            if same is not None and (Path(parent) / same).is_file():
                return Path(parent) / same
        if os.path.isdir(folder / value):  # noqa: PTH112
            raise SourceError("is a folder, not an audio file")
        raise SourceError("there is no such file")

    return locate


def read_table_file(path: Path, wanted: Wanted) -> Source:
    """List the clips of a table named by itself; recordings beside those it uses are left out by name.

    Raises
    ------
    SourceError
        when the table cannot be read or its columns are unknown.
    """
    table = parse_table(path.name, read_content(path, path.name), wanted)
    columns = choose_columns(table.columns, wanted, path.name)
    listing = list_clips(table, columns, locate_on_disk(path.parent))
    folder = path.parent.resolve()
    used = {audio.resolve() for audio in listing.used if isinstance(audio, Path)}
    beside = sorted({audio.parent for audio in used if audio.is_relative_to(folder)})
    for other in sorted(other for parent in beside for other in parent.iterdir() if is_audio(other.name)):
        if other.is_file() and other.resolve() not in used:
            reason = f"has no transcript: no line of {path.name} names it"
            listing.found.append(LeftOut(other.relative_to(folder).as_posix(), None, reason))
    read_as = [f"{path.name} as {table.form}: {columns}"]
    return Source(listing.found, len(listing.found), read_as, listing.warnings)


def spellings(value: str) -> Iterator[str]:
    """The paths that ``value`` may mean, likeliest first: Windows separators, left-out folder or ending, accents.

    Accented names are written in two ways (composed on Linux and Windows, decomposed by macOS).
    """
    suffixes = ("",) if is_audio(value) else ("", *LEFT_OUT_SUFFIXES)
    for folder, suffix, path in itertools.product(AUDIO_FOLDERS, suffixes, (value, value.replace("\\", "/"))):
        full = posixpath.join(folder, path + suffix)
        yield from dict.fromkeys((full, unicodedata.normalize("NFC", full), unicodedata.normalize("NFD", full)))


def _parse_json_lines(name: str, text: str) -> Table:
    rows: list[Row | LeftOut] = []
    columns: dict[str, None] = {}
    for line, raw in enumerate(text.split("\n"), 1):
        if not raw.strip():
            continue
        try:
            values = json.loads(raw)
        except (ValueError, RecursionError) as error:
            rows.append(LeftOut(name, line, f"is not JSON ({error})"))
            continue
        if not isinstance(values, dict):
            rows.append(LeftOut(name, line, 'is not a JSON object like {"audio_path": "...", "text": "..."}'))
            continue
        columns |= dict.fromkeys(values)
        rows.append(Row(line, values))
    if not columns:
        raise SourceError(
            f"holds no JSON object; {rows[0]}",
            where=name,
            mend='Write one object a line: {"audio_path": "a.wav", "text": "the words"}',
        )
    return Table(name, "JSON lines", list(columns), rows)


def _parse_delimited(name: str, text: str, wanted: Wanted) -> Table:
    form, has_names, dialect = _recognise(name, text.lstrip("\r\n").partition("\n")[0].rstrip("\r"), wanted)
    lines = list(_read_fields(name, text, dialect))
    if not lines:
        raise _empty(name)
    if has_names:
        columns = [column.strip() for column in lines.pop(0)[1]]
    else:
        width = len(lines[0][1])
        columns = [*LJSPEECH_COLUMNS, *(f"field {number}" for number in range(4, width + 1))][:width]
    if repeated := sorted({column for column in columns if column and columns.count(column) > 1}):
        raise SourceError(f"has two columns called {repeated[0]!r}", where=name, mend="Rename one of them.")
    rows: list[Row | LeftOut] = []
    for line, fields in lines:
        if any(field.strip() for field in fields[len(columns) :]):
            many = counted(len(fields), "field")
            reason = f"has {many} and the table {len(columns)}: put text with a separator in it in quotes"
            rows.append(LeftOut(fields[0], line, reason))
        else:
            rows.append(Row(line, dict(zip(columns, fields, strict=False))))
    return Table(name, form, [column for column in columns if column], rows)


def _recognise(name: str, first_line: str, wanted: Wanted) -> tuple[str, bool, dict[str, Any]]:
    """Tell from the first line: the form in words, whether that line holds names, and csv's settings."""
    known = {*AUDIO_COLUMNS, *TEXT_COLUMNS, wanted.audio, wanted.text}
    if name.lower().endswith(".tsv"):
        if {"client_id", "path", "sentence"} <= set(first_line.split("\t")):
            return "Common Voice", True, {"delimiter": "\t", "quoting": csv.QUOTE_NONE}
        return "TSV", True, {"delimiter": "\t"}
    if "|" not in first_line:
        return "CSV", True, {"delimiter": max(",;\t", key=first_line.count)}
    if known & {field.strip().lower() for field in first_line.split("|")}:
        return "CSV", True, {"delimiter": "|"}
    return "LJSpeech", False, {"delimiter": "|", "quoting": csv.QUOTE_NONE}


def _read_fields(name: str, text: str, dialect: dict[str, Any]) -> Iterator[tuple[int, list[str]]]:
    """Yield the line each record starts on and its fields; blank lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, **dialect)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise SourceError(
                f"line {line} cannot be read ({error})",
                where=name,
                mend='Check its quotation marks: text that starts with one must be written """like this"", it said".',
            ) from None
        if any(field.strip() for field in fields):
            yield line, fields


def _empty(name: str) -> SourceError:
    return SourceError("is empty", where=name, mend="Give a table with a line for each recording.")
