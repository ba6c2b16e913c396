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
from ownvoice.rundir import VoiceFolder
from ownvoice.workflow import demo

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "ui"))

from in_browser import MICROPHONE, Studio  # noqa: E402
from record_desk import CLIPS  # noqa: E402

WIDTH, HEIGHT = 1000, 900
VIEWS: dict[str, dict[str, object]] = {
    "dark": {"color_scheme": "dark"},
    "high-contrast": {"forced_colors": "active"},
    "narrow": {"viewport": {"width": 320, "height": HEIGHT}},
}
"""Other ways to see a page, each with a picture of its own."""
COLOURS = 96
"""Of a picture's palette: flat pages need few, and a picture stays below 80 kB."""
PATIENCE = 20_000
TAUGHT = "Ana"
"""The voice whose training is shown."""
EXAMPLES = (
    "Good morning", "I would like a cup of tea", "Open the window [laughter] please", "Call the doctor tomorrow",
    "Where are my glasses?", "The garden is lovely today", "Good morning", "Turn the light off, please",
)  # fmt: skip
"""Words of the files that are brought in: one holds a mark that nobody says, and one is there twice."""


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
                if scene is photograph_training:
                    teach_sample_voice(app.voices / TAUGHT)
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
    for name, settings in VIEWS.items():
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


def photograph_files(browser: Browser, address: str, camera: Camera) -> None:
    """The start page, files brought in and matched, the recordings with what is worth a look, a voice's settings."""
    page = open_tab(browser, address)
    page.goto("/")
    show_usual_folder(page)
    camera.take(page, "start")
    page.locator("#new-voice summary").click()
    camera.take(page, "start-choices")
    page.locator("#name").fill("Anna")
    page.get_by_role("button", name="I have recordings already").click()
    page.wait_for_url("**/upload")
    clips = [(path.name, path) for path in sorted(CLIPS.glob("*.ogg"))[:8]]
    files = [{"name": name, "mimeType": "audio/ogg", "buffer": path.read_bytes()} for name, path in clips]
    words = {name: text for (name, _), text in zip(clips, EXAMPLES, strict=True)}
    first, second = list(words)[:2]
    files.append({"name": Path(second).stem + ".txt", "mimeType": "text/plain", "buffer": words[second].encode()})
    page.locator("#files").set_input_files(files)  # type: ignore[arg-type]
    page.get_by_text("8 files are here").or_(page.get_by_text("Words are missing").nth(6)).first.wait_for(
        timeout=PATIENCE
    )
    page.get_by_label(f"What is said in {first}").fill(words[first])
    page.get_by_label(f"What is said in {first}").press("Tab")
    page.locator("#batch").evaluate("section => section.scrollIntoView()")
    camera.take(page, "upload-match")
    lines = [text for name, text in words.items() if name not in (first, second)]
    page.locator("#paste").fill("\n".join(lines[:-1]))
    page.locator("#do-paste").click()
    camera.take(page, "upload-line-missing")
    page.locator("#paste").fill("\n".join(lines))
    page.locator("#do-paste").click()
    page.locator("#words-section").wait_for(state="hidden", timeout=PATIENCE)
    page.locator("#save").click()
    page.locator("#done").wait_for(timeout=PATIENCE)
    camera.take(page, "upload-saved")
    page.get_by_role("link", name="See the recordings").click()
    photograph_recordings(browser, address, camera, page)
    page.context.close()


def photograph_recordings(browser: Browser, address: str, camera: Camera, page: Page) -> None:
    page.locator("#findings li").first.wait_for(timeout=PATIENCE)
    camera.take(page, "recordings")
    page.locator("#rows li").nth(1).get_by_role("button", name="Leave out").click()
    page.locator("#last-change").wait_for(timeout=PATIENCE)
    page.locator("#list").evaluate("section => section.scrollIntoView()")
    camera.take(page, "recordings-undo")
    path = page.url.removeprefix(address)
    for name, settings in VIEWS.items():
        other = open_tab(browser, address, **settings)
        other.goto(path)
        other.locator("#findings li").first.wait_for(timeout=PATIENCE)
        camera.take(other, f"recordings-{name}")
        other.context.close()
    page.get_by_role("link", name="Settings").click()
    page.wait_for_url("**/settings")
    show_usual_folder(page)
    camera.take(page, "settings")
    page.goto("/")
    show_usual_folder(page)
    camera.take(page, "start-voices")


def show_usual_folder(page: Page) -> None:
    """Write a folder as people have them in place of the temporary one."""
    script = "items => { items[0].textContent = items[0].textContent.replace(/: .*voices/, ': /home/anna/voices'); }"
    page.locator(".promises li").evaluate_all(script)


def teach_sample_voice(folder: Path) -> None:
    """What ``ownvoice demo`` does, so that the pictures show a real result; some minutes."""
    demo(VoiceFolder(folder), seed=0, listener=lambda event: None, progress=lambda stage, done, total: None)


def photograph_training(browser: Browser, address: str, camera: Camera) -> None:
    """Setting up a training of the sample voice, what it brought, and a question for its model to hear the answer."""
    page = open_tab(browser, address)
    page.goto(f"/voices/{TAUGHT}/train")
    page.locator("#preflight[aria-busy=false]").wait_for(timeout=PATIENCE)
    camera.take(page, "teach")
    page.goto(f"/voices/{TAUGHT}/compare")
    page.locator("main table a").first.click()
    page.locator("#headline").wait_for(timeout=PATIENCE)
    page.locator("#headline").evaluate("line => scrollTo(0, line.getBoundingClientRect().top + scrollY - 40)")
    camera.take(page, "results")
    page.locator("#phrases").evaluate("phrases => phrases.scrollIntoView({ block: 'start' })")
    camera.take(page, "results-phrases")
    page.goto(f"/voices/{TAUGHT}/try#topic")
    while not page.locator("#drawing").is_visible():
        page.locator("#another").click()
    page.locator("#drawing").evaluate("drawing => drawing.decode()")
    page.locator("#topic").evaluate("section => section.scrollIntoView()")
    camera.take(page, "speak-freely")
    page.context.close()


def press_record(page: Page, condition: str, seconds: float) -> None:
    """Press the large button, wait for what it leads to, and some time more."""
    page.locator("#single [data-part=record]").click()
    wait_for(page, condition)
    page.wait_for_timeout(1000 * max(seconds, 0.45))  # a second press at once is taken for a tremor


def wait_for(page: Page, condition: str) -> None:
    page.locator(f"#single[data-condition={condition}]").wait_for(timeout=PATIENCE)


SCENES = {"files": photograph_files, "record": photograph_record, "training": photograph_training}
"""Each page's pictures, by its name."""


if __name__ == "__main__":
    main()
