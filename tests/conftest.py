"""Fixtures that tests of several layers share."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from fakes.hub.app import Hub
    from ownvoice.rundir import RunFolder


# A shell that has tests run in the background lets them ignore Ctrl-C, and with them every program they start and stop.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def small_voxtral(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random Voxtral in miniature (see small_voxtral.py); not to be written to."""
    from small_voxtral import build_small_voxtral

    return build_small_voxtral(tmp_path_factory.mktemp("small-voxtral"))


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of the built-in model, trained and judged (see trained_run.py); not to be written to."""
    from trained_run import train_tiny

    return train_tiny(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def local_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """An empty Hub that the client in this process talks to, by LFS: the local Hub has no Xet storage."""
    from fakes.hub.app import Token, running_hub

    with running_hub(tmp_path / "hub") as hub:
        hub.add_token(Token("hf_write", "anna", orgs=("clinic",)))
        hub.add_token(Token("hf_read", "anna", "read"))
        hub.add_token(Token("hf_fine", "anna", "fineGrained", writes=("anna/mine",)))
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
        template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub-cache"))
        monkeypatch.setenv("HF_TOKEN", "hf_write")
        yield hub


@pytest.fixture(scope="session")
def launch_chromium() -> Iterator[Callable[..., Browser]]:
    """Starts a headless Chromium with the arguments given, one that never reaches for the network by itself.

    Without one on the machine, tests skip, but not in CI.
    """
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs Chromium: apt-get install chromium")
    quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:

        def launch(*arguments: str) -> Browser:
            return playwright.chromium.launch(executable_path=program, args=[*quiet, *arguments])

        yield launch


@pytest.fixture(scope="session")
def chromium(launch_chromium: Callable[..., Browser]) -> Iterator[Browser]:
    """A headless Chromium without a microphone."""
    browser = launch_chromium()
    yield browser
    browser.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 kB: small enough to fill with ten seconds of speech."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if (
        os.geteuid() != 0
        or mount is None
        or subprocess.run([mount, "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk]).returncode
    ):
        if os.environ.get("CI"):
            pytest.fail("CI must be able to mount a small disk")
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", disk], check=True)
