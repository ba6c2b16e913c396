"""What tests of the pages share: the app's server as a process, and what a page said, shows and weighs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

START_SECONDS = 60.0
"""How long a server may take to answer on a busy machine."""

MICROPHONE = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
"""A made-up microphone that beeps; ``--use-file-for-fake-audio-capture=FILE.wav%noloop`` beside them plays a file."""

HEAR_ANNOUNCEMENTS = """
window.announced = [];
addEventListener("DOMContentLoaded", () => {
  for (const id of ["status", "alert"]) {
    new MutationObserver(() => {
      const text = document.getElementById(id).textContent;
      if (text) window.announced.push(text);
    }).observe(document.getElementById(id), { childList: true, characterData: true, subtree: true });
  }
});
"""


class Studio:
    """``ownvoice app`` as a process of its own, over an empty folder of voices or over ``voices``."""

    def __init__(self, folder: Path, *, voices: Path | None = None, environment: Mapping[str, str] = {}) -> None:
        folder.mkdir(exist_ok=True)
        self.voices = voices or folder / "voices"
        self.environment = {**os.environ, **environment}
        self.log = folder / "server.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "ownvoice", "app", "--no-browser", "--port", str(self.port)]
        with self.log.open("ab") as log:
            command += ["--voices", str(self.voices)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)
        ends = time.monotonic() + START_SECONDS
        while not self.answers():
            assert self.process.poll() is None, f"the server ended: {self.log.read_text()}"
            assert time.monotonic() < ends, f"the server does not answer: {self.log.read_text()}"
            time.sleep(0.05)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=5) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_outside(address: str, home: str) -> bool:
    return not address.startswith(("data:", "blob:", home + "/"))


def announced(page: Page) -> list[str]:
    """Everything the page's live regions said, in order."""
    said: list[str] = page.evaluate("window.announced")
    return said


def wait_until_said(page: Page, text: str, seconds: float = 20.0) -> None:
    """Wait until a live region has said something that holds ``text``."""
    ends = time.monotonic() + seconds
    while not any(text in said for said in announced(page)):
        assert time.monotonic() < ends, f"{text!r} was not said; said was {announced(page)}"
        page.wait_for_timeout(50)


def focused(page: Page) -> str:
    """The accessible text, id or tag of what has the focus."""
    name: str = page.evaluate(
        "(e => e.id || e.getAttribute('aria-label') || e.innerText?.trim() || e.tagName)(document.activeElement)"
    )
    return name


def tab_onto(page: Page, name: str) -> None:
    """Press Tab until what has the focus begins with ``name``."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if focused(page).startswith(name):
            return
    raise AssertionError(f"no way to {name!r} by Tab")


def assert_accessible(page: Page) -> None:
    """No finding of axe by WCAG 2.0 to 2.2, A and AA, and its best practice; and no sideways scrolling."""
    from axe_playwright_python.sync_playwright import Axe

    # A colour on its way to another one is neither: wait for what moves to arrive. A level meter never does, and a
    # transition whose element went away need not say so: hence the second, beyond which nothing on these pages lasts.
    page.evaluate(
        """() => Promise.race([
            Promise.allSettled(document.getAnimations().filter(a => a instanceof CSSTransition).map(a => a.finished)),
            new Promise(done => setTimeout(done, 1000)),
        ]).then(() => null)"""
    )
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})
    assert found.response["violations"] == [], found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
