"""A real server of the app, and a page of it in a real browser that has a microphone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from in_browser import HEAR_ANNOUNCEMENTS, MICROPHONE, Studio, is_outside

from fakes.hub.app import Hub, client_environment, running_hub

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """One server for the tests of a file; a test that kills it starts it again."""
    server = Studio(tmp_path_factory.mktemp("studio"))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One Hub for the tests of a file, which knows nobody yet."""
    with running_hub(tmp_path_factory.mktemp("hub") / "hub") as hub:
        yield hub


@pytest.fixture(scope="module")
def hub_studio(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A server that knows this Hub alone, on a computer where nobody is logged in; its folder is beside the Hub's."""
    folder = tmp_path_factory.mktemp("studio")
    server = Studio(folder, environment=client_environment(hub, folder / "home"))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def microphone_browser(launch_chromium: Callable[..., Browser]) -> Iterator[Browser]:
    """One browser with a beeping microphone for the tests of a file."""
    browser = launch_chromium(*MICROPHONE)
    yield browser
    browser.close()


@pytest.fixture
def tab(studio: Studio, microphone_browser: Browser) -> Iterator[Page]:
    """An empty tab; fails afterwards if a page logged an error or asked another host for anything."""
    context = microphone_browser.new_context(permissions=["microphone"], base_url=studio.url)
    context.add_init_script(HEAR_ANNOUNCEMENTS)
    page = context.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda request: trouble.append(request.url) if is_outside(request.url, studio.url) else None)
    yield page
    context.close()
    assert trouble == []
