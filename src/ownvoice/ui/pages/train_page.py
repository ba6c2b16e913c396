"""Setting up a training: two decisions that work as they are, and every setting for who wants to see them."""

from __future__ import annotations

from typing import Any

import yaml
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from ownvoice.config import TINY, VOXTRAL_MINI, VOXTRAL_SMALL, TrainingSettings, merged
from ownvoice.data.shelf import summarise
from ownvoice.data.split import MIN_UTTERANCES
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.rundir import RunFolder, VoiceFolder
from ownvoice.ui.access import Voice
from ownvoice.ui.frame import page
from ownvoice.ui.runs import address_of, date_of, run_of, watches
from ownvoice.ui.settings_form import form_groups, given_settings, shown_values
from ownvoice.ui.sign_in import Me
from ownvoice.workflow import needs, renting, runs, training_settings
from ownvoice.workflow.presets import PACES, Pace

BASES = {"tiny": TINY, "mini": VOXTRAL_MINI, "small": VOXTRAL_SMALL, "other": "other"}
"""Base models to choose from, by the name of their text."""
RECIPE_CHARACTERS = 20_000
"""A recipe of every setting has some hundred."""

router = APIRouter()


class Choices(BaseModel):
    """What a person decided."""

    base_model: str = Field(max_length=1000)
    pace: Pace
    changes: dict[str, str | float | bool | None] = Field(max_length=100)
    """Settings changed by hand, flat: ``{"lora.rank": "8"}``."""


class Rented(Choices):
    """What a person decided for a rented machine."""

    machine: str = Field(max_length=100)
    hours: float = Field(gt=0, le=24)
    consents: bool = False


class RecipeFile(BaseModel):
    """A recipe file as it was chosen."""

    name: str = Field(max_length=1000)
    text: str = Field(max_length=RECIPE_CHARACTERS)


@router.get("/voices/{voice}/train")
def show(request: Request, voice: Voice, retry: str | None = None) -> HTMLResponse:
    """The page; ``retry`` names a run whose settings are filled in."""
    summary = summarise(voice)
    shared: dict[str, Any] = {
        "voice": voice.path.name,
        "missing": MIN_UTTERANCES - summary.utterances,
        "recordings": summary.utterances,
        "seconds": summary.seconds,
        "asks_consent": not read_voice_settings(voice).consent,
        "under_way": _under_way(voice),
    }
    setup = {} if shared["missing"] > 0 else _setup(voice, run_of(voice, retry) if retry else None)
    return page(request, "train.html", ("train", "training", "rent", "share"), **shared, **setup)


@router.post("/voices/{voice}/train/plan")
def plan(voice: Voice, choices: Choices) -> dict[str, Any]:
    """All settings that follow from the choices, and what they need here: ``Preflight.to_json`` and ``settings``."""
    settings = _settings(voice, choices)
    return {**needs.preflight(voice, settings).to_json(), "settings": shown_values(settings)}


@router.post("/voices/{voice}/runs", status_code=201)
def start(voice: Voice, choices: Choices) -> dict[str, str]:
    """Start a training, or put it into the queue; answers with its page."""
    return {"url": address_of(runs.start(voice, _settings(voice, choices)))}


@router.post("/voices/{voice}/train/rent", status_code=201)
def rent(voice: Voice, me: Me, asked: Rented) -> dict[str, str]:
    """Start a training on a rented machine; answers with its page."""
    settings = _settings(voice, asked)
    run = renting.rent(
        me.connect(), me.tokens, voice, settings, machine=asked.machine, hours=asked.hours, consents=asked.consents
    )
    return {"url": address_of(run)}


@router.post("/voices/{voice}/train/recipe")
def save_recipe(voice: Voice, choices: Choices) -> dict[str, str]:
    """The settings as a recipe file."""
    values = _settings(voice, choices).model_dump(mode="json")
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    return {"name": f"{voice.path.name}-recipe.yaml", "text": text}


@router.post("/voices/{voice}/train/recipe/read")
def read_recipe(voice: Voice, recipe: RecipeFile) -> dict[str, Any]:
    """The settings that a recipe file gives, flat."""
    return {"settings": shown_values(TrainingSettings.parse(recipe.text, where=recipe.name), only_given=True)}


def _setup(voice: VoiceFolder, failed: RunFolder | None) -> dict[str, Any]:
    """What the form shows: the settings that are usual here, or those of a run to be tried again."""
    recommended = needs.suited_base()
    usual = settings = training_settings(voice, None, {"base_model": recommended})
    if failed:
        settings = TrainingSettings.load(failed.config)
    values, defaults = shown_values(settings), shown_values(usual)
    return {
        "bases": BASES,
        "recommended": recommended,
        "paces": list(PACES),
        "groups": form_groups(),
        "values": values,
        "changed": [name for name in values if name != "base_model" and values[name] != defaults[name]],
        "failed": watches.look(failed) if failed else None,
        "failed_date": date_of(watches.look(failed)) if failed else None,
    }


def _settings(voice: VoiceFolder, choices: Choices) -> TrainingSettings:
    given = merged({"base_model": choices.base_model}, given_settings(choices.changes))
    return training_settings(voice, None, given, choices.pace)


def _under_way(voice: VoiceFolder) -> list[dict[str, str | None]]:
    """Trainings of this voice that wait or work."""
    return [
        {
            "url": address_of(view.run),
            "date": date_of(view),
            "state": view.state,
            "machine": view.remote.machine if view.remote else None,
        }
        for view in map(watches.look, reversed(voice.started_runs()))
        if not view.is_over
    ]
