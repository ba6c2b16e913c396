"""The pages of the Python reference: which module stands on which page, and what mkdocstrings is asked for there.

The words are those of the docstrings; here it is only decided how they are laid out. Writes no file.
"""

from __future__ import annotations

from pathlib import Path

import griffe

PACKAGE = Path(__file__).parents[2] / "src" / "ownvoice"

PAGES = {
    "foundations": "Settings, errors, folders, events",
    "data": "Recordings and voices",
    "phrases": "Phrases",
    "importers": "Importers",
    "model": "Model",
    "training": "Training",
    "evaluation": "Evaluation",
    "publishing": "Publishing",
    "serving": "Serving",
    "workflow": "Workflow",
    "ui": "The app",
    "cli": "The command line",
}
"""Pages by name, with their titles; ``reference/api/NAME.md`` in the site."""

_OVERVIEW = {"ui", "cli"}
"""Rooms nobody calls from a program: their modules say what they are for, and no function is listed."""


def modules() -> dict[str, str]:
    """Every module of the package by its full name, with the page it stands on."""
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        found[".".join(["ownvoice", *parts])] = _page_of(parts)
    return found


def _page_of(parts: tuple[str, ...]) -> str:
    for name in reversed(parts):
        if name in PAGES:
            return name
    return "cli" if parts == ("__main__",) else "foundations"


def page(name: str) -> str:
    """The Markdown of one page."""
    parts = [f"# {PAGES[name]}"]
    for module, where in modules().items():
        if where == name:
            source = f"../../code/{source_name(module)}"
            parts.append(f"::: {module}{_OVERVIEW_OPTIONS if name in _OVERVIEW else ''}\n\n[The code]({source})")
    return "\n\n".join(parts)


_OVERVIEW_OPTIONS = "\n    options:\n      members: []"


def source_name(module: str) -> str:
    """The file under ``code/`` in the site that holds a module's source, as text: ``data/audio.py.txt``."""
    return source_file(module).relative_to(PACKAGE).as_posix() + ".txt"


def source_file(module: str) -> Path:
    """The file of a module."""
    path = PACKAGE.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


class DocstringsAsMarkdown(griffe.Extension):
    """Makes the few marks of reStructuredText in our docstrings into Markdown: roles, aligned lines, simple tables."""

    def on_object(self, *, obj: griffe.Object, **kwargs: object) -> None:
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(text: str) -> str:
    """A docstring with its roles as links where the reference has them, and aligned paragraphs as they were typed."""
    paragraphs = text.split("\n\n")
    return "\n\n".join(_typed(part) if _is_aligned(part) else _linked(part) for part in paragraphs)


def _is_aligned(paragraph: str) -> bool:
    """Whether spaces inside its lines make columns, as in a table or a list of files."""
    lines = paragraph.splitlines()
    aligned = [line for line in lines if "   " in line.strip() or line.startswith("====")]
    return len(lines) > 1 and len(aligned) * 2 > len(lines) and not paragraph.startswith("    ")


def _typed(paragraph: str) -> str:
    return "\n".join(f"    {line}" for line in paragraph.splitlines())


def _linked(paragraph: str) -> str:
    parts = paragraph.split(":`")
    if len(parts) == 1:
        return paragraph
    text = parts[0]
    for part in parts[1:]:
        name, _, rest = part.partition("`")
        before, _, role = text.rpartition(":")
        if role not in {"mod", "func", "class", "exc", "meth", "data", "attr"}:
            text += f":`{part}"
            continue
        shown = name.removeprefix("~").rsplit(".", 1)[-1] if name.startswith("~") else name
        link = f'<autoref identifier="{name.removeprefix("~")}" optional><code>{shown}</code></autoref>'
        text = f"{before}{link}{rest}"
    return text
