"""The pieces of code on the documentation's pages: found, and told apart by what can be done with them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NOT_RUN = re.compile(r"<!-- not run: ([^\n]+?) -->\n\Z")
_NAMES = "ownvoice|python|make|pip|npm|npx|bash|curl|git|vllm|hf|arecord|docker|uv|accelerate|torchrun"
_PROGRAMS = re.compile(rf"^(\.venv/bin/)?({_NAMES})\s")


@dataclass(frozen=True)
class Snippet:
    """One fenced block."""

    page: str
    """From the repository's root."""
    line: int
    language: str
    text: str
    not_run: str | None
    """Why no test runs it, as the page's source says in a comment before it."""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The command lines of a block for the shell, without comments, continued lines joined."""
        joined = self.text.replace("\\\n", " ")
        return [bare for line in joined.splitlines() if (bare := re.sub(r"(^|\s)#.*", "", line).strip())]


def snippets_of(page: Path) -> list[Snippet]:
    """Every fenced block of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for block in _FENCE.finditer(text):
        before = text[: block.start()]
        reason = _NOT_RUN.search(before)
        name = page.relative_to(ROOT).as_posix()
        found.append(Snippet(name, before.count("\n") + 1, block[1], block[2], reason[1] if reason else None))
    return found


SNIPPETS = [snippet for page in PAGES for snippet in snippets_of(page)]


def looks_like_commands(snippet: Snippet) -> bool:
    """Whether most of its lines begin with the name of a program."""
    lines = [line for line in snippet.text.splitlines() if line.strip()]
    return sum(bool(_PROGRAMS.match(line)) for line in lines) * 2 > len(lines)
