"""Draws the Mermaid diagrams of docs/diagrams into SVG files beside them, in a headless Chromium.

    npm install --prefix build/mermaid mermaid@12
    python tools/docs/draw_diagrams.py [NAME]...

The drawings are kept in the repository, so that building the site needs neither a browser nor Mermaid.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

from diagrams import NAMES, ROOT, Diagram, read_diagram

MERMAID = ROOT / "build" / "mermaid" / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"
LOOK = {
    "startOnLoad": False,
    "securityLevel": "loose",  # keeps links; the sources are our own
    "theme": "neutral",
    "look": "classic",
    "fontFamily": "system-ui, sans-serif",
    "fontSize": 15,
    "htmlLabels": False,  # plain SVG text, which every viewer and printer shows
    "flowchart": {"htmlLabels": False, "curve": "basis", "padding": 12, "wrappingWidth": 300, "useMaxWidth": False},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; all otherwise")
    parser.add_argument("--mermaid", type=Path, default=MERMAID, help="mermaid.min.js")
    chosen = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.set_content("<!doctype html><html lang=en><body></body></html>")
        page.add_script_tag(path=chosen.mermaid)
        page.evaluate("look => mermaid.initialize(look)", LOOK)
        for name in chosen.names or NAMES:
            diagram = read_diagram(name)
            diagram.file.parent.mkdir(exist_ok=True)
            diagram.file.write_text(draw(page, diagram), encoding="utf-8")
            print(f"{diagram.file.relative_to(ROOT)}  {diagram.file.stat().st_size // 1000} kB")
        browser.close()


def draw(page: Page, diagram: Diagram) -> str:
    """The SVG of one diagram, with what it was drawn from, and without what a reader would be held up by."""
    svg: str = page.evaluate(
        "async ([id, source]) => (await mermaid.render(id, source)).svg", [f"drawing-{diagram.name}", diagram.source]
    )
    svg = re.sub(r' target="[^"]*"| rel="[^"]*"', "", svg)
    return svg.replace("</svg>", f"<!--drawn from {diagram.digest}--></svg>", 1) + "\n"


if __name__ == "__main__":
    main()
