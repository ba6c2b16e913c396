"""Works the record page as a person does: by its buttons and keys, waiting for what it shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from in_browser import Studio

from ownvoice.data.manifest import scan_manifest
from ownvoice.data.utterance import Utterance
from ownvoice.rundir import VoiceFolder

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

CLIPS = Path(__file__).parents[2] / "src" / "ownvoice" / "model" / "tiny" / "sample_voice" / "clips"
"""Phrases of the sample voice, for a microphone to hear."""

PATIENCE = 20_000
"""Milliseconds to wait for something that takes one on an idle machine."""


class RecordDesk:
    """The record page of a new voice, one phrase at a time unless said otherwise."""

    def __init__(self, page: Page, studio: Studio, voice: str, *, make: bool = True) -> None:
        self.page = page
        self.studio = studio
        if make and (studio.voices / voice).exists():  # this test has run before, on the same server
            voice += "-again"
        self.address = f"/voices/{voice}/record"
        self.voice = VoiceFolder(studio.voices / voice)
        if make:
            made = page.request.post(f"{studio.url}/voices", data={"name": voice}, headers={"origin": studio.url})
            assert made.status == 201, made.text()
        self.open()

    def open(self) -> None:
        self.page.goto(self.studio.url + self.address)
        self.page.locator("#studio").wait_for(timeout=PATIENCE)

    def part(self, name: str) -> Locator:
        """A part of the large phrase."""
        return self.page.locator(f"#single [data-part={name}]")

    def wait_for(self, condition: str) -> None:
        """Until the large phrase is "recording", "saved", ..."""
        self.page.locator(f"#single[data-condition={condition}]").wait_for(timeout=PATIENCE, state="attached")

    def begin(self, seconds: float = 0.8) -> None:
        """Press Record and speak."""
        self.part("record").click()
        self.wait_for("recording")
        self.page.wait_for_timeout(1000 * seconds)

    def end(self) -> None:
        """Press Stop and wait until the take is saved."""
        self.part("record").click()
        self.wait_for("saved")

    def take(self, seconds: float = 0.8) -> None:
        self.begin(seconds)
        self.end()

    def wait_to_hear(self, text: str) -> None:
        """Until an announcement that holds ``text`` was made after the one last waited for."""
        self.page.wait_for_function(
            """text => {
                const at = announced.findIndex(said => said.includes(text));
                announced.splice(0, at + 1);
                return at >= 0;
            }""",
            arg=text,
            timeout=PATIENCE,
        )

    def utterances(self) -> list[Utterance]:
        """What is in the manifest, as the command line would read it."""
        if not self.voice.manifest.exists():
            return []
        return [utterance for _, utterance in scan_manifest(self.voice).everything]

    def recordings(self) -> list[Path]:
        return sorted(self.voice.wavs.glob("*")) if self.voice.wavs.exists() else []
