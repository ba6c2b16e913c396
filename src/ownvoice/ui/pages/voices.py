"""Makes a voice and changes its settings."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import quote

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from ownvoice.config import VoiceSettings
from ownvoice.data.new_voice import NameTakenError, create_voice
from ownvoice.data.voice_settings import read_voice_settings, write_voice_settings
from ownvoice.errors import ConfigError
from ownvoice.ui.access import Voice, Voices
from ownvoice.ui.frame import PageError

router = APIRouter()


class VoiceChoices(BaseModel):
    """Settings of a voice as the page sends them; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    language: str | None = "en"
    transcript_style: Literal["intended", "verbatim"] = "intended"
    consent: str = Field("", max_length=10_000)


class NewVoice(VoiceChoices):
    name: str = Field(max_length=200)


@router.post("/voices", status_code=201)
def make_voice(voices: Voices, wanted: NewVoice) -> dict[str, str]:
    settings = VoiceSettings.make(wanted.model_dump(exclude={"name"}))
    try:
        voice = create_voice(voices, wanted.name, settings)
    except NameTakenError as error:
        raise PageError(409, error.what, mend=error.mend) from None
    return {"voice": voice.path.name, "url": f"/voices/{quote(voice.path.name)}/record"}


@router.post("/voices/{voice}/settings")
def change_settings(voice: Voice, wanted: VoiceChoices) -> dict[str, Any]:
    try:
        known = read_voice_settings(voice).model_dump()
    except ConfigError:  # the page says so, and shows what they will be instead
        known = {}
    settings = VoiceSettings.make(known | wanted.model_dump(exclude_unset=True), where=voice.settings.name)
    write_voice_settings(voice, settings)
    return settings.model_dump()
