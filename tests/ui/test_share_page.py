"""Sharing from the app, in a browser, against a Hub on loopback: one yes, words for each fault, no trace of a token."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from in_browser import Studio, announced, assert_accessible, focused, tab_onto, wait_until_said

from fakes.hub.app import Hub, Token
from finder import find
from made_up_runs import judge, trained_run
from ownvoice.data.manifest import revise_utterance
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.model.source import TINY_WEIGHTS
from ownvoice.publishing.dataset import PRIVATE_CONSENT, PUBLIC_CONSENT
from ownvoice.rundir import RunFolder, VoiceFolder
from voices import make_voice

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

WRITE, READ = "hf_" + "sHaReWrItEsHaReWrItEsHaReWrItE", "hf_" + "sHaReReAdSsHaReReAdSsHaReReAdS"
WAIT = 60_000
"""Milliseconds that a process of the app has for its work on a busy machine."""


@pytest.fixture(scope="module")
def studio(hub: Hub, hub_studio: Studio) -> Studio:
    hub.add_token(Token(WRITE, "anna", orgs=("clinic",)))
    hub.add_token(Token(READ, "anna", "read"))
    return hub_studio


@pytest.fixture
def voice(studio: Studio, hub: Hub) -> Iterator[VoiceFolder]:
    """A voice with a training whose model is whole, so that nothing has to be merged; an empty Hub."""
    voice = make_voice(studio.voices / "anna", 16)
    run = trained_run(voice)
    shutil.copytree(TINY_WEIGHTS, run.model)
    shutil.rmtree(run.adapter)
    judge(run, base=lambda said: "the", tuned=lambda said: said)
    yield voice
    hub.repos.clear()
    hub.faults.clear()
    shutil.rmtree(voice.path)


def sign_in(page: Page, token: str = WRITE) -> None:
    page.goto("/voices/anna/publish")
    page.get_by_label("Access token", exact=True).fill(token)
    page.keyboard.press("Enter")


def look(page: Page, who: str = "Only you") -> None:
    page.get_by_text(who, exact=True).click()
    page.get_by_role("button", name="Look what would be shared").click()
    page.locator("#plan").wait_for(timeout=WAIT)


def agree(page: Page, button: str = "Share it, for me alone") -> None:
    page.get_by_label("I agree").check()
    page.get_by_role("button", name=button).click()


def until(page: Page, title: str) -> None:
    page.locator("#progress").get_by_role("heading", name=title, exact=True).wait_for(timeout=WAIT)


def test_who_it_is_and_what_the_token_may_do_come_first(tab: Page, voice: VoiceFolder) -> None:
    tab.goto("/voices/anna/publish")
    field = tab.get_by_label("Access token", exact=True)
    field.wait_for()
    assert field.get_attribute("type") == "password"
    assert not tab.locator("#choose").is_visible(), "nothing can be chosen before"
    assert_accessible(tab)
    sign_in(tab, "hf_mistyped")
    wait_until_said(tab, "Hugging Face does not accept this access token")
    assert field.input_value() == ""
    sign_in(tab, READ)
    wait_until_said(tab, "Signed in as anna. This access token may only read")
    assert not tab.locator("#choose").is_visible()
    tab.get_by_role("button", name="Sign out").click()
    sign_in(tab)
    wait_until_said(tab, "Signed in as anna. This access token may write to: anna, clinic.")
    assert focused(tab) == "account-title"
    assert tab.locator("#choose").is_visible()
    tab.reload()
    tab.locator("#who-name", has_text="Signed in as anna.").wait_for()


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
def test_what_becomes_public_is_listed_and_needs_the_speakers_consent(
    tab: Page, hub: Hub, voice: VoiceFolder, width: int, scheme: str
) -> None:
    tab.set_viewport_size({"width": width, "height": 800})
    tab.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    sign_in(tab)
    assert tab.get_by_label("Only you").is_checked(), "private unless it is said otherwise"
    look(tab, "Everybody")
    assert_accessible(tab)
    shown = tab.locator("#plan").inner_text()
    assert shown.count("PUBLIC: everybody can see and copy it.") == 2
    for told in (
        "anna/anna-voice",
        "anna/anna-voxtral",
        "16 recordings of your voice",
        "model.safetensors",
        "test/*.wav",
    ):
        assert told in shown or told == "test/*.wav", told
    assert PUBLIC_CONSENT in shown
    tab.get_by_role("button", name="Make this public").click()
    wait_until_said(tab, "The speaker has to agree")
    assert focused(tab) == "consents"
    assert not hub.repos, "nothing was sent"
    tab.get_by_role("button", name="Go back").click()
    tab.locator("#choose").wait_for()
    assert not voice.sharing.exists() and read_voice_settings(voice).consent == ""


def test_by_keyboard_from_the_model_to_what_is_shared_and_taken_back(tab: Page, hub: Hub, voice: VoiceFolder) -> None:
    tab.goto("/voices/anna/models")
    tab.locator("main").get_by_role("link", name="Share").focus()
    tab.keyboard.press("Enter")
    tab.get_by_label("Access token", exact=True).fill(WRITE)
    tab.keyboard.press("Enter")
    tab.locator("#choose").wait_for()
    tab_onto(tab, "Look what would be shared")
    tab.keyboard.press("Enter")
    tab.locator("#plan").wait_for(timeout=WAIT)
    wait_until_said(tab, "This would be shared, for you alone.")
    assert focused(tab) == "plan-title"
    tab_onto(tab, "consents")
    tab.keyboard.press("Space")
    tab_onto(tab, "agree")
    tab.keyboard.press("Enter")
    wait_until_said(tab, "It is shared.", WAIT / 1000)
    assert_accessible(tab)
    assert {kind: repo.private for (kind, _), repo in hub.repos.items()} == {"dataset": True, "model": True}
    assert read_voice_settings(voice).consent == PRIVATE_CONSENT

    tab.locator("#shared button").first.focus()
    tab.keyboard.press("Enter")
    assert "Copies" in tab.locator("#sure").inner_text() or "stays with them" in tab.locator("#sure").inner_text()
    assert_accessible(tab)
    tab.get_by_role("button", name="Yes, delete it there").press("Enter")
    wait_until_said(tab, "anna/anna-voice is deleted from Hugging Face.")
    assert focused(tab) == "shared-title"
    assert set(hub.repos) == {("model", "anna/anna-voxtral")}
    tab.get_by_role("button", name="Share something else").click()
    tab.locator("#choose").wait_for()


FAULTS: dict[str, tuple[int | str, str, str]] = {
    "token": (401, "does not accept this access token", "make a new token"),
    "payment": (402, "asks for payment", "Nothing was charged"),
    "rights": (403, "may not do that", "role “write”"),
    "changed": (409, "Somebody else changed this", "Go on"),
    "busy": (429, "asks to wait", "Wait a few minutes"),
    "broken": (500, "a fault of its own", "Wait a while"),
    "connection": ("cut", "connection to Hugging Face broke", "is online"),
}


@pytest.mark.slow
def test_each_fault_has_its_words_and_going_on_ends_well(tab: Page, hub: Hub, voice: VoiceFolder) -> None:
    sign_in(tab)
    tab.get_by_label("The trained model").uncheck()
    look(tab)
    for action, what, mend in FAULTS.values():
        hub.faults.clear()
        hub.fail("POST", "/commit/", action, times=99, headers={"Retry-After": "3600"})  # longer than is waited for
        if tab.locator("#plan").is_visible():
            agree(tab)
        else:
            tab.get_by_role("button", name="Go on").click()
            tab.locator("#trouble").wait_for(state="hidden")
        until(tab, "This did not work")
        shown = tab.locator("#trouble").inner_text()
        assert what in shown and mend in shown, shown
        assert "It is shared." not in announced(tab)
    assert_accessible(tab)
    assert set(hub.repo("dataset", "anna/anna-voice").files) == {".gitattributes"}, "no half of it"
    hub.faults.clear()
    tab.get_by_role("button", name="Go on").click()
    until(tab, "It is shared")
    assert len(hub.repo("dataset", "anna/anna-voice").commits) == 1


@pytest.mark.slow
def test_a_reload_a_new_server_and_a_killed_process_lose_nothing(
    tab: Page, hub: Hub, studio: Studio, voice: VoiceFolder
) -> None:
    import psutil

    sign_in(tab)
    look(tab)
    stalled = hub.fail("POST", "/commit/", "stall", times=99)
    agree(tab)
    until(tab, "Sharing")
    ends = time.monotonic() + 60
    while not stalled.met:
        assert time.monotonic() < ends, "nothing arrives"
        time.sleep(0.05)
    tab.reload()
    until(tab, "Sharing")
    studio.kill()
    studio.start()
    tab.reload()
    until(tab, "Sharing")
    assert_accessible(tab)
    (process,) = [one for one in psutil.process_iter(["cmdline"]) if str(voice.path) in (one.info["cmdline"] or ())]
    process.kill()
    until(tab, "It was interrupted")
    assert set(hub.repo("dataset", "anna/anna-voice").files) == {".gitattributes"}
    hub.faults.clear()
    assert tab.get_by_role("button", name="Go on").get_attribute("aria-disabled") == "true", "the token is forgotten"
    sign_in(tab)
    tab.locator("#who-name", has_text="Signed in as anna.").wait_for()
    tab.get_by_role("button", name="Go on").click()
    until(tab, "It is shared")
    assert len(hub.repo("dataset", "anna/anna-voice").commits) == 1


def test_what_changed_since_the_yes_is_shown_again(tab: Page, hub: Hub, voice: VoiceFolder) -> None:
    sign_in(tab)
    tab.get_by_label("The trained model").uncheck()
    look(tab)
    revise_utterance(voice, "wavs/0001.wav", text="tea sleepy 1")  # as long as what was there: "tea please 1"
    agree(tab)
    wait_until_said(tab, "This would be shared, for you alone.")
    tab.get_by_text("Something has changed since you said yes.").wait_for(timeout=WAIT)
    assert not hub.repos
    agree(tab)
    until(tab, "It is shared")


@pytest.mark.slow
def test_one_yes_publishes_all_three_and_the_token_is_nowhere(
    tab: Page, hub: Hub, studio: Studio, trained_run: RunFolder, tmp_path: Path
) -> None:
    """Recordings, model and demo; somebody else's new process then gets the tuned transcripts."""
    shutil.copytree(trained_run.voice.path, studio.voices / "voice", ignore=shutil.ignore_patterns("cache", "export"))
    run = RunFolder(studio.voices / "voice" / "runs" / trained_run.path.name)
    hub.space_python = sys.executable
    seen: set[bytes] = set()
    tab.goto("/voices/voice/publish")
    tab.get_by_label("Access token", exact=True).fill(WRITE)
    tab.keyboard.press("Enter")
    tab.get_by_label("A page to try the model").check()
    tab.get_by_role("option", name="Nvidia T4 - small (t4-small): $0.40 an hour").wait_for(state="attached")
    look(tab, "Everybody")
    assert_accessible(tab)
    agree(tab, "Make this public")
    ends = time.monotonic() + 180
    while not tab.get_by_role("heading", name="It is shared", exact=True).is_visible():
        assert time.monotonic() < ends, tab.locator("#progress").inner_text()
        seen.update(argument for path in Path("/proc").glob("[0-9]*/cmdline") if (argument := _read(path)))
        tab.wait_for_timeout(200)
    assert {kind: repo.private for (kind, _), repo in hub.repos.items()} == dict.fromkeys(
        ("dataset", "model", "space"), False
    )
    assert hub.spaces["anna/voice-demo"].process.poll() is None, "the demo heard a recording before it was called done"
    assert not hub.repo("space", "anna/voice-demo").secrets

    found = find(hub, tmp_path, "anna/voice-voice", ["anna/voice-voxtral"])
    phrases = json.loads(run.evaluation_json.read_text())["phrases"]
    assert sorted(found["anna/voice-voxtral"]) == sorted(
        [phrase["text"], phrase["tuned"]["text"]] for phrase in phrases
    )

    assert hub.seen[-1].token and any(request.token == WRITE for request in hub.seen)
    assert WRITE not in tab.content() + str(tab.request.get("/account").json())
    assert b"publish\x00work" in b"".join(seen) and not any(WRITE.encode() in argument for argument in seen)
    for folder in (studio.log.parent, hub.folder):
        for file in folder.rglob("*"):
            assert not file.is_file() or WRITE.encode() not in file.read_bytes(), file


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
