"""Mends what the theme's pages lack for a screen reader, on the finished HTML. Changes nothing a person sees.

Each mend is for a finding of axe; tests/docs/test_site.py fails where one is missing or no longer needed.
"""

from __future__ import annotations

import re

_NAMELESS_NAV = re.compile(
    r'(<nav class="md-nav" data-md-level="\d+") aria-labelledby="[^"]*"'
    r'(.*?<label class="md-nav__title"[^>]*>\s*<span[^>]*></span>\s*)([^<]+?)(\s*</label>)',
    re.DOTALL,
)


def mend_theme(html: str) -> str:
    """Name the search dialog, and each list of pages whose label is an icon; make the empty heads of tables cells.

    The lists inside a page's table of contents are no landmarks: two functions of a name would make two of one name.
    """
    html = html.replace('role="dialog"', 'role="dialog" aria-label="Search"')
    html = _NAMELESS_NAV.sub(r'\1 aria-label="Pages: \3"\2\3\4', html)
    html = re.sub(r'<nav class="md-nav" aria-label="[^"]*">', '<nav class="md-nav" role="presentation">', html)
    return re.sub(r"<th([^>]*)></th>", r"<td\1></td>", html)
