"""Makes the pictures of the guide: the app's pages in each of their states, in a real browser over a fresh folder.

    python tools/screenshots.py [--only record] [--into docs/images]

Starts ``ownvoice app``, works the pages as a person would, and writes one PNG a state. The browser's microphone hears
the sample voice. Needs Chromium and the packages of the development group.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from ownvoice.data.audio import SAMPLE_RATE, load_audio

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "ui"))

from in_browser import MICROPHONE, Studio  # noqa: E402
from record_desk import CLIPS  # noqa: E402

WIDTH, HEIGHT = 1000, 900
NARROW = 320
COLOURS = 96
"""Of a picture's palette: flat pages need few, and a picture stays below 80 kB."""
PATIENCE = 20_000


class Camera:
    """Takes pictures of pages, into one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def take(self, page: Page, name: str) -> None:
        """Write what is in sight of ``page`` as ``NAME.png``."""
        page.wait_for_timeout(300)
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        path = self.folder / f"{name}.png"
        picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
        print(f"{path}  {path.stat().st_size // 1000} kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", choices=sorted(SCENES), help="one page's pictures instead of all")
    parser.add_argument("--into", type=Path, default=ROOT / "docs" / "images")
    chosen = parser.parse_args()
    chosen.into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        app = Studio(Path(scratch))
        speech = write_speech(Path(scratch) / "speech.wav")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
            args=["--no-sandbox", *MICROPHONE, f"--use-file-for-fake-audio-capture={speech}"],
        )
        for name, scene in SCENES.items():
            if chosen.only in (None, name):
                scene(browser, app.url, Camera(chosen.into))
        browser.close()
        app.kill()


def write_speech(path: Path) -> Path:
    """Half a minute of the sample voice, with pauses."""
    pause = np.zeros(SAMPLE_RATE // 2, np.float32)
    parts = [part for clip in sorted(CLIPS.glob("*.ogg"))[:12] for part in (pause, load_audio(clip))]
    whole = np.concatenate(parts)
    soundfile.write(path, whole / np.abs(whole).max() * 0.6, SAMPLE_RATE, subtype="PCM_16")
    return path


def open_tab(browser: Browser, address: str, **settings: object) -> Page:
    options = {"viewport": {"width": WIDTH, "height": HEIGHT}, **settings}
    context = browser.new_context(permissions=["microphone"], base_url=address, **options)  # type: ignore[arg-type]
    return context.new_page()


def photograph_record(browser: Browser, address: str, camera: Camera) -> None:
    """The record page: one phrase at a time, the list, hints, faults, care, settings."""
    page = open_tab(browser, address)
    page.goto("/")
    page.get_by_role("button", name="Start reading").click()
    page.wait_for_url("**/record")
    path = page.url.removeprefix(address)
    wait_for(page, "todo")
    camera.take(page, "record-idle")
    press_record(page, "recording", 2.2)
    camera.take(page, "record-recording")
    press_record(page, "saved", 0.5)
    camera.take(page, "record-saved")
    page.get_by_role("button", name="Keep, go on").click()
    press_record(page, "recording", 0.05)
    press_record(page, "saved", 0.5)
    camera.take(page, "record-hint")
    press_record(page, "recording", 0.5)
    page.context.set_offline(True)
    page.locator("#trouble").wait_for(timeout=PATIENCE)
    camera.take(page, "record-connection-lost")
    page.context.set_offline(False)
    page.locator("#trouble").wait_for(state="hidden", timeout=PATIENCE)
    press_record(page, "saved", 0.2)
    page.get_by_label("List").check()
    camera.take(page, "record-list")
    page.get_by_label("One at a time").check()
    page.get_by_role("button", name="Stop for today").click()
    camera.take(page, "record-stop-for-today")
    page.get_by_role("button", name="Go on recording").click()
    photograph_record_settings(page, camera)
    photograph_recovery(page, camera, path)
    for name, settings in {
        "dark": {"color_scheme": "dark"},
        "high-contrast": {"forced_colors": "active"},
        "narrow": {"viewport": {"width": NARROW, "height": HEIGHT}},
    }.items():
        other = open_tab(browser, address, **settings)
        other.goto(path)
        wait_for(other, "todo")
        press_record(other, "recording", 1.5)
        camera.take(other, f"record-{name}")
        press_record(other, "saved", 0.2)
        other.context.close()
    page.context.close()


def photograph_record_settings(page: Page, camera: Camera) -> None:
    for section, name in {"room-check": "room-check", "sound-settings": "sound", "shortcuts": "shortcuts"}.items():
        page.locator(f"#{section} > summary").click()
        if section == "room-check":
            page.get_by_role("button", name="Start the check").click()
            page.locator("#room-check li").first.wait_for(timeout=PATIENCE)
        page.locator(f"#{section}").evaluate("section => section.scrollIntoView({ block: 'start' })")
        camera.take(page, f"record-{name}")
        page.locator(f"#{section} > summary").click()


def photograph_recovery(page: Page, camera: Camera, path: str) -> None:
    closed = page.context.new_page()
    closed.goto(path)
    wait_for(closed, "todo")
    press_record(closed, "recording", 2.5)
    closed.close()
    page.goto(path)
    page.locator("#unfinished").wait_for(timeout=PATIENCE)
    camera.take(page, "record-unfinished")
    page.get_by_role("button", name="Discard it").click()


def press_record(page: Page, condition: str, seconds: float) -> None:
    """Press the large button, wait for what it leads to, and some time more."""
    page.locator("#single [data-part=record]").click()
    wait_for(page, condition)
    page.wait_for_timeout(1000 * max(seconds, 0.45))  # a second press at once is taken for a tremor


def wait_for(page: Page, condition: str) -> None:
    page.locator(f"#single[data-condition={condition}]").wait_for(timeout=PATIENCE)


SCENES = {"record": photograph_record}
"""Each page's pictures, by its name."""


if __name__ == "__main__":
    main()
