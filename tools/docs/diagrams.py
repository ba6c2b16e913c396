"""The six diagrams: their Mermaid source in the pages, their drawings beside it, and both together in the site.

A page ``docs/diagrams/NAME.md`` holds one Mermaid block. ``draw_diagrams.py`` draws it into ``drawn/NAME.svg`` and
writes into the drawing which source it was drawn from, so that an old drawing is noticed. Draws nothing itself.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "diagrams"
NAMES = ("overview", "architecture", "interface", "training", "deployment", "data-flow")
"""In the order a newcomer reads them."""

BLOCK = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r'^\s*click (\S+) "([^"]+)"', re.MULTILINE)
_DRAWN_FROM = re.compile(r"<!--drawn from ([0-9a-f]+)-->")


@dataclass(frozen=True)
class Diagram:
    """One diagram as its page has it."""

    name: str
    title: str
    """The page's heading."""
    source: str
    """Mermaid."""
    words: str
    """The text equivalent: what stands below the drawing, as Markdown."""

    @property
    def links(self) -> dict[str, str]:
        """The path of the code or page each linked node stands for, by the node's name; from the repository's root."""
        return dict(_LINK.findall(self.source))

    @property
    def digest(self) -> str:
        """What a drawing of this source carries."""
        return hashlib.sha256(self.source.encode()).hexdigest()[:16]

    @property
    def file(self) -> Path:
        """The drawing."""
        return FOLDER / "drawn" / f"{self.name}.svg"


def read_diagram(name: str) -> Diagram:
    """The diagram of ``docs/diagrams/NAME.md``.

    Raises
    ------
    ValueError
        when the page holds none.
    """
    page = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    block = BLOCK.search(page)
    if not block:
        raise ValueError(f"{name}.md holds no Mermaid block")
    title = page.splitlines()[0].removeprefix("# ")
    return Diagram(name, title, block[1], page[block.end() :].strip())


def drawing(diagram: Diagram, page_url: str, address_of: dict[str, str]) -> str:
    """The drawing as a part of a page of the site, its links leading from there to the code.

    Parameters
    ----------
    page_url
        Of the page it is put into, from the site's root.
    address_of
        Where the site shows a path of the repository.

    Raises
    ------
    ValueError
        when there is no drawing of this source, or it links to what the site does not show.
    """
    svg = diagram.file.read_text(encoding="utf-8") if diagram.file.is_file() else ""
    drawn_from = _DRAWN_FROM.search(svg)
    if not drawn_from or drawn_from[1] != diagram.digest:
        raise ValueError(f"{diagram.name}.md changed since it was drawn: run python tools/docs/draw_diagrams.py")
    for path in set(diagram.links.values()):
        if path not in address_of:
            raise ValueError(f"{diagram.name}.md links to {path}, which the site does not show")
        target, _, anchor = address_of[path].partition("#")
        relative = posixpath.relpath(target, posixpath.dirname(page_url) or ".")
        svg = svg.replace(f'"{path}"', f'"{relative}{"#" + anchor if anchor else ""}"')
    role = f'role="group" aria-label="Drawing: {diagram.title}"'
    return f'<div class="diagram" data-diagram="{diagram.name}" tabindex="0" {role}>{svg}</div>'
