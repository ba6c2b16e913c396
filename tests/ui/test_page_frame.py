"""The frame of every page: accessible in each display choice, which lasts; errors in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from in_browser import assert_accessible

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("colours", ["light", "dark", "contrast"])
@pytest.mark.parametrize("width", [320, 1280])
def test_display_choices_are_accessible_and_last(tab: Page, colours: str, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 800})
    tab.goto("/")
    tab.locator(".display summary").click()
    tab.locator(f"input[name=colours][value={colours}]").check()
    tab.locator("input[name=size][value='200']").check()
    assert_accessible(tab)
    tab.reload()
    assert tab.locator("html").get_attribute("data-colours") == colours
    assert tab.locator("html").get_attribute("data-size") == "200"


def test_a_missing_page_says_so_in_words(tab: Page) -> None:
    answer = tab.goto("/voices/nobody/record")
    assert answer is not None
    assert answer.status == 404
    assert tab.title().startswith("This did not work")
    assert "here is no voice called" in tab.locator("main").inner_text()
    assert_accessible(tab)
