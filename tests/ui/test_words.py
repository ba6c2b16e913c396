"""Every language says the same things: the same texts, with the same values, one and other where a number decides."""

from __future__ import annotations

import string
from itertools import product

import pytest

from ownvoice.ui.words.catalog import (
    CATALOGS,
    LANGUAGES,
    Entry,
    preferred_language,
    read_catalog,
    words_for,
    written_languages,
)

AREAS = sorted(path.stem for path in (CATALOGS / "en").glob("*.yaml"))
TRANSLATIONS = sorted({path.parent.name for path in CATALOGS.glob("*/common.yaml")} - {"en"})


def values_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def shape(entry: Entry) -> dict[str, set[str]]:
    """Which forms an entry has, and which values each needs; the singular may spell its number out."""
    if isinstance(entry, str):
        return {"": values_in(entry)}
    return {form: values_in(text) - {"n"} for form, text in entry.items()}


@pytest.mark.parametrize(("language", "area"), list(product(TRANSLATIONS, AREAS)))
def test_a_translation_has_the_same_texts_and_values(language: str, area: str) -> None:
    english, translated = read_catalog("en", area), read_catalog(language, area)
    assert translated.keys() == english.keys()
    wrong = {key for key in english if shape(english[key]) != shape(translated[key])}
    assert wrong == set()


@pytest.mark.parametrize("language", ["en", *TRANSLATIONS])
@pytest.mark.parametrize("area", AREAS)
def test_every_entry_is_text(language: str, area: str) -> None:
    for key, entry in read_catalog(language, area).items():
        forms = [entry] if isinstance(entry, str) else [entry["one"], entry["other"]]
        assert all(isinstance(form, str) and form.strip() for form in forms), key


@pytest.mark.parametrize(
    ("cookie", "header", "chosen"),
    [
        ("en", "fr", "en"),
        ("fr", "de", "fr"),
        (None, "xx-YY, en;q=0.5", "en"),
        (None, "es-MX,es;q=0.9,en;q=0.8", "es"),
        ("../../etc", "xx", "en"),
        (None, "", "en"),
    ],
)
def test_the_language_is_the_one_chosen_then_the_browsers_then_english(
    cookie: str | None, header: str, chosen: str
) -> None:
    assert preferred_language(cookie, header) == chosen


def test_only_whole_translations_are_offered() -> None:
    assert set(written_languages()) == {"en", *TRANSLATIONS} & set(LANGUAGES)


def test_none_is_singular_in_french_alone() -> None:
    shown = {language: words_for(language, "dataset")("recordings", n=0) for language in LANGUAGES}
    assert shown == {"en": "0 recordings", "es": "0 grabaciones", "fr": "0 enregistrement", "de": "0 Aufnahmen"}


def test_less_than_two_is_singular_in_french_alone() -> None:
    shown = {language: words_for(language, "dataset")("seconds", seconds="1.5", n=1.5) for language in LANGUAGES}
    assert shown == {"en": "1.5 seconds", "es": "1.5 segundos", "fr": "1.5 seconde", "de": "1.5 Sekunden"}


def test_a_number_chooses_its_form() -> None:
    words = words_for("en", "record")
    by_number = next(key for key, entry in words.entries.items() if not isinstance(entry, str))
    needed = {name: 0 for form in words.entries[by_number].values() for name in values_in(form)}  # type: ignore[union-attr]
    assert words(by_number, **needed | {"n": 1}) != words(by_number, **needed | {"n": 2})
