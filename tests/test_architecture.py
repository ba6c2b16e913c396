"""The shape docs/architecture.md promises holds: imports point down, heavy libraries stay put, the map is true."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "ownvoice"

LAYERS = {
    "errors": 0, "config": 0, "credentials": 0, "rundir": 0, "events": 0, "neighbours": 0, "quantities": 0,
    "data": 1,
    "model": 2,
    "training": 3, "evaluation": 3, "publishing": 3, "serving": 3,
    "workflow": 4,
    "ui": 5, "cli": 6, "__main__": 7,
}  # fmt: skip
"""Layer of each room of the package; the package itself (``ownvoice.__version__``) is below all."""

HEAVY = {
    "torch": {"model", "training"},
    "transformers": {"model", "training"},
    "peft": {"model", "training"},
    "gradio": {"serving"},
}
"""Where a heavy library may be imported, at the top of a file or inside a function."""


def room(file: Path) -> str:
    """``src/ownvoice/data/audio.py`` is in the room ``data``, ``src/ownvoice/config.py`` in ``config``."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(file: Path) -> list[tuple[int, str]]:
    """Line and full name of every module ``file`` imports, wherever in the file it does so."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: write the full name of the module"
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


SOURCES = sorted(file for file in PACKAGE.rglob("*.py") if file != PACKAGE / "__init__.py")


def test_every_file_has_a_layer() -> None:
    assert {room(file) for file in SOURCES} <= LAYERS.keys()


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_point_down(file: Path) -> None:
    here = room(file)
    for line, name in imports(file):
        parts = name.split(".")
        there = parts[1] if parts[0] == "ownvoice" and len(parts) > 1 else None
        if there in LAYERS and there != here:
            same_floor_allowed = LAYERS[here] == 0
            assert LAYERS[there] < LAYERS[here] or (same_floor_allowed and LAYERS[there] == 0), (
                f"{file}:{line}: {here} may not know {there}"
            )


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_heavy_libraries_stay_in_their_rooms(file: Path) -> None:
    for line, name in imports(file):
        allowed = HEAVY.get(name.split(".")[0])
        assert allowed is None or room(file) in allowed, f"{file}:{line}: {name} belongs in {sorted(allowed)}"


@pytest.mark.parametrize(
    "command", [["-c", "import ownvoice"], ["-m", "ownvoice", "--help"], ["-m", "ownvoice", "import", "--help"]]
)
def test_nothing_heavy_is_loaded_before_it_is_needed(command: list[str]) -> None:
    done = subprocess.run([sys.executable, "-X", "importtime", *command], capture_output=True, text=True, check=True)
    loaded = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "ownvoice" in loaded
    assert not loaded & {"torch", "transformers", "peft", "datasets", "pandas"}


def readme_map() -> set[str]:
    """Every path in the code block under "Map" in README.md."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Map", 1)[1]
    block = section.split("```")[1]
    return {match.group(1) for line in block.splitlines() if (match := re.match(r"(\S+)\s{2,}\S", line))}


def test_readme_map_names_every_module() -> None:
    modules = {str(file.relative_to(ROOT)) for file in PACKAGE.rglob("*.py") if file.name != "__init__.py"}
    packages = {str(file.parent.relative_to(ROOT)) + "/" for file in PACKAGE.rglob("__init__.py")}
    mapped = {path for path in readme_map() if path.startswith("src/")}
    assert mapped - packages == modules


def test_readme_map_names_nothing_that_is_gone() -> None:
    assert [path for path in readme_map() if not (ROOT / path).exists()] == []


def test_only_publishing_writes_to_the_hub() -> None:
    users = {str(file.relative_to(PACKAGE)) for file in SOURCES for _, name in imports(file) if name.endswith(".HfApi")}
    assert users == {"publishing/hub.py", "publishing/push.py", "publishing/space.py", "publishing/jobs.py"}
