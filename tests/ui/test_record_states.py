"""Every state of the record page: accessible, announced, and the focus where the person is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from in_browser import Studio, assert_accessible, focused
from record_desk import RecordDesk

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_a_take_from_idle_to_its_hint(tab: Page, studio: Studio) -> None:
    """The made-up microphone beeps: a take without speech is kept, and that nothing was heard is said."""
    desk = RecordDesk(tab, studio, "states")
    assert_accessible(tab)
    desk.part("record").focus()
    tab.keyboard.press("Enter")
    desk.wait_to_hear("Recording.")
    desk.wait_for("recording")
    assert focused(tab).startswith("Stop")
    assert_accessible(tab)
    tab.wait_for_timeout(600)
    tab.keyboard.press("Enter")
    desk.wait_to_hear("Stopped. Saving.")
    desk.wait_for("saved")
    desk.wait_to_hear("Saved, ")
    assert focused(tab).startswith("Record again")
    assert desk.part("status").inner_text().startswith("Saved, ")
    assert "You can keep it or record again." in desk.part("hints").inner_text()
    assert_accessible(tab)


def test_hear_delete_undo_skip_and_back(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "moves")
    desk.part("hear").click(force=True)  # what cannot be used keeps the focus, and says why
    desk.wait_to_hear("There is no recording of this phrase to hear.")
    desk.take()
    with tab.expect_response("**/utterances/*/audio") as heard:
        desk.part("hear").click()
    assert heard.value.status in (200, 206)
    desk.part("remove").click()
    desk.wait_to_hear("Deleted. You can undo this.")
    assert tab.locator("#progress").inner_text().startswith("Nothing recorded yet.")
    assert focused(tab).startswith("Delete")
    assert [utterance.excluded for utterance in desk.utterances()] == [True]
    desk.part("undo").click()
    desk.wait_to_hear("Undone.")
    assert focused(tab).startswith("Undo")
    assert [utterance.excluded for utterance in desk.utterances()] == [False]
    desk.part("skip").click()
    desk.wait_to_hear("Phrase 2 of")
    desk.part("skip").click()
    desk.wait_to_hear("Phrase 3 of")
    assert focused(tab).startswith("Skip")
    desk.part("undo").click()
    desk.wait_to_hear("Undone.")
    assert desk.part("place").inner_text().startswith("Phrase 2 ")
    desk.part("back").click()
    desk.wait_to_hear("Phrase 1 of")
    desk.wait_for("saved")
    assert focused(tab).startswith("Back")


def test_recording_again_replaces_and_can_be_undone(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "again")
    desk.take()
    tab.wait_for_timeout(300)
    desk.take()
    first, second = sorted(desk.utterances(), key=lambda utterance: utterance.take or 0)
    assert second.replaces == first.id
    assert (first.excluded, second.excluded) == (True, False)
    desk.part("undo").click()
    desk.wait_to_hear("Undone.")
    first, second = sorted(desk.utterances(), key=lambda utterance: utterance.take or 0)
    assert (first.excluded, second.excluded) == (False, True)


def test_the_words_are_changed_before_and_after(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "words")
    desk.part("reword").click()
    assert desk.part("own-words").evaluate("field => field === document.activeElement")
    assert_accessible(tab)
    tab.keyboard.type("Water please")
    desk.part("reword-done").click()
    desk.wait_to_hear("The words are changed.")
    assert focused(tab) == "Edit words"
    desk.take()
    assert [utterance.text for utterance in desk.utterances()] == ["Water please"]
    desk.part("reword").click()
    tab.keyboard.type("Water now")
    desk.part("next").click()  # who goes on means what was written
    desk.wait_to_hear("The words are changed.")
    assert [utterance.text for utterance in desk.utterances()] == ["Water now"]
    desk.part("reword").click()
    tab.keyboard.type("no")
    desk.part("reword-cancel").click()
    assert desk.part("words").inner_text() != "no"
    desk.open()
    desk.part("back").click()
    desk.wait_to_hear("Phrase 1 of")
    assert desk.part("words").inner_text() == "Water now"
    tab.get_by_label("List").check()
    assert "Water now" in tab.locator("#list li").first.inner_text()


def test_the_list_records_in_place_and_grows(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "list")
    tab.get_by_label("List").check()
    rows = tab.locator("#list li.row-of-list")
    assert rows.count() == 10
    assert_accessible(tab)
    tab.get_by_role("button", name="Record 3", exact=True).click()
    desk.wait_to_hear("Recording.")
    tab.wait_for_timeout(500)  # a second press at once is taken for a tremor
    tab.get_by_role("button", name="Record 4", exact=True).click(force=True)
    desk.wait_to_hear("Stop the recording first.")
    assert_accessible(tab)
    tab.get_by_role("button", name="Stop 3", exact=True).click()
    desk.wait_to_hear("Saved, ")
    assert focused(tab).startswith("Record again 3")
    assert "Saved, " in rows.nth(2).inner_text()
    tab.get_by_role("button", name="Add 10 more").click()
    desk.wait_to_hear("20 phrases are shown.")
    assert focused(tab) == "Add 10 more"
    assert rows.count() == 20
    desk.open()
    assert tab.get_by_label("List").is_checked()
    assert "Saved" in rows.nth(2).inner_text()


def test_the_room_check_says_what_to_do_and_what_it_found(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "room")
    tab.locator("#room-check > summary").click()
    tab.get_by_role("button", name="Start the check").click()
    desk.wait_to_hear("Be quiet, please.")
    assert_accessible(tab)
    desk.wait_to_hear("Now speak")
    desk.wait_to_hear("No voice was heard.")
    assert focused(tab) == "Start the check"
    assert_accessible(tab)
    assert desk.utterances() == []


@pytest.mark.parametrize(
    "settings", [{"color_scheme": "dark"}, {"reduced_motion": "reduce"}, {"forced_colors": "active"}]
)
def test_as_the_person_likes_to_see_it(tab: Page, studio: Studio, settings: dict[str, str]) -> None:
    tab.emulate_media(**settings)  # type: ignore[arg-type]
    desk = RecordDesk(tab, studio, f"seen-{next(iter(settings.values()))}")
    for summary in tab.locator("#sitting details > summary").all():
        summary.click()
    desk.begin(0.5)
    assert_accessible(tab)
    if "reduced_motion" in settings:
        assert tab.evaluate("document.getAnimations().length") == 0
        assert not desk.part("bar").is_visible()
        assert desk.part("level-word").is_visible()
    desk.end()
    assert_accessible(tab)


@pytest.mark.parametrize("view", ["One at a time", "List"])
def test_narrow_and_large(tab: Page, studio: Studio, view: str) -> None:
    tab.set_viewport_size({"width": 320, "height": 640})
    desk = RecordDesk(tab, studio, f"narrow-{view[:3].lower()}")
    tab.get_by_label(view).check()
    for summary in tab.locator("#sitting details > summary").all():
        summary.click()
    assert_accessible(tab)
    tab.locator(".display summary").click()
    tab.get_by_label("Very large").check()
    assert_accessible(tab)
    desk.open()
    tab.set_viewport_size({"width": 256, "height": 256})  # 1024 px at 400 %
    assert_accessible(tab)


def test_on_a_small_screen_it_begins_with_the_phrase(tab: Page, studio: Studio) -> None:
    tab.set_viewport_size({"width": 360, "height": 640})
    desk = RecordDesk(tab, studio, "small")
    box = desk.part("record").bounding_box()
    assert box is not None
    assert 0 <= box["y"] <= 640 - box["height"]


def test_nothing_moves_while_somebody_records(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "still")
    before = [desk.part(name).bounding_box() for name in ("record", "next", "remove", "undo")]
    desk.begin(0.5)
    tab.context.set_offline(True)
    desk.wait_to_hear("The connection is lost.")
    assert [desk.part(name).bounding_box() for name in ("record", "next", "remove", "undo")] == before
    tab.context.set_offline(False)
    desk.wait_to_hear("The connection is back.")
    desk.end()
    assert [desk.part(name).bounding_box() for name in ("record", "next", "remove", "undo")] == before


def test_going_on_by_itself_waits_where_there_is_a_hint(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "by-itself")
    tab.locator("#pace-settings > summary").click()
    tab.get_by_label("Go to the next phrase by itself").check()
    desk.take()
    tab.wait_for_timeout(300)
    assert desk.part("hints").inner_text() != ""
    assert desk.part("place").inner_text().startswith("Phrase 1 ")


def test_stopping_for_today_loses_nothing_and_goes_on_another_day(tab: Page, studio: Studio) -> None:
    desk = RecordDesk(tab, studio, "today")
    desk.take()
    tab.wait_for_timeout(500)
    desk.part("record").click()
    desk.wait_for("recording")
    tab.wait_for_timeout(800)
    desk.end()  # the same phrase, once more
    tab.get_by_role("button", name="Stop for today").click()
    assert focused(tab) == "summary-title"
    assert "1 phrase" in tab.locator("#today").inner_text()
    assert "second" in tab.locator("#today").inner_text(), "less than a minute is no part of a minute"
    assert tab.locator("#today").inner_text() == tab.locator("#so-far").inner_text()
    assert tab.locator("#goal").inner_text().startswith("Next goal: 5 minutes")
    assert "Everything is saved" in tab.locator("#all-saved").inner_text()
    assert_accessible(tab)
    tab.get_by_role("button", name="Go on recording").click()
    assert focused(tab).startswith("Record again")
    desk.open()
    assert desk.part("place").inner_text().startswith("Phrase 2 "), "goes on with the first that is not recorded"
    desk.part("back").click()
    desk.wait_for("saved")
