"""The demo Space: its few files, its variables and secret, its build, and a first recording through its API.

What the page shows is :mod:`ownvoice.serving.demo`'s. Decides nothing about who may see it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from huggingface_hub import SpaceCard, SpaceCardData

import ownvoice
from ownvoice.credentials import Secret
from ownvoice.errors import HubError
from ownvoice.publishing.card import render_card
from ownvoice.publishing.files import RepoFile
from ownvoice.publishing.hardware import Hardware
from ownvoice.publishing.hub import Hub
from ownvoice.publishing.identity import Identity
from ownvoice.publishing.refusals import TOKENS_PAGE
from ownvoice.publishing.repository import repo_url

if TYPE_CHECKING:
    from huggingface_hub import HfApi

GRADIO = "6.31.0"
"""The version whose page was looked at with axe."""
PYTHON = "3.12"
ASLEEP_SECONDS = 3600
"""A paid machine is let go after this time without a visitor."""
POLL_SECONDS = 2.0
BUILD_SECONDS = 2400.0
"""Longest wait for a build: torch alone takes some minutes to install."""
API_NAME = "/transcribe"

_FILES = ("README.md", "requirements.txt", "app.py")
_PINNED = ("torch", "transformers", "peft", "mistral-common", "huggingface_hub")
"""What a model's answer depends on, in the versions it was trained with."""
_CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
_APP = '''"""The demo of a voice's own model; the Space's variables say which model."""

from ownvoice.serving.demo import launch

launch()
'''
_ON_THE_WAY = {
    "BUILDING": "is being built; that takes some minutes",
    "RUNNING_BUILDING": "is being built; that takes some minutes",
    "APP_STARTING": "is loading the model",
    "RUNNING_APP_STARTING": "is loading the model",
}
_NEEDS_A_START = ("PAUSED", "STOPPED", "RUNTIME_ERROR")
_LOG_LINES = 20


@dataclass(frozen=True)
class SpaceFacts:
    """All that the files of a Space say."""

    repo: str
    title: str
    model: str
    """Hub id."""
    public_model: bool
    compares: bool
    hardware: Hardware
    gradio: str = GRADIO


@dataclass(frozen=True)
class SpaceSetup:
    """What a Space needs beside its files."""

    hardware: Hardware
    variables: Mapping[str, str]
    read_token: Secret | None
    """Kept as the Space's secret, where its model is private; it can write nothing."""
    sound: bytes
    """A WAV file that is sent to the finished demo."""
    here: str
    """How to run the demo on this computer instead, in a sentence."""


def is_ours(path: str) -> bool:
    """Whether a file of a Space's repository is one that publishing puts there."""
    return path in _FILES


def space_files(facts: SpaceFacts) -> tuple[RepoFile, ...]:
    """The files of a demo Space."""
    head = SpaceCardData(
        title=facts.title,
        emoji="🎙️",
        colorFrom="blue",
        colorTo="gray",
        sdk="gradio",
        sdk_version=GRADIO,
        python_version=PYTHON,
        app_file="app.py",
        license="apache-2.0",
        models=[facts.model] if facts.public_model else None,
        suggested_hardware=facts.hardware.name,
        pinned=False,
        tags=["speech-recognition", "voxtral", "ownvoice"],
    )
    card = SpaceCard(render_card(head.to_yaml(), "space_card.md.j2", facts))
    return (
        RepoFile("README.md", str(card).encode()),
        RepoFile("requirements.txt", _requirements(facts.hardware).encode()),
        RepoFile("app.py", _APP.encode()),
    )


def _requirements(hardware: Hardware) -> str:
    """What to install, pinned; without a graphics card torch comes without its 3 GB of CUDA."""
    lines = [] if hardware.has_graphics_card else [f"--extra-index-url {_CPU_WHEELS}"]
    lines.append(f"ownvoice[space]=={ownvoice.__version__}")
    lines += [f"{name}=={version(name).partition('+')[0]}" for name in _PINNED]
    return "\n".join(lines) + "\n"


def refuse_unfit_token(token: Secret, model: str | None, hub: Hub) -> None:
    """Raise :class:`HubError` unless ``token`` can write nothing at all, and read ``model`` where that is there yet."""
    reader = Hub(token, hub.say)
    mend = f"Make one with the role 'read' at {TOKENS_PAGE}"
    identity: Identity = reader.identity()
    if not identity.only_reads:
        raise HubError("this token can do more than read, so it is not given to a Space", where="demo", mend=mend)
    if model is not None and reader.state("model", model) is None:
        raise HubError(f"this token of {identity.name} cannot read the model", where=model, mend=mend)


def configure(hub: Hub, repo: str, setup: SpaceSetup) -> None:
    """Set a Space's variables, secret and machine; done before its files come, so that it is built once.

    Raises
    ------
    HubError
        when the Hub refuses, for example a machine that is not paid for.
    """
    hub.call(lambda api: _set_variables(api, repo, setup.variables), where=repo)
    token = setup.read_token
    if token is not None:
        hub.call(lambda api: api.add_space_secret(repo, "HF_TOKEN", token.reveal()), where=repo)
    wanted = setup.hardware.name
    if hub.call(lambda api: api.get_space_runtime(repo), where=repo).requested_hardware != wanted:
        asleep = ASLEEP_SECONDS if setup.hardware.dollars_an_hour else None
        hub.call(lambda api: api.request_space_hardware(repo, wanted, sleep_time=asleep), where=repo)  # type: ignore[arg-type]


def _set_variables(api: HfApi, repo: str, variables: Mapping[str, str]) -> None:
    """Change those that differ only: each change starts a Space anew."""
    known = {name: variable.value for name, variable in api.get_space_variables(repo).items()}
    for name, value in variables.items():
        if known.get(name) != value:
            api.add_space_variable(repo, name, value)
    for name in known.keys() - variables.keys():
        if name.startswith("OWNVOICE_"):
            api.delete_space_variable(repo, name)


def wait_until_running(hub: Hub, repo: str, commit: str) -> None:
    """Wait until a Space runs at ``commit``, and say how far it is; one that was stopped is started.

    Raises
    ------
    HubError
        with the end of its log when it cannot be built or started, or when it takes too long.
    """
    ends, told, started = time.monotonic() + BUILD_SECONDS, "", False
    while time.monotonic() < ends:
        runtime = hub.call(lambda api: api.get_space_runtime(repo), where=repo)
        stage = str(getattr(runtime.stage, "value", runtime.stage))
        if stage == "RUNNING" and runtime.raw.get("sha", commit) == commit:
            return
        if stage in _NEEDS_A_START and not started and not told:
            hub.call(lambda api: api.restart_space(repo), where=repo)
            started = True
        elif stage not in _ON_THE_WAY and stage not in ("RUNNING", "SLEEPING", "NO_APP_FILE"):
            raise _failed(hub, repo, stage, runtime.raw.get("errorMessage"))
        if (sentence := _ON_THE_WAY.get(stage, "is being started")) != told:
            hub.say(f"The Space {repo} {sentence}.")
            told = sentence
        hub.pause(POLL_SECONDS)
    raise HubError("is still not running after 40 minutes", where=repo, mend=f"Look at {_address(hub, repo)}")


def hear(hub: Hub, repo: str, setup: SpaceSetup) -> str:
    """Send the recording through the Space's API, and return what it heard.

    Raises
    ------
    HubError
        with the end of its log when there is no answer.
    """
    from gradio_client import Client, handle_file

    host = hub.call(lambda api: str(api.space_info(repo).host), where=repo)
    token = (setup.read_token or hub.token).reveal()
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "recording.wav"
        clip.write_bytes(setup.sound)
        try:
            client = Client(host, token=token, verbose=False, download_files=False, analytics_enabled=False)
            language = setup.variables.get("OWNVOICE_LANGUAGE", "")
            answer = client.predict(recording=handle_file(clip), language=language, api_name=API_NAME)
        except (ValueError, httpx.HTTPError, OSError) as error:
            raise _failed(hub, repo, "RUNTIME_ERROR", f"no answer from its API ({type(error).__name__})") from None
    return str(answer[0])


def _failed(hub: Hub, repo: str, stage: str, message: object) -> HubError:
    building = stage in ("BUILD_ERROR", "CONFIG_ERROR")
    try:
        log = hub.call(lambda api: list(api.fetch_space_logs(repo, build=building)), where=repo)
    except HubError as error:  # the failure is to be told all the same
        log = [f"there is no log: {error.what}"]
    what = "could not be built" if building else "does not run"
    told = f" ({message})" if message else ""
    end = "".join(f"\n  | {line.rstrip()}" for line in log[-_LOG_LINES:])
    mend = f"Look at {_address(hub, repo)}, mend it, and run the same command again. The end of its log:{end}"
    return HubError(f"{what}: {stage.lower()}{told}", where=repo, mend=mend)


def _address(hub: Hub, repo: str) -> str:
    return hub.call(lambda api: repo_url(api.endpoint, "space", repo), where=repo)
