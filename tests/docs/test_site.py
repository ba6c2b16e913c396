"""The site as it is built: whole, silent on the network, free of what an accessibility checker finds, printable."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest
from diagrams import NAMES, read_diagram
from filelock import FileLock
from snippets import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

BUILD_SECONDS = 400
"""Many times what it takes, for a machine on which much else goes on."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built once for all processes that test; a warning ends the build."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if os.environ.get("PYTEST_XDIST_WORKER") else shared
    with FileLock(shared / "site.lock", timeout=BUILD_SECONDS):
        if not (shared / "site" / "index.html").is_file():
            half = shared / "site.half"
            shutil.rmtree(half, ignore_errors=True)
            built = subprocess.run(
                [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", half],
                cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
                capture_output=True, text=True, timeout=BUILD_SECONDS,
            )  # fmt: skip
            assert built.returncode == 0, built.stderr
            half.rename(shared / "site")
    return shared / "site"


class Anatomy(HTMLParser):
    """What a page links to, fetches, and can be linked to at."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.fetched: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        address = given.get("href") or given.get("xlink:href") or given.get("src")
        if address and tag == "a":
            self.links.add(address)
        elif address and (tag != "link" or given.get("rel") not in ("canonical", "next", "prev")):
            self.fetched.add(address)


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[Path, Anatomy]:
    return {file: Anatomy(file.read_text(encoding="utf-8")) for file in sorted(site.rglob("*.html"))}


def test_no_link_leads_nowhere(site: Path, pages: dict[Path, Anatomy]) -> None:
    broken = []
    for file, page in pages.items():
        for link in page.links | page.fetched:
            address = urlsplit(link)
            if address.scheme or link in ("#", ""):
                continue
            target = (file.parent / unquote(address.path)).resolve() if address.path else file
            target = target / "index.html" if target.is_dir() else target
            anchors = pages[target].anchors if target in pages else set()
            if not target.is_file() or (address.fragment and unquote(address.fragment) not in anchors):
                broken.append(f"{file.relative_to(site)}: {link}")
    assert broken == []
    assert len(pages) > 50


def test_no_page_fetches_anything_from_elsewhere(pages: dict[Path, Anatomy]) -> None:
    assert {address for page in pages.values() for address in page.fetched if urlsplit(address).netloc} == set()


def test_every_drawing_is_in_the_site_twice_and_leads_to_the_code(pages: dict[Path, Anatomy], site: Path) -> None:
    for name in NAMES:
        for page in (site / "diagrams" / f"{name}.html", site / "diagrams" / "index.html"):
            assert f"drawing-{name}" in pages[page].anchors
            assert len([link for link in pages[page].links if "reference/api/" in link]) >= 8


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Page]:
    """A tab that fails its test when a page complains on the console, or asks for anything but files of the site."""
    opened = chromium.new_page(reduced_motion="reduce")
    trouble: list[str] = []
    opened.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.on("request", lambda request: trouble.append(request.url) if urlsplit(request.url).netloc else None)
    yield opened
    opened.close()
    assert trouble == []


RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def findings(page: Page, *, made: bool = False) -> list[str]:
    """What axe finds on a page, but for colours and the words of signatures where docstrings ``made`` it.

    There are thousands of them, coloured by the one style sheet that the written pages have too.
    """
    from axe_playwright_python.sync_playwright import Axe

    options = {
        "preload": False,  # of style sheets, which a page opened from a disk may not read again
        "resultTypes": ["violations"],
        "runOnly": {"type": "tag", "values": RULES},
        "rules": {"color-contrast": {"enabled": not made}},
    }
    context = {"exclude": [[".doc-signature"]]} if made else None
    found = Axe().run(page, context=context, options=options).response["violations"]
    return [f"{rule['id']}: {node['html'][:150]}" for rule in found for node in rule["nodes"]]


SHARES = 4
"""Of all pages: each is a test of its own, so that two processes can divide them and none takes long."""


@pytest.mark.browser
@pytest.mark.timeout(400)
@pytest.mark.parametrize("share", range(SHARES))
def test_accessibility_checker_finds_nothing_on_any_page(site: Path, tab: Page, share: int) -> None:
    tab.set_viewport_size({"width": 1280, "height": 2000})  # tall enough for the list of pages, which else is cut off
    for file in sorted(site.rglob("*.html"))[share::SHARES]:
        name = file.relative_to(site).as_posix()
        tab.goto(file.as_uri())
        assert findings(tab, made="/api/" in name and name != "reference/api/ui.html") == [], name


@pytest.mark.browser
@pytest.mark.parametrize("name", ["index.html", "engineers/python.html", "diagrams/index.html"])
def test_dark_colours_and_narrow_screens_too(site: Path, tab: Page, name: str) -> None:
    tab.emulate_media(color_scheme="dark")
    tab.set_viewport_size({"width": 320, "height": 800})
    tab.goto((site / name).as_uri())
    assert findings(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.browser
def test_search_works_from_a_disk(site: Path, tab: Page) -> None:
    tab.goto((site / "index.html").as_uri())
    tab.keyboard.press("/")
    tab.keyboard.type("safetensors")
    tab.locator(".md-search-result__link").first.wait_for(timeout=60_000)


@pytest.mark.browser
def test_boxes_are_found_in_all_drawings(site: Path, tab: Page) -> None:
    tab.goto((site / "diagrams" / "index.html").as_uri())
    tab.get_by_label("Find a box").fill("publish")
    assert tab.get_by_role("status").filter(has_text="boxes").inner_text() == f"{tab.locator('a.found').count()} boxes"
    assert tab.locator("a.found").count() >= 3
    tab.get_by_role("button", name="Full size").press("Enter")
    assert tab.locator(".diagram.enlarged").count() == len(NAMES)
    box = tab.locator("#drawing-training a").filter(has_text="checkpoints")
    address = box.get_attribute("xlink:href", timeout=10_000)
    assert address and address.endswith("training.html#ownvoice.training.checkpoint")


@pytest.mark.browser
def test_each_drawing_is_printed_on_a_page_of_its_own(site: Path, tab: Page, tmp_path: Path) -> None:
    tab.goto((site / "diagrams" / "index.html").as_uri())
    tab.emulate_media(media="print")
    assert tab.locator(".drawing-tools:visible, .md-header:visible").count() == 0
    heights = tab.locator(".diagram svg").evaluate_all("all => all.map(one => one.getBoundingClientRect().height)")
    assert len(heights) == len(NAMES)
    assert max(heights) <= 180 / 25.4 * 96, "taller than a page"
    breaks = tab.locator(".md-content h2").evaluate_all("all => all.map(one => getComputedStyle(one).breakBefore)")
    assert breaks == ["page"] * len(NAMES)
    assert read_diagram(NAMES[0]).title in tab.locator(".md-content h2").first.inner_text()
