"""The settings of a voice, ``voice.yaml``, read and written; what they are and may be is told in ``config.py``."""

from __future__ import annotations

from ownvoice.config import VoiceSettings
from ownvoice.errors import ConfigError, storage_faults
from ownvoice.rundir import VoiceFolder, write_atomically


def read_voice_settings(voice: VoiceFolder) -> VoiceSettings:
    """The settings in ``voice.yaml``, or the defaults where there is none.

    Raises
    ------
    ConfigError
        when the file cannot be read or a value is wrong.
    """
    return VoiceSettings.load(voice.settings) if voice.settings.exists() else VoiceSettings()


def write_voice_settings(voice: VoiceFolder, settings: VoiceSettings) -> None:
    """Write ``voice.yaml``, atomically; of an old one that cannot be read, ``voice.yaml.unreadable`` keeps a copy.

    Raises
    ------
    StorageError
        when it cannot be written; the old file is then as it was.
    """
    try:
        read_voice_settings(voice)
    except ConfigError:
        with storage_faults(voice.settings):
            write_atomically(voice.unreadable_settings, voice.settings.read_bytes())
    settings.save(voice.settings)
