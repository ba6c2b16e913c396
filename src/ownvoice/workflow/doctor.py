"""What this machine can do with ownvoice, and what to do about the rest: findings with remedies.

It looks and changes nothing, keeps nothing of what a microphone hears, opens no connection unless the Hub is to be
asked, and never shows a token.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import webbrowser
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import get_args

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import ownvoice
from ownvoice.config import VOXTRAL_MINI
from ownvoice.credentials import Secret, hub_token
from ownvoice.errors import HubError, UsageError
from ownvoice.model.source import TINY_WEIGHTS
from ownvoice.training.preflight import MINI_3B, PROCESS_BYTES, SMALL_24B, Method, Shape, estimate_memory
from ownvoice.workflow.needs import Machine, machine

GIGABYTE = 10**9

_SHOWN = ("torch", "transformers", "peft", "accelerate", "mistral-common", "huggingface_hub")
"""Packages on a line of their own; of the others only those are told that are not as they should be."""
_CARDS = (8, 12, 16, 24, 32, 48, 80, 141)
"""Gigabytes of memory of the graphics cards people own or rent."""
_DISK_WANTED = 15 * GIGABYTE
"""Voxtral-Mini-3B's weights are 9.4 GB; the rest is room for caches, checkpoints and recordings."""
_HUB_SECONDS = 10.0
_LISTEN_SECONDS = 1.5
"""Long enough for a recorder to begin on a sound server that has to wake up."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    name: str
    value: str
    ok: bool
    remedy: str = ""
    """What to do about it; empty where nothing needs doing."""


@dataclass(frozen=True)
class Fit:
    """Whether one base model can be trained here in one way; bytes of memory."""

    base_model: str
    method: str
    needed_bytes: int
    """In the precision of this machine."""
    available_bytes: int
    """Free now."""
    total_bytes: int
    needed_on_card_bytes: int
    """In bfloat16, as on a graphics card of today; a CPU needs twice that for the weights."""

    @property
    def fits(self) -> bool:
        return self.needed_bytes <= self.available_bytes

    @property
    def remedy(self) -> str:
        """What would make it fit; empty where it does."""
        if self.fits:
            return ""
        if self.needed_bytes <= self.total_bytes:
            return "Close other programs: the memory is there, but in use."
        card = next((size for size in _CARDS if size * GIGABYTE >= self.needed_on_card_bytes), None)
        return f"Use a GPU with {card} GB." if card else "Too large for one GPU: train adapters, or a smaller model."


@dataclass(frozen=True)
class Diagnosis:
    """Everything ``ownvoice doctor`` found; ``fits`` in the order of size."""

    findings: tuple[Finding, ...]
    fits: tuple[Fit, ...]


def examine(folder: Path, *, ask_hub: bool = False) -> Diagnosis:
    """Look at this machine.

    Parameters
    ----------
    folder
        Where voices will lie, for the disk.
    ask_hub
        Whether to ask the Hub what the token may do; else no connection is opened.
    """
    here = machine()
    findings = (
        Finding("Python", platform.python_version(), sys.version_info >= (3, 11), ""),
        Finding("ownvoice", ownvoice.__version__, True),
        *_packages(),
        *_device(here),
        *_disk(folder),
        *_microphone(),
        *_hub(ask_hub),
    )
    tiny = Shape.of_folder("tiny (built in)", TINY_WEIGHTS)
    shapes = (tiny, MINI_3B, SMALL_24B)
    return Diagnosis(findings, tuple(_fit(shape, method, here) for shape in shapes for method in get_args(Method)))


def _fit(shape: Shape, method: Method, here: Machine) -> Fit:
    needed, on_card = (estimate_memory(shape, method, bf16=bf16).total + PROCESS_BYTES for bf16 in (here.bf16, True))
    return Fit(shape.name, method, needed, here.memory_free, here.memory_total, on_card)


def _packages() -> tuple[Finding, ...]:
    """The packages that ownvoice's own metadata asks for, against those that are here."""
    try:
        asked = [Requirement(line) for line in requires("ownvoice") or ()]
    except PackageNotFoundError:
        return (Finding("packages", "not known", False, "Install ownvoice itself: pip install ownvoice"),)
    needed = [one for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})]
    found = [_package(one) for one in needed]
    shown = sorted((one for one in found if one.name in _SHOWN), key=lambda one: _SHOWN.index(one.name))
    others = [one for one in found if one.name not in _SHOWN]
    wrong = [one for one in others if not one.ok]
    rest = Finding("other packages", f"{len(others) - len(wrong)} as they should be", True)
    return (*shown, *wrong, rest, *(_for_quantising(one) for one in asked if _is_for(one, "quantise")))


def _is_for(requirement: Requirement, extra: str) -> bool:
    marker = requirement.marker
    return marker is not None and marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""})


def _for_quantising(requirement: Requirement) -> Finding:
    found = _package(requirement)
    if found.ok:
        return found
    remedy = 'Only needed to train with --method qlora: pip install "ownvoice[quantise]"'
    return Finding(found.name, found.value, True, remedy)


def _package(requirement: Requirement) -> Finding:
    shown = {canonicalize_name(name): name for name in _SHOWN}
    name = shown.get(canonicalize_name(requirement.name), requirement.name)
    remedy = f'pip install "{str(requirement).partition(";")[0].strip()}"'
    try:
        here = version(requirement.name)
    except PackageNotFoundError:
        return Finding(name, "missing", False, remedy)
    if not requirement.specifier.contains(here, prereleases=True):
        return Finding(name, f"{here}, but {requirement.specifier} is needed", False, remedy)
    return Finding(name, here, True)


def _device(here: Machine) -> tuple[Finding, ...]:
    accelerated = here.device != "cpu"
    idle_card = not accelerated and shutil.which("nvidia-smi") is not None
    if idle_card:
        remedy = "There is an NVIDIA driver, but torch cannot use the card: install torch anew, as on pytorch.org."
    elif not accelerated:
        remedy = "The built-in model trains here; for Voxtral itself use a machine with an NVIDIA GPU, or rent one: "
        remedy += "ownvoice train --on hf-jobs:FLAVOR"
    else:
        remedy = ""
    memory = f"{here.memory_free / GIGABYTE:.1f} GB free of {here.memory_total / GIGABYTE:.1f} GB"
    return (
        Finding("device", here.name, accelerated, remedy),
        Finding("precision", "bfloat16" if here.bf16 else "float32", True),
        Finding("memory", memory, True),
    )


def _disk(folder: Path) -> tuple[Finding, ...]:
    """Room where the voices will lie and, where that is another disk, where downloaded models do. Names no folder, so
    that the whole can be shown to others."""
    from huggingface_hub.constants import HF_HUB_CACHE

    voices, models = _existing(folder), _existing(Path(HF_HUB_CACHE))
    found = [_room("disk", voices)]
    if models.stat().st_dev != voices.stat().st_dev:
        found.append(_room("disk of downloaded models", models))
    may_write = os.access(voices, os.W_OK)
    found.append(
        Finding(
            "this folder",
            "can be written" if may_write else "cannot be written",
            may_write,
            "" if may_write else "Go to a folder of your own, and run ownvoice there.",
        )
    )
    return tuple(found)


def _existing(folder: Path) -> Path:
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def _room(name: str, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    enough = free >= _DISK_WANTED
    remedy = "" if enough else f"Voxtral-Mini-3B needs about {_DISK_WANTED // GIGABYTE} GB: free some space."
    return Finding(name, f"{free / GIGABYTE:.1f} GB free", enough, remedy)


def _microphone() -> tuple[Finding, ...]:
    """The app's microphone is the browser's; dictation in a terminal needs a program that records."""
    from ownvoice.serving.microphone import find_recorder, why_deaf

    try:
        browser = Finding("browser", getattr(webbrowser.get(), "name", "present"), True)
    except webbrowser.Error:
        browser = Finding("browser", "none to open from here", True, "Open the address that ownvoice app prints.")
    app = Finding(
        "microphone of the app",
        "the browser asks for it",
        True,
        "Allow it there. A browser on another computer has one over https alone.",
    )
    try:
        recorder = find_recorder()
    except UsageError as error:
        remedy = f"Only ownvoice dictate needs one. {error.mend}"
        return browser, app, Finding("microphone of dictate", "no program that records", True, remedy)
    program = Path(recorder[0]).name
    if (fault := why_deaf(recorder, _LISTEN_SECONDS)) is not None:
        fault = fault.removeprefix(f"{program}: ")
        remedy = "Only ownvoice dictate needs it. Plug a microphone in, and let programs use it in the sound settings."
        return browser, app, Finding("microphone of dictate", f"{program}: {fault}", False, remedy)
    return browser, app, Finding("microphone of dictate", f"{program} hears", True)


def _hub(ask: bool) -> tuple[Finding, ...]:
    token = hub_token()
    if token is None:
        remedy = "Only needed to publish and to read private data: make a token on huggingface.co, run `hf auth login`."
        login = Finding("Hub login", "none", True, remedy)
    else:
        login = Finding("Hub login", "present", True)
    return login, _ask_hub(token) if ask else Finding("Hub", "not asked", True, "ownvoice doctor --hub asks it.")


def _ask_hub(token: Secret | None) -> Finding:
    """Whether the Hub answers: with a token who that is and what it may do, without one whether models can be seen."""
    from huggingface_hub import constants
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status  # type: ignore[attr-defined]

    from ownvoice.publishing.identity import Identity
    from ownvoice.publishing.refusals import GOES_ON, hub_refusals

    path = f"models/{VOXTRAL_MINI}" if token is None else "whoami-v2"
    headers = build_hf_headers(token=token.reveal() if token else False)
    try:
        with hub_refusals("Hugging Face Hub"):
            answer = get_session().get(f"{constants.ENDPOINT}/api/{path}", headers=headers, timeout=_HUB_SECONDS)
            hf_raise_for_status(answer)
    except HubError as error:
        return Finding("Hub", error.what, False, (error.mend or "").removesuffix(GOES_ON).strip())
    return Finding("Hub", "answers" if token is None else Identity.of(answer.json()).sentence, True)
