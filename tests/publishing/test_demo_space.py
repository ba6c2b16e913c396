"""The demo Space from command to transcript: its folder runs as a process of its own, with the wheel of ownvoice."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from fakes.hub.app import Hub, Token, running_hub
from ownvoice.cli import cli
from ownvoice.data.export import wav_bytes
from ownvoice.data.manifest import read_manifest
from ownvoice.data.recording import load_recording, recording_of
from ownvoice.data.utterance import utterance_id
from ownvoice.rundir import RunFolder

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
WRITE, READ = "hf_" + "WrItEwRiTeWrItEwRiTeWrItEwRiTe", "hf_" + "rEaDrEaDrEaDrEaDrEaDrEaDrEaDrE"


def clean_environment(folder: Path) -> str:
    """Python of a new environment with the wheel of ownvoice; only what ownvoice depends on is shared with this one."""
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([*build, str(folder / "wheel"), str(ROOT)], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")], check=True)
    (site,) = (folder / "env" / "lib").glob("python*/site-packages")
    (wheel,) = (folder / "wheel").glob("ownvoice-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return str(folder / "env" / "bin" / "python")


class Deployed:
    """What the command left behind."""

    def __init__(self, hub: Hub, run: RunFolder, output: str) -> None:
        self.hub, self.run, self.output = hub, run, output
        self.process = hub.spaces["anna/voice-demo"]


@pytest.fixture(scope="module")
def deployed(trained_run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A model and its demo, both private, published by two commands."""
    folder = tmp_path_factory.mktemp("space")
    shutil.copytree(trained_run.voice.path, folder / "voice", ignore=shutil.ignore_patterns("cache"))
    run = RunFolder(folder / "voice" / "runs" / trained_run.path.name)
    with pytest.MonkeyPatch.context() as patch, running_hub(folder / "hub") as hub:
        hub.add_token(Token(WRITE, "anna"))
        hub.add_token(Token(READ, "anna", "read"))
        hub.space_python = clean_environment(folder)
        patch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
        patch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        patch.setenv("HF_TOKEN", WRITE)
        patch.setenv("OWNVOICE_SPACE_TOKEN", READ)
        (folder / "voice" / "voice.yaml").write_text("language: en\nconsent: I agree.\n")
        output = ""
        for command in (["model"], ["space", "--compare"]):
            done = CliRunner().invoke(cli, ["publish", *command, str(run.path), "--yes"])
            assert done.exit_code == 0, done.output
            output += done.output
        yield Deployed(hub, run, output)


@pytest.mark.slow
def test_the_command_ends_with_what_the_demo_heard(deployed: Deployed) -> None:
    evaluation = json.loads(deployed.run.evaluation_json.read_text())
    assert any(f'it wrote: "{phrase["tuned"]["text"]}"' in deployed.output for phrase in evaluation["phrases"])
    assert "CPU Basic (cpu-basic) costs nothing by the hour" in deployed.output
    assert deployed.output.endswith(f"{deployed.hub.url}/spaces/anna/voice-demo\n")
    space = deployed.hub.repo("space", "anna/voice-demo")
    assert space.private and set(space.files) == {".gitattributes", "README.md", "app.py", "requirements.txt"}
    assert space.secrets == {"HF_TOKEN": READ}
    assert space.variables == {
        "OWNVOICE_MODEL": "anna/voice-voxtral",
        "OWNVOICE_LANGUAGE": "en",
        "OWNVOICE_BASE": "tiny",
    }
    assert (
        "site-packages/ownvoice"
        in subprocess.run(
            [deployed.hub.space_python, "-c", "import ownvoice; print(ownvoice.__file__)"],
            capture_output=True,
            text=True,
            check=True,
            cwd=deployed.process.folder,
        ).stdout
    )


@pytest.mark.slow
def test_a_program_gets_the_tuned_transcripts(deployed: Deployed, tmp_path: Path) -> None:
    from gradio_client import Client, handle_file

    run = deployed.run
    demo = Client(deployed.process.url, token=READ, verbose=False, download_files=False, analytics_enabled=False)
    utterances = {utterance_id(utterance): utterance for utterance in read_manifest(run.voice).utterances}
    clip = tmp_path / "clip.wav"
    phrases = json.loads(run.evaluation_json.read_text())["phrases"]
    assert any(phrase["tuned"]["text"] != phrase["base"]["text"] for phrase in phrases)
    for phrase in phrases:
        clip.write_bytes(wav_bytes(load_recording(recording_of(run.voice, utterances[phrase["id"]]))))
        heard = demo.predict(recording=handle_file(clip), language="en", api_name="/transcribe")
        assert heard[:2] == (phrase["tuned"]["text"], phrase["base"]["text"])
    clip.write_bytes(b"no sound at all")
    text, base, status = demo.predict(recording=handle_file(clip), language="", api_name="/transcribe")
    assert (text, base) == ("", "") and status.startswith("This recording cannot be used: ")


def assert_no_violation(page: Page) -> None:
    from axe_playwright_python.sync_playwright import Axe

    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})
    assert found.response["violations"] == [], found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible_and_asks_nobody_else(deployed: Deployed, chromium: Browser, scheme: str) -> None:
    voice = deployed.run.voice
    page = chromium.new_page(color_scheme=scheme, viewport={"width": 320, "height": 900})  # type: ignore[arg-type]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(deployed.process.url)
    page.wait_for_selector("#status[role=status]")
    assert_no_violation(page)
    page.get_by_role("button", name="Upload file").click()
    page.locator("input[type=file]").first.set_input_files(str(recording_of(voice, read_manifest(voice).utterances[0])))
    page.wait_for_selector("#duration")
    page.get_by_role("button", name="Write down what is said").click()
    page.wait_for_function("document.getElementById('status').innerText.includes('Done')")
    assert page.get_by_label("This voice's model heard").input_value()
    assert_no_violation(page)
    assert page.evaluate("localStorage.length") == 0
    assert page.get_by_role("button", name="Share").count() == 0
    assert not [url for url in asked if not url.startswith((deployed.process.url, "data:", "blob:"))]
    page.close()


@pytest.mark.slow
def test_the_tokens_are_nowhere(deployed: Deployed) -> None:
    assert WRITE not in deployed.output and READ not in deployed.output
    assert WRITE not in str(deployed.process.environment), "the Space never sees the token that can write"
    folder = deployed.run.voice.path.parent
    for file in folder.rglob("*"):
        if file.is_file() and "env" not in file.relative_to(folder).parts:
            content = file.read_bytes()
            assert WRITE.encode() not in content and READ.encode() not in content, file
