"""Teaching on a rented machine from the app: there for who signed in, priced before, watched, ended, come back to."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from in_browser import Studio, assert_accessible, focused, wait_until_said

from fakes.hub.app import Hub, Token
from following import until
from ownvoice.events import read_events
from ownvoice.publishing.dataset import PRIVATE_CONSENT
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.workflow.run_view import RunWatch
from rented_machine import HALF_A_RUN, stand_in_for_uvx
from voices import make_voice

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

SECRET = "hf_" + "rEnTrEnTrEnTrEnTrEnTrEnTrEnTrE"


@pytest.fixture(scope="module")
def studio(hub: Hub, hub_studio: Studio) -> Studio:
    hub.add_token(Token(SECRET, "anna"))
    return hub_studio


@pytest.fixture
def machine(hub: Hub, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Says what stands for ``uvx``, the installer that each job begins with."""

    def stands(shell: str) -> None:
        stand_in_for_uvx(hub, tmp_path / "bin", shell)

    yield stands
    for job in hub.jobs.values():
        job.stop("CANCELED", "the test is over")


@pytest.fixture
def voice(studio: Studio) -> Iterator[VoiceFolder]:
    voice = make_voice(studio.voices / "anna", 16)
    yield voice
    shutil.rmtree(voice.path)


def sign_in(page: Page) -> None:
    page.goto("/voices/anna/publish")
    page.get_by_label("Access token", exact=True).fill(SECRET)
    page.keyboard.press("Enter")
    page.locator("#who").wait_for()


def rent(page: Page, voice: VoiceFolder) -> RunFolder:
    page.goto("/voices/anna/train")
    page.locator("#base-tiny").check()
    page.locator("#advanced summary").click()
    for name, value in (("epochs", "1"), ("batch_size", "8")):
        page.locator(f"#field-{name}").fill(value)
    page.get_by_text("On a rented machine instead").click()
    page.get_by_role("option", name="Nvidia T4 - small (t4-small): $0.40 an hour").wait_for(state="attached")
    page.get_by_label("At most so many hours").fill("3")
    assert page.locator("#rent-most").inner_text() == "It costs at most $1.20: $0.40 an hour, for 3 hours."
    if page.get_by_label("I agree").count():
        page.get_by_label("I agree").check()
    page.get_by_role("button", name="Rent it and teach the model").click()
    page.wait_for_url("**/runs/*")
    return RunFolder(voice.runs / page.url.rpartition("/")[2])


def follower_of(run: RunFolder) -> psutil.Process:
    path = str(run.path.resolve())
    return next(one for one in psutil.process_iter(["cmdline"]) if path in (one.info["cmdline"] or ()))


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
def test_it_is_offered_to_who_signed_in_with_its_price(
    tab: Page, hub: Hub, voice: VoiceFolder, width: int, scheme: str
) -> None:
    tab.set_viewport_size({"width": width, "height": 800})
    tab.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    tab.goto("/voices/anna/train", wait_until="networkidle")
    assert not tab.locator("#rent").is_visible()
    sign_in(tab)
    tab.goto("/voices/anna/train")
    tab.get_by_text("On a rented machine instead").click()
    tab.locator("#rent-most", has_text="It costs at most").wait_for()
    assert PRIVATE_CONSENT in tab.locator("#rent").inner_text()
    assert_accessible(tab)
    tab.get_by_role("button", name="Rent it and teach the model").click()
    wait_until_said(tab, "The speaker has to agree")
    assert focused(tab) == "rent-consents"
    assert not hub.jobs and not hub.repos and voice.latest_run() is None


@pytest.mark.slow
def test_it_is_watched_left_come_back_to_and_ended(
    tab: Page, hub: Hub, studio: Studio, machine: Callable[[str], None], voice: VoiceFolder, tmp_path: Path
) -> None:
    (tmp_path / "half.py").write_text(HALF_A_RUN)
    machine(f'exec "{sys.executable}" {tmp_path / "half.py"}')
    sign_in(tab)
    run = rent(tab, voice)
    tab.get_by_role("heading", name="The model is learning").wait_for(timeout=60_000)
    assert tab.locator("#rented-what").inner_text() == "On a rented machine: t4-small, $0.40 an hour, at most $1.20"
    assert tab.locator("#step").inner_text() == "Step 1 of 9"
    assert not tab.get_by_role("button", name="Pause").is_visible()
    assert_accessible(tab)
    follower = follower_of(run)
    assert SECRET not in " ".join(follower.cmdline())

    follower.kill()  # as if the computer was switched off
    studio.kill()
    studio.start()
    tab.reload()
    tab.locator("#rented-lost").wait_for()
    assert_accessible(tab)
    tab.get_by_role("button", name="Follow it again").click()
    wait_until_said(tab, "Nobody is signed in")
    sign_in(tab)
    tab.goto(f"/voices/anna/runs/{run.path.name}")
    tab.get_by_role("button", name="Follow it again").click()
    ends = time.monotonic() + 60
    while not RunWatch(run).look().is_followed:
        assert time.monotonic() < ends, run.log.read_text()
        time.sleep(0.2)
    assert len(hub.jobs) == 1 and not tab.locator("#rented-lost").is_visible()

    tab.get_by_role("button", name="End it").click()
    tab.get_by_role("button", name="Yes, end it").click()
    tab.get_by_role("heading", name="Ended early").wait_for(timeout=60_000)
    (job,) = hub.jobs.values()
    assert job.ended.is_set() and job.stage == "CANCELED"
    tab.get_by_text("Learned on a rented machine").wait_for()
    assert not hub.repos, "nothing stays on the Hub"


@pytest.mark.slow
def test_what_it_learned_comes_here(
    tab: Page, hub: Hub, studio: Studio, machine: Callable[[str], None], trained_run: RunFolder
) -> None:
    shutil.copytree(
        trained_run.voice.path, studio.voices / "anna", ignore=shutil.ignore_patterns("cache", "runs", "published.json")
    )
    voice = VoiceFolder(studio.voices / "anna")
    machine(f'exec "{sys.executable}" -m ownvoice "$@"')
    sign_in(tab)
    run = rent(tab, voice)
    view, _ = until(run, lambda view: view.is_over)
    assert view.state == "finished" and view.has_model, run.log.read_text()
    tab.locator(".result").wait_for(timeout=20_000)
    assert not hub.repos
    lines = [event.name for event in read_events(run.events)]
    assert lines.count("evaluated") == 1
    for file in studio.log.parent.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file
    assert SECRET not in tab.content()
