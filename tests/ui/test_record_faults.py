"""What goes wrong while somebody records, seen from the page: no take is lost, and what is said about it is true."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import soundfile
from in_browser import HEAR_ANNOUNCEMENTS, MICROPHONE, Studio, announced, assert_accessible, focused
from record_desk import PATIENCE, RecordDesk

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page, Route

pytestmark = pytest.mark.browser


def assert_nothing_lost(desk: RecordDesk, takes: int) -> None:
    """Each saved take is one line and one file, and no other file is there."""
    utterances = desk.utterances()
    assert len(utterances) == takes
    assert sorted(utterance.audio_path for utterance in utterances) == [
        f"wavs/{path.name}" for path in desk.recordings()
    ]


def test_a_page_closed_while_recording_is_offered_the_take_again(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "closed")
    phrase = desk.part("words").inner_text()
    desk.begin(2)
    again = tab.context.new_page()
    tab.close()
    desk = RecordDesk(again, studio, "closed", make=False)
    offer = again.locator("#unfinished")
    offer.get_by_text(phrase).wait_for(timeout=PATIENCE)
    desk.wait_to_hear("Recordings that were not finished")
    assert_accessible(again)
    with again.expect_response("**/takes/*/audio") as heard:
        offer.get_by_role("button", name="Hear it").click()
    assert heard.value.ok
    offer.get_by_role("button", name="Discard it").click()
    desk.wait_to_hear("Discarded. You can undo this.")
    assert focused(again) == "Undo discard"
    offer.get_by_role("button", name="Undo discard").click()
    desk.wait_to_hear("Undone.")
    offer.get_by_role("button", name="Keep it").click()
    desk.wait_to_hear("Kept. It is with your recordings.")
    assert focused(again).startswith("Record")
    [utterance] = desk.utterances()
    assert utterance.text == phrase
    assert utterance.duration is not None
    assert utterance.duration > 1
    assert_nothing_lost(desk, 1)
    desk.open()
    assert not offer.is_visible()


def test_what_somebody_else_is_recording_is_neither_offered_nor_deleted(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "shared")
    desk.begin()
    assert tab.context.browser is not None
    elsewhere = tab.context.browser.new_context()
    other = RecordDesk(elsewhere.new_page(), studio, "shared", make=False)
    tab.wait_for_timeout(7000)  # it looks again, and the take still grows
    assert not other.page.locator("#unfinished").is_visible()
    deleted = elsewhere.request.delete(f"{studio.url}/voices/shared", headers={"origin": studio.url})
    assert (deleted.status, deleted.json()["message"]) == (409, "somebody is recording into this voice")
    desk.end()
    assert_nothing_lost(desk, 1)
    elsewhere.close()


def test_two_tabs_record_at_once(tab: Page, studio: Studio) -> None:
    first = RecordDesk(tab, studio, "two-tabs")
    other = tab.context.new_page()
    first.begin()
    second = RecordDesk(other, studio, "two-tabs", make=False)
    assert not other.locator("#unfinished").is_visible(), "what the other tab records just now is not unfinished"
    second.begin()
    first.end()
    second.end()
    assert_nothing_lost(first, 2)


def test_a_lost_connection_costs_nothing(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "offline")
    desk.begin()
    tab.context.set_offline(True)
    desk.wait_to_hear("The connection is lost. Recording goes on")
    assert_accessible(tab)
    tab.wait_for_timeout(10_000)
    assert "kept on this page" in desk.part("status").inner_text()
    desk.part("record").click()
    desk.wait_for("unsaved")
    desk.wait_to_hear("Stopped. Not saved yet.")
    assert desk.utterances() == []
    tab.context.set_offline(False)
    desk.wait_to_hear("Saved, ")
    assert not tab.locator("#trouble").is_visible()
    [utterance] = desk.utterances()
    assert utterance.duration is not None
    assert utterance.duration > 10.5
    assert_nothing_lost(desk, 1)


def test_going_on_while_a_take_waits_for_the_connection(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "waiting")
    tab.context.set_offline(True)
    desk.begin()
    desk.part("record").click()
    desk.wait_for("unsaved")
    desk.part("next").click()
    desk.begin()
    desk.part("record").click()
    desk.wait_for("unsaved")
    tab.locator("#try-again").click()  # in vain
    tab.context.set_offline(False)
    desk.wait_for("saved")
    desk.part("back").click()
    desk.wait_for("saved")
    assert len({utterance.phrase_id for utterance in desk.utterances()}) == 2
    assert_nothing_lost(desk, 2)


def test_going_on_and_back_asks_nobody(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "silent")
    desk.take()
    desk.open()
    tab.route("**/voices/**", lambda route: None)  # never answered
    for button, numbers in (("next", range(3, 13)), ("back", range(11, 0, -1))):
        for number in numbers:
            desk.part(button).click()
            desk.wait_to_hear(f"Phrase {number} of")
    assert desk.part("status").inner_text().startswith("Saved, "), "what was recorded on another day is known too"
    assert not tab.locator("#problem").is_visible()


def test_a_killed_server_is_waited_for(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "killed")
    desk.begin()
    studio.kill()
    desk.wait_to_hear("The connection is lost.")
    studio.start()
    desk.wait_to_hear("The connection is back.")
    tab.wait_for_timeout(500)
    desk.end()
    assert_nothing_lost(desk, 1)


def test_a_full_disk_is_said_and_waited_for(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "full")

    def refuse(route: Route) -> None:
        route.fulfill(status=507, json={"message": "the disk is full", "where": None, "mend": "Make some room."})

    tab.route("**/takes/*/audio?*", refuse)
    desk.begin()
    desk.wait_to_hear("The disk is full. Recording goes on")
    desk.part("record").click()
    desk.wait_for("unsaved")
    assert_accessible(tab)
    tab.unroute("**/takes/*/audio?*")
    desk.wait_to_hear("Saved, ")
    assert_nothing_lost(desk, 1)


def test_what_the_server_refuses_can_be_given_up(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "refused")
    desk.begin()
    [take] = [path.name for path in desk.voice.takes.glob("[0-9]*")]
    discarded = tab.request.post(f"{studio.url}/voices/refused/takes/{take}/discard", headers={"origin": studio.url})
    assert discarded.ok
    desk.wait_to_hear("There is no such unfinished recording.")
    desk.part("record").click()
    desk.wait_for("unsaved")
    tab.locator("#give-up").click()
    desk.wait_for("todo")
    assert focused(tab).startswith("Record")
    assert not tab.locator("#trouble").is_visible()
    desk.take()
    assert_nothing_lost(desk, 1)


def test_leaving_is_questioned_only_while_something_is_unsaved(tab: Page, studio: Studio) -> None:
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    tab.on("dialog", answer)
    desk = RecordDesk(tab, studio, "leaving")
    desk.take()
    tab.reload()
    assert asked == []
    desk.begin()
    tab.reload()
    assert asked == ["beforeunload"]


def test_a_microphone_that_goes_away_keeps_what_was_said(tab: Page, studio: Studio) -> None:
    tab.add_init_script("""
        const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wanted) => (window.unplugged = await ask(wanted));
    """)
    desk = RecordDesk(tab, studio, "unplugged")
    desk.begin(1.5)
    tab.evaluate("unplugged.getAudioTracks()[0].dispatchEvent(new Event('ended'))")  # what a browser does then
    desk.wait_to_hear("The microphone was unplugged or switched off.")
    desk.wait_for("saved")
    assert_nothing_lost(desk, 1)


def test_a_take_that_cannot_be_saved_is_had_as_a_file(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "file")
    desk.begin(1.2)
    studio.kill()
    desk.wait_to_hear("The connection is lost.")
    assert not tab.locator("#save-file").is_visible(), "while somebody speaks there is no whole take yet"
    desk.part("record").click()
    desk.wait_for("unsaved")
    with tab.expect_download() as handed:
        tab.locator("#save-file").click()
    desk.wait_to_hear("Saved by your browser")
    assert handed.value.suggested_filename == desk.part("words").inner_text().rstrip(".?!") + ".wav"
    samples, rate = soundfile.read(handed.value.path())
    assert len(samples) / rate > 1.2, "the part that had reached the server is in it too"
    assert_accessible(tab)
    studio.start()
    desk.wait_for("saved")
    assert_nothing_lost(desk, 1)


def test_a_page_about_to_sleep_sends_what_was_said_and_the_screen_stays_on(tab: Page, studio: Studio) -> None:
    tab.add_init_script("""
        window.lights = [];
        navigator.wakeLock.request = async (kind) => {
            lights.push(kind);
            return { release: async () => { lights.push("off"); } };
        };
    """)
    desk = RecordDesk(tab, studio, "asleep")
    desk.begin(0.7)
    half_a_second = 2 * 0.5 * tab.evaluate("new AudioContext().sampleRate")
    with tab.expect_request(lambda sent: sent.method == "PUT" and len(sent.post_data_buffer or b"") < half_a_second):
        tab.evaluate("""() => {
            Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""")
    assert tab.evaluate("lights") == ["screen"]
    desk.end()
    assert tab.evaluate("lights") == ["screen", "off"]
    assert_nothing_lost(desk, 1)


def test_a_browser_that_asks_unnoticed_is_pointed_to(tab: Page, studio: Studio) -> None:
    tab.add_init_script("navigator.mediaDevices.getUserMedia = () => new Promise(() => {})")
    desk = RecordDesk(tab, studio, "asked")
    desk.part("record").click()
    desk.wait_to_hear("If the browser asks, choose “Allow”.")
    assert "If the browser asks" in tab.locator("#problem").inner_text()
    desk.part("next").click(force=True)
    desk.wait_to_hear("If the browser asks, choose “Allow”.")
    assert_accessible(tab)


def test_a_microphone_that_gives_nothing_is_told_once_while_recording(tab: Page, studio: Studio) -> None:
    tab.add_init_script("""
        navigator.mediaDevices.getUserMedia = async () => new AudioContext().createMediaStreamDestination().stream;
    """)
    desk = RecordDesk(tab, studio, "muted")
    desk.begin()
    desk.wait_to_hear("No sound arrives from the microphone.")
    assert_accessible(tab)
    tab.wait_for_timeout(1000)
    assert not [said for said in announced(tab) if said.startswith("No sound arrives")]
    desk.end()


@pytest.mark.parametrize(
    ("hardware", "permissions", "said"),
    [
        ((), ["microphone"], "No microphone was found. Plug one in"),
        (MICROPHONE[1:], [], "The browser does not let this page use the microphone."),
    ],
)
def test_no_microphone_is_said_with_what_to_do(
    launch_chromium: Callable[..., Browser],
    studio: Studio,
    hardware: tuple[str, ...],
    permissions: list[str],
    said: str,
) -> None:
    browser = launch_chromium(*hardware)
    context = browser.new_context(permissions=permissions, viewport={"width": 360, "height": 640})
    context.add_init_script(HEAR_ANNOUNCEMENTS)
    desk = RecordDesk(context.new_page(), studio, f"without-{len(hardware)}")
    desk.part("record").click()
    desk.wait_to_hear(said)
    assert focused(desk.page).startswith("Record")
    places = [desk.page.locator("#problem").bounding_box(), desk.part("record").bounding_box()]
    assert all(box and 0 <= box["y"] <= 640 - box["height"] for box in places), "both are in sight on a phone"
    assert_accessible(desk.page)
    browser.close()
