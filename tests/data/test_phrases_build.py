"""The banks are what tools/phrases/build.py makes of the texts, and faulty texts make none."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ownvoice.config import VOXTRAL_LANGUAGES
from ownvoice.data.phrases import TOPICS, bank_languages

ROOT = Path(__file__).parents[2]
TEXTS = ROOT / "tools" / "phrases" / "texts"
STORED = ROOT / "src" / "ownvoice" / "data" / "phrases"
ESPEAK = "1.51"


@pytest.fixture(scope="module", autouse=True)
def espeak() -> None:
    """The synthesiser whose phones are stored; without it these tests skip, but not in CI."""
    program = shutil.which("espeak-ng")
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout if program else "none"
    if f": {ESPEAK} " not in version:
        missing = f"needs espeak-ng {ESPEAK}, found {version.strip()}: apt-get install espeak-ng"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)


def build(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "tools" / "phrases" / "build.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A copy of the English texts, to be spoilt."""
    folder = tmp_path / "texts"
    folder.mkdir()
    shutil.copy(TEXTS / "en.tsv", folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("language", VOXTRAL_LANGUAGES)
def test_the_stored_bank_is_what_its_texts_make(language: str, tmp_path: Path) -> None:
    done = build(language, "--out", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for name in (f"banks/{language}.jsonl", f"lexicons/{language}.json"):
        assert (tmp_path / name).read_bytes() == (STORED / name).read_bytes(), f"run: tools/phrases/build.py {language}"


@pytest.mark.slow
def test_the_order_of_the_texts_does_not_matter(texts: Path, tmp_path: Path) -> None:
    lines = (texts / "en.tsv").read_text(encoding="utf-8").splitlines()
    random.Random(0).shuffle(lines)
    (texts / "en.tsv").write_text("\n".join(lines), encoding="utf-8")
    assert build("en", "--texts", texts, "--out", tmp_path).returncode == 0
    for name in ("banks/en.jsonl", "lexicons/en.json"):
        assert (tmp_path / name).read_bytes() == (STORED / name).read_bytes()


FAULTS = {
    "requests Pass the salt.": "is not one of requests, home",
    "sports\tPass the salt.": "is not one of requests, home",
    "requests\tPass the salt.\tnow": "is not one of requests, home",
    "requests\tSalt.": "has 1 words; 2 to 12 are wanted",
    "requests\tPass me the salt and the pepper and the oil and the vinegar.": "has 13 words; 2 to 12 are wanted",
    "requests\tBring 2 cups.": "holds 2, which the language does not use",
    "requests\tBring me the pаper.": "holds а, which the language does not use",
    "requests\tPass the  mustard.": "has spaces too many",
    "requests\tPass the vinegar": "does not end like a sentence",
    "requests\tpass the olives.": "does not begin with a capital letter",
    "requests\tPuedes pasarme la sal por favor.": "looks like es",
    "requests\tPASS the SALT; please!": "has the same words as line 1",
}


def test_every_faulty_line_is_named_and_no_bank_is_written(texts: Path, tmp_path: Path) -> None:
    written = (texts / "en.tsv").read_text(encoding="utf-8")
    first = len(written.splitlines()) + 1
    (texts / "en.tsv").write_text(written + "\n".join(FAULTS), encoding="utf-8")
    done = build("en", "--texts", texts, "--out", tmp_path)
    assert done.returncode == 1
    complaints = done.stderr.splitlines()
    for number, complaint in enumerate(FAULTS.values(), start=first):
        assert any(line.startswith(f"en.tsv:{number}: {complaint}") for line in complaints), (number, complaints)
    assert len(complaints) == len(FAULTS)
    assert not (tmp_path / "banks").exists() and not (tmp_path / "lexicons").exists()


def test_a_bank_too_small_and_out_of_balance_is_refused(texts: Path, tmp_path: Path) -> None:
    lines = (texts / "en.tsv").read_text(encoding="utf-8").splitlines()
    long_ones = [line for line in lines if line.startswith("numbers") and len(line.split()) > 8]
    (texts / "en.tsv").write_text("\n".join(long_ones), encoding="utf-8")
    done = build("en", "--texts", texts, "--out", tmp_path)
    assert done.returncode == 1
    assert f"en.tsv: has {len(long_ones)} phrases; at least 300 are wanted" in done.stderr
    assert f"en.tsv: has {len(long_ones)} phrases on 'numbers'" in done.stderr
    assert all(f"has 0 phrases on {topic!r}" in done.stderr for topic in TOPICS if topic != "numbers")
    assert "has 0 phrases of at most 4 words" in done.stderr


def test_a_language_that_is_none_is_bad_usage(tmp_path: Path) -> None:
    done = build("xx", "--out", tmp_path)
    assert done.returncode == 2
    assert "no such language: xx" in done.stderr


@pytest.mark.slow
def test_the_table_in_the_docs_is_measured() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "phrases" / "compare.py"], capture_output=True, text=True, check=True
    )
    assert len(done.stdout.splitlines()) == 2 + len(bank_languages())
    assert done.stdout in (ROOT / "docs" / "phrases.md").read_text(encoding="utf-8")
