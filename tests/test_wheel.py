"""The wheel holds the package, all of it, and nothing else. That it works when installed: tools/try_wheel.py."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import ownvoice

ROOT = Path(__file__).parent.parent
LARGEST = 20_000_000
"""Bytes. The built-in model is 17 MB of it; whoever adds more than a few pictures' worth should see it here."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_holds_the_files_of_the_package_and_no_others(wheel: Path) -> None:
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    package = ROOT / "src" / "ownvoice"
    tree = {
        f"ownvoice/{file.relative_to(package)}"
        for file in package.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert packed == tree
    for needed in (
        "model/tiny/weights/model.safetensors",
        "model/tiny/sample_voice/clips/001.ogg",
        "data/phrases/banks/en.jsonl",
        "ui/templates/base.html",
        "evaluation/templates/report.html.j2",
        "py.typed",
    ):
        assert f"ownvoice/{needed}" in packed


def test_stays_small(wheel: Path) -> None:
    assert wheel.stat().st_size < LARGEST


def test_says_what_it_is(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (folder,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
    metadata = Parser().parsestr(archive.read(f"{folder}/METADATA").decode())
    assert (metadata["Name"], metadata["Version"]) == ("ownvoice", ownvoice.__version__)
    assert metadata["License-Expression"] == "Apache-2.0" and f"{folder}/licenses/LICENSE" in archive.namelist()
    assert "ownvoice = ownvoice.cli:main" in archive.read(f"{folder}/entry_points.txt").decode()
    asked = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert not any(line.startswith(("pytest", "ruff", "mypy", "playwright", "gradio>")) for line in asked)
