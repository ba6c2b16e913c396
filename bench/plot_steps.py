"""Draws what bench/train_step.py measured as bars: how many times as fast as the reference path each arm is.

    python bench/plot_steps.py bench/results/FILE.json docs/images/FILE.svg

A bar is the median over rounds, the line on it goes from the least to the most. Colours are readable on light and dark.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

ROW, LEFT, WIDTH, RIGHT, TOP = 28, 250, 380, 70, 34


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", type=Path)
    parser.add_argument("image", type=Path)
    options = parser.parse_args()
    options.image.write_text(draw(json.loads(options.result.read_text(encoding="utf-8"))) + "\n", encoding="utf-8")


def draw(result: dict[str, Any]) -> str:
    """The chart as SVG, arms from the slowest to the fastest."""
    arms = sorted(result["arms"].items(), key=lambda pair: pair[1]["ratio_by_processor"])
    most = max(arm["ratio_by_processor_high"] for _, arm in arms)
    height = TOP + ROW * len(arms) + 6
    title = f"Speed against the reference path, scope {result['scope']}, vocabulary of {result['vocabulary']}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + RIGHT} {height}" role="img" '
            f'font-family="sans-serif" font-size="13" fill="#7a7a7a"><title>{escape(title)}</title>',
            f'<text x="0" y="16" font-size="14">{escape(title)}</text>',
            *(line for place, (name, arm) in enumerate(arms) for line in bar(place, name, arm, WIDTH / most)),
            "</svg>",
        ]
    )


def bar(place: int, name: str, arm: dict[str, float], scale: float) -> Iterator[str]:
    top = TOP + place * ROW
    middle = top + 10
    low, ratio, high = (arm[f"ratio_by_processor{end}"] * scale + LEFT for end in ("_low", "", "_high"))
    yield f'<text x="{LEFT - 10}" y="{middle + 4}" text-anchor="end">{escape(name)}</text>'
    yield f'<rect x="{LEFT}" y="{top}" width="{ratio - LEFT:.1f}" height="20" fill="#3b7dd8"/>'
    yield f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="#e08a00" stroke-width="2"/>'
    yield f'<text x="{high + 8:.1f}" y="{middle + 4}">{arm["ratio_by_processor"]:.1f}x</text>'


if __name__ == "__main__":
    main()
