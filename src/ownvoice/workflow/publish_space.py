"""Makes the plan of a demo Space, and of all three at once: recordings, model and demo.

Looks, writes the demo's few files beside the run, and sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ownvoice.config import TINY, TrainingSettings
from ownvoice.credentials import Secret
from ownvoice.data.audio import load_audio
from ownvoice.data.export import wav_bytes
from ownvoice.data.manifest import read_manifest
from ownvoice.data.recording import load_recording, recording_of
from ownvoice.data.split import load_split
from ownvoice.data.utterance import utterance_id
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.errors import HubError, UsageError
from ownvoice.events import StageProgress
from ownvoice.publishing.card import Wishes
from ownvoice.publishing.hardware import FREE, ZERO, Hardware, find_hardware
from ownvoice.publishing.model import hub_base
from ownvoice.publishing.record import read_published
from ownvoice.publishing.refusals import TOKENS_PAGE
from ownvoice.publishing.repository import RepoKind
from ownvoice.publishing.space import (
    ASLEEP_SECONDS,
    GRADIO,
    SpaceFacts,
    SpaceSetup,
    is_ours,
    refuse_unfit_token,
    space_files,
)
from ownvoice.rundir import RunFolder, VoiceFolder, write_atomically
from ownvoice.workflow.demo import SAMPLE_VOICE
from ownvoice.workflow.publish import Account, Plan
from ownvoice.workflow.publish_plan import place, plan_dataset, plan_model, voice_slug
from ownvoice.workflow.sharing_record import Wanted

AskToken = Callable[[str], Secret | None]
"""Asks the person for a token that may only read the model named; None when there is none."""


def plan_space(
    account: Account,
    run: RunFolder,
    *,
    machine: str = FREE,
    compares: bool = False,
    repo: str | None = None,
    public: bool = False,
    model_plan: Plan | None = None,
    ask_token: AskToken,
) -> Plan:
    """Plan a demo of a run's published model.

    Parameters
    ----------
    machine
        The Hub's name of what it runs on.
    compares
        Whether what the base model hears stands beside it.
    model_plan
        A plan for the model that will have been carried out before this one.
    ask_token
        Asked only where the model is private.

    Raises
    ------
    TrainingError
        when this is no run.
    HubError
        when the model is not published, or a token is missing or can do more than read.
    UsageError
        when there is no such machine, or the base model cannot be compared with.
    """
    known = read_published(run.require().published).get("model")
    model = model_plan.repo if model_plan else known.repo if known else None
    if model is None:
        mend = f"Publish it first: ownvoice publish model {run.path}"
        raise HubError(
            "the model of this run is not published, and the demo loads it from there", where=run.path, mend=mend
        )
    name = place(account, "space", repo, run.published, f"{voice_slug(run.voice)}-demo", public=public)
    hardware = find_hardware(account.hub, "spaces", machine)
    is_public = model_plan.public if model_plan else _is_public(account, model)
    token = None if is_public else _read_token(account, model, ask_token, exists=model_plan is None)
    facts = SpaceFacts(name, "Voxtral with a voice of its own", model, is_public, compares, hardware)
    files = space_files(facts)
    folder = run.export("space")
    for file in files:
        if isinstance(file.content, bytes):
            write_atomically(folder / file.path, file.content)
    sound, whose = _first_recording(run)
    here = (
        f"The demo's files are in {folder}. To have it on this computer: pip install 'ownvoice[space]', then "
        f"OWNVOICE_MODEL={run.path} python {folder / 'app.py'}"
    )
    return Plan(
        kind="space",
        repo=name,
        public=public,
        files=files,
        contains=tuple(_contains(facts, whose)),
        notes=tuple(_notes(hardware, public=public, public_model=is_public)),
        record=run.published,
        is_ours=is_ours,
        private_folders=(run.voice.path,),
        keeps_history=True,
        space=SpaceSetup(hardware, _variables(run, model, compares), token, sound, here),
    )


def plan_together(
    account: Account,
    voice: VoiceFolder,
    run: RunFolder | None,
    wanted: Wanted,
    *,
    ask_token: AskToken,
    progress: StageProgress,
) -> tuple[Plan, ...]:
    """Plan recordings, a model and its demo together, those that are wanted, in the order they are carried out in.

    Parameters
    ----------
    run
        Whose model and demo are meant, and whose split the recordings keep; None for recordings alone.

    Raises
    ------
    UsageError
        when a model or a demo is wanted of no run.
    OwnvoiceError
        as :func:`~ownvoice.workflow.publish_plan.plan_dataset`, :func:`~ownvoice.workflow.publish_plan.plan_model` and
        :func:`plan_space`.
    """
    wishes, public = Wishes(wanted.author, wanted.licence, wanted.conditions), wanted.public
    plans: dict[RepoKind, Plan] = {}
    if "dataset" in wanted.kinds:
        plans["dataset"] = plan_dataset(account, voice, run=run, public=public, wishes=wishes)
    if {"model", "space"} & set(wanted.kinds) and run is None:
        raise UsageError("a model or a demo belongs to a training", mend="Choose a training.")
    if run is not None and "model" in wanted.kinds:
        plans["model"] = plan_model(
            account, run, public=public, dataset_plan=plans.get("dataset"), wishes=wishes, progress=progress
        )
    if run is not None and "space" in wanted.kinds:
        plans["space"] = plan_space(
            account,
            run,
            machine=wanted.machine or FREE,
            compares=wanted.compares,
            public=public,
            model_plan=plans.get("model"),
            ask_token=ask_token,
        )
    return tuple(plans.values())


def _is_public(account: Account, model: str) -> bool:
    state = account.hub.state("model", model)
    if state is None:
        mend = "Publish it again: ownvoice publish model RUN"
        raise HubError("the model is not on the Hub any more", where=model, mend=mend)
    return state.public


def _read_token(account: Account, model: str, ask: AskToken, *, exists: bool) -> Secret:
    token = ask(model)
    if token is None:
        raise HubError(
            "this model is private, so its demo needs a token to read it with",
            where=model,
            mend=f"Make one with the role 'read' at {TOKENS_PAGE}, and put it into OWNVOICE_SPACE_TOKEN",
        )
    refuse_unfit_token(token, model if exists else None, account.hub)
    return token


def _variables(run: RunFolder, model: str, compares: bool) -> dict[str, str]:
    settings = TrainingSettings.load(run.config)
    variables = {"OWNVOICE_MODEL": model, "OWNVOICE_LANGUAGE": settings.language or ""}
    if compares:
        variables["OWNVOICE_BASE"] = _base(run, settings)
    return {name: value for name, value in variables.items() if value}


def _base(run: RunFolder, settings: TrainingSettings) -> str:
    base = TINY if settings.base_model == TINY else hub_base(settings)
    if base is None:
        raise UsageError(
            "the base model is a folder of this computer, so a demo cannot compare with it", where=run.path
        )
    return base


def _first_recording(run: RunFolder) -> tuple[bytes, str]:
    """A recording to try the demo with, and whose it is: one never trained on, where the speaker let any leave."""
    if read_voice_settings(run.voice).consent and run.split.is_file():
        utterances = {utterance_id(utterance): utterance for utterance in read_manifest(run.voice).utterances}
        tests = [utterances[name] for name in load_split(run, utterances.values()).test]
        return wav_bytes(load_recording(recording_of(run.voice, tests[0]))), f"this voice's ({tests[0].audio_path})"
    sample = sorted(Path(SAMPLE_VOICE / "clips").iterdir())[0]
    return wav_bytes(load_audio(sample)), "the built-in sample voice's"


def _contains(facts: SpaceFacts, whose: str) -> Iterator[str]:
    models = f"{facts.model} and with its base model" if facts.compares else facts.model
    yield f"A page that hears with {models}, in Gradio {GRADIO}"
    yield f"No recording. To see that it hears, one of {whose} is sent to it, and deleted there within minutes"
    yield facts.hardware.sentence


def _notes(hardware: Hardware, *, public: bool, public_model: bool) -> Iterator[str]:
    if hardware.name == FREE:
        yield "This machine is slow for Voxtral, and some accounts need a subscription for it. Others: --hardware"
    if hardware.name == ZERO:
        yield "This machine needs a subscription; each visitor has some minutes of it a day."
    if hardware.dollars_an_hour:
        yield f"It is let go after {ASLEEP_SECONDS // 60} minutes without a visitor, and costs nothing then."
    if not public_model:
        yield "Your read-only token is kept as the Space's secret HF_TOKEN, where nobody can read it."
        if public:
            yield "The model stays private, but everybody can have it hear them."
