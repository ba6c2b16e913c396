"""A long sitting: the page does not grow with the takes, and suggests a rest without insisting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from in_browser import Studio, assert_accessible, focused
from record_desk import RecordDesk

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TAKES = 34
REST_AFTER = 25
MOST_GROWTH = 150_000
"""Bytes that the takes after the rest may add to the page: they hold several times as much sound."""


def weight(protocol: CDPSession) -> int:
    """Bytes the page holds, the buffers of sounds among them, after all that can go is gone."""
    protocol.send("HeapProfiler.collectGarbage")
    usage = protocol.send("Runtime.getHeapUsage")
    return int(usage["usedSize"] + usage["backingStorageSize"])


def test_many_takes_in_one_sitting(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "long")
    protocol = tab.context.new_cdp_session(tab)
    rest = tab.locator("#rest")
    before = 0
    for number in range(1, TAKES + 1):
        desk.take(0.5)
        tab.keyboard.press("n")
        desk.wait_to_hear(f"Phrase {number + 1} of")
        assert rest.is_visible() == (number == REST_AFTER)
        if number == REST_AFTER:
            assert_accessible(tab)
            rest.get_by_role("button", name="Go on").click()
            assert focused(tab).startswith("Record")
            before = weight(protocol)
    assert weight(protocol) - before < MOST_GROWTH
    assert len(desk.utterances()) == len(desk.recordings()) == TAKES
    seconds = sum(utterance.duration or 0 for utterance in desk.utterances()[REST_AFTER:])
    assert seconds * 44_100 * 2 > 4 * MOST_GROWTH


def test_who_has_just_had_a_rest_is_not_told_to_take_one(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "rested")
    desk.take(0.5)
    tab.evaluate("""() => {
        for (const clock of [Date, performance]) {
            const now = clock.now.bind(clock);
            clock.now = () => now() + 20 * 60_000;
        }
    }""")
    desk.take(0.5)
    assert not tab.locator("#rest").is_visible()
