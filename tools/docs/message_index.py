"""Every message of an error that ownvoice raises, with its mend, read from the source; writes no file.

A part of a message that is filled in when it is raised is shown as "…".
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "src" / "ownvoice"
FILLED_IN = "…"

_ROOMS = {
    "data": "Recordings, phrases and imports",
    "model": "Models",
    "training": "Training",
    "evaluation": "Comparing",
    "publishing": "The Hugging Face Hub",
    "serving": "The server",
    "workflow": "Commands and the app's runs",
    "cli": "The command line",
    "ui": "The app",
    "": "Settings, folders and disks",
}


@dataclass(frozen=True)
class Message:
    """What a person reads, and where it comes from."""

    text: str
    mend: str
    file: str
    """From the package's folder: ``data/audio.py``."""


def messages() -> list[Message]:
    """All of them, by file and line; one that says nothing of its own, such as another error's words, is left out."""
    found = []
    for file in sorted(PACKAGE.rglob("*.py")):
        name = file.relative_to(PACKAGE).as_posix()
        for call in _error_calls(ast.parse(file.read_text(encoding="utf-8"))):
            mend = next((word.value for word in call.keywords if word.arg == "mend"), None)
            text_node = call.args[-1] if _callee(call) == "PageError" and len(call.args) > 1 else call.args[0]
            mends = _wordings(mend) if mend is not None else []
            for text in _wordings(text_node):
                if any(character.isalpha() for character in text):
                    found.append(Message(text, mends[0] if mends else "", name))
    return found


def message_index() -> str:
    """A table for each room of the package."""
    parts = []
    everything = messages()
    for room, title in _ROOMS.items():
        rows = {
            f"| {_cell(message.text)} | {_cell(message.mend)} |"
            for message in everything
            if (message.file.split("/")[0] if "/" in message.file else "") == room
        }
        if rows:
            table = ["| message | what to do |", "|---|---|", *sorted(rows, key=str.casefold)]
            parts += [f"### {title}", "\n".join(table)]
    return "\n\n".join(parts)


def _error_calls(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _callee(node).endswith("Error") and node.args:
            known = _callee(node) not in {"ValueError", "TypeError", "KeyError", "RuntimeError", "NotADirectoryError"}
            if known:
                yield node


def _callee(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _wordings(node: ast.expr) -> list[str]:
    """The texts an expression can become; empty where it holds none of its own."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=values):
            parts = [part.value if isinstance(part, ast.Constant) else FILLED_IN for part in values]
            return ["".join(str(part) for part in parts)]
        case ast.IfExp(body=body, orelse=other):
            return [*_wordings(body), *_wordings(other)]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [one + two for one in _wordings(left) or [FILLED_IN] for two in _wordings(right) or [FILLED_IN]]
    return []


def _cell(text: str) -> str:
    escaped = text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")
    return " ".join(escaped.split())
