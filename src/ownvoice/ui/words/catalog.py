"""The interface's text in the person's language: ``words("saved", seconds=3)``.

A catalog is ``words/LANGUAGE/AREA.yaml``, lines of ``key: text``. A text may hold ``{names}``; one that depends on a
number is a mapping ``{one: "{n} phrase", other: "{n} phrases"}``. Area ``common`` is part of every page. The
language of the interface has nothing to do with the language of a voice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

CATALOGS = Path(__file__).parent

LANGUAGES = {"en": "English", "es": "Español", "fr": "Français", "de": "Deutsch"}
"""The languages the interface is written for, each by its own name, in the order they are offered."""

Entry = str | Mapping[str, str]


@dataclass(frozen=True)
class Words:
    """The texts of some areas in one language."""

    language: str
    entries: Mapping[str, Entry]

    def __call__(self, key: str, **values: object) -> str:
        """The text of ``key`` with ``values`` filled in; ``n`` chooses between one and other.

        Raises
        ------
        KeyError
            when there is no such text, or a value it names is missing: a mistake of ours, never of a person.
        """
        entry = self.entries[key]
        if not isinstance(entry, str):
            entry = entry["one" if is_one(self.language, values["n"]) else "other"]
        return entry.format_map(values)


def is_one(language: str, number: object) -> bool:
    """Whether ``number`` takes the singular (Unicode CLDR, of the four languages): in French 0 does too."""
    if not isinstance(number, int | float):
        return False
    return number == 1 or (language == "fr" and 0 <= number < 2)


def words_for(language: str, *areas: str) -> Words:
    """The texts of ``areas``, ``common`` among them, in ``language``.

    Raises
    ------
    KeyError
        when two areas give one key two meanings.
    """
    entries: dict[str, Entry] = {}
    for area in dict.fromkeys(("common", *areas)):
        catalog = read_catalog(language, area)
        if twice := entries.keys() & catalog.keys():
            raise KeyError(f"{area}.yaml repeats {sorted(twice)}")
        entries |= catalog
    return Words(language, entries)


@cache
def read_catalog(language: str, area: str) -> dict[str, Entry]:
    """One file of texts, as written."""
    catalog: dict[str, Entry] = yaml.safe_load((CATALOGS / language / f"{area}.yaml").read_text(encoding="utf-8"))
    return catalog


@cache
def written_languages() -> dict[str, str]:
    """Those of :data:`LANGUAGES` that have every area English has."""
    areas = {path.name for path in (CATALOGS / "en").glob("*.yaml")}
    return {
        code: name
        for code, name in LANGUAGES.items()
        if areas <= {path.name for path in (CATALOGS / code).glob("*.yaml")}
    }


def preferred_language(cookie: str | None, accept_language: str) -> str:
    """The language chosen on the page, else the first one the browser asks for that we have, else English."""
    known = written_languages()
    if cookie in known:
        return cookie
    asked = (part.split(";")[0].strip().lower().split("-")[0] for part in accept_language.split(","))
    return next((code for code in asked if code in known), "en")
