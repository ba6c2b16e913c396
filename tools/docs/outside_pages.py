"""Pages of the site that lie outside docs/, and links between them and those inside.

In the repository a page links to another file by its path, so that it can be read there; in the site the pages of
other folders lie below ``repository/``, and their links are led there. Reads files, writes none.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

_PATTERNS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "LICENSE")
_RESULTS = "bench/results/*.md"
_LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s]+)(\))")
_FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def outside_pages() -> dict[str, str]:
    """Path in the repository of each page taken in from elsewhere, with its path in the site's sources."""
    files = [ROOT / name for name in _PATTERNS] + sorted(ROOT.glob(_RESULTS))
    paths = [file.relative_to(ROOT).as_posix() for file in files if file.is_file()]
    return {path: "repository/" + (path if path.endswith(".md") else f"{path}.md") for path in paths}


def read_page(path: str) -> str:
    """The Markdown of a page from elsewhere; a text without Markdown is shown as it is."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return text if path.endswith(".md") else f"# {Path(path).stem.capitalize()}\n\n```text\n{text}```\n"


def results_list() -> str:
    """Every measurement's page, newest first, as a list with links as in docs/."""
    files = sorted(ROOT.glob(_RESULTS), reverse=True)
    titles = [(file, file.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")) for file in files]
    return "\n".join(f"- [{title}](../{file.relative_to(ROOT).as_posix()}), {file.name[:10]}" for file, title in titles)


def lead_links(markdown: str, page: str) -> str:
    """``markdown`` with every link to a file led to where the site has it.

    Parameters
    ----------
    page
        Path of the page in the site's sources, as ``guide/record.md`` or ``repository/CHANGELOG.md``.
    """
    in_site = outside_pages()
    in_repository = {site: path for path, site in in_site.items()}
    here = in_repository.get(page, f"docs/{page}")

    def led(match: re.Match[str]) -> str:
        target, hash_sign, anchor = match[2].partition("#")
        if not target or ":" in target:
            return match[0]
        meant = posixpath.normpath(posixpath.join(posixpath.dirname(here), target))
        if meant.startswith("docs/"):
            place = meant.removeprefix("docs/")
        elif meant in in_site:
            place = in_site[meant]
        else:
            return match[0]
        if target.endswith("/"):
            place += "/index.md"
        relative = posixpath.relpath(place, posixpath.dirname(page) or ".")
        return f"{match[1]}{relative}{hash_sign}{anchor}{match[3]}"

    parts = _FENCED.split(markdown)
    return "".join(part if part.startswith("```") else _LINK.sub(led, part) for part in parts)
