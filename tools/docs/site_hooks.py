"""What MkDocs calls while it builds the site: adds the pages that are made, fills in drawings, leads links.

Pages made from code (commands, settings, messages, modules) are made here at each build, so that they cannot be out of
date; a page says where one goes with a line ``<!-- made here: NAME -->``.
"""

from __future__ import annotations

import re
from functools import cache

import api_reference
from command_reference import command_reference
from diagrams import BLOCK, NAMES, drawing, read_diagram
from message_index import message_index
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from outside_pages import lead_links, outside_pages, read_page, results_list
from settings_reference import settings_reference
from theme_mends import mend_theme

_MARK = re.compile(r"^<!-- made here: (\S+) -->$", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie elsewhere, those of the Python reference, and each module's code as text."""
    for path, place in outside_pages().items():
        files.append(File.generated(config, place, content=read_page(path)))
    for name in api_reference.PAGES:
        files.append(File.generated(config, f"reference/api/{name}.md", content=api_reference.page(name)))
    for module in api_reference.modules():
        code = api_reference.source_file(module).read_text(encoding="utf-8")
        files.append(File.generated(config, f"code/{api_reference.source_name(module)}", content=code))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in what is made, and lead links to where the site has their files."""
    text = _MARK.sub(lambda match: _made(match[1], page), markdown)
    if page.file.src_uri in {f"diagrams/{name}.md" for name in NAMES}:
        name = page.file.src_uri.removeprefix("diagrams/").removesuffix(".md")
        text = BLOCK.sub(lambda match: _drawing(name, page), text)
    return lead_links(text, page.file.src_uri)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Mend what the theme leaves undone."""
    return mend_theme(output)


def on_post_template(output_content: str, template_name: str, config: MkDocsConfig) -> str:
    """Leave out the page for addresses that lead nowhere: a site on a disk has no server to show it."""
    return "" if template_name == "404.html" else output_content


def _made(what: str, page: Page) -> str:
    if what == "commands":
        return command_reference()
    if what == "settings":
        return settings_reference()
    if what == "messages":
        return message_index()
    if what == "results":
        return results_list()
    if what == "diagrams":
        return "\n\n".join(_section(name, page) for name in NAMES)
    raise PluginError(f"{page.file.src_uri}: nothing called {what!r} is made")


def _section(name: str, page: Page) -> str:
    """One diagram on the page of all: heading, drawing, and its words to unfold."""
    diagram = read_diagram(name)
    words = re.sub(r"^## .*\n", "", diagram.words)
    folded = "\n".join(f"    {line}" if line else "" for line in words.splitlines())
    heading = f"## {diagram.title} {{ #{name} }}"
    return f'{heading}\n\n{_drawing(name, page)}\n\n??? note "{diagram.title}, in words"\n\n{folded}'


def _drawing(name: str, page: Page) -> str:
    try:
        return drawing(read_diagram(name), page.url, _addresses())
    except ValueError as fault:
        raise PluginError(str(fault)) from None


@cache
def _addresses() -> dict[str, str]:
    """Where the site shows a path of the repository that a diagram links to: modules, and pages."""
    found = {}
    for module, where in api_reference.modules().items():
        path = api_reference.source_file(module).relative_to(api_reference.PACKAGE.parents[1]).as_posix()
        found[path] = f"reference/api/{where}.html#{module}"
        if path.endswith("/__init__.py"):
            found[path.removesuffix("__init__.py")] = found[path]
    for page in sorted((api_reference.PACKAGE.parents[1] / "docs").rglob("*.md")):
        path = page.relative_to(api_reference.PACKAGE.parents[1]).as_posix()
        found[path] = path.removeprefix("docs/").removesuffix(".md") + ".html"
    return found
