"""Where the phrases of a voice come from, by the name of the source; each tells its origin and its licence.

The studio's queue and the command line ask here. A source that has nothing says so: none stands in for another.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ownvoice.data.phrases.bank import Phrase, bank_languages, load_bank
from ownvoice.data.phrases.own_text import phrases_from_file
from ownvoice.data.split import ABOUT
from ownvoice.errors import DataError
from ownvoice.rundir import VoiceFolder

if TYPE_CHECKING:
    from ownvoice.events import StageProgress

TEXT_SOURCE, TEXT_LICENCE = "text_source", "text_licence"
"""Keys in an utterance's ``extra``: where the text that was read is from, and its licence."""

PhraseSource = Literal["builtin", "granary", "own"]
"""The built-in bank, NVIDIA Granary, or what the voice's person brought (``own.py``)."""


def source_languages(voice: VoiceFolder) -> dict[PhraseSource, tuple[str, ...]]:
    """The sources ``voice`` can read from, each with the codes of its languages; empty for the person's own, which may
    be in any. Asks none of them, so Granary is named whether or not it can be reached."""
    from ownvoice.data.phrases.granary import LANGUAGES

    own: dict[PhraseSource, tuple[str, ...]] = {"own": ()} if voice.own_phrases.is_file() else {}
    return {"builtin": bank_languages(), **own, "granary": tuple(sorted(LANGUAGES))}


def phrases_for(
    source: PhraseSource | Path,
    language: str,
    *,
    voice: VoiceFolder | None = None,
    seed: int = 0,
    progress: StageProgress | None = None,
) -> tuple[Phrase, ...]:
    """The phrases of a source, in its own order; what a person sees of them is decided in ``choose.py``.

    Parameters
    ----------
    source
        A name, or a text file of the person's own, read once and not kept.
    language
        Two-letter code.
    voice
        Whose own phrases are meant; not needed by the other sources.
    seed
        Draws the sample of Granary.
    progress
        Told how far a download is.

    Raises
    ------
    ConfigError
        when the source has nothing in this language; the message lists those it has.
    HubError, SourceError
        when Granary cannot be reached or is not as it was, or the file holds no text.
    ManifestError
        when the voice's own phrases cannot be read.
    """
    if isinstance(source, Path):
        return phrases_from_file(source)
    if source == "builtin":
        return load_bank(language)
    if source == "granary":
        from ownvoice.data.phrases.granary import granary_phrases

        return granary_phrases(language, seed=seed, progress=progress)
    from ownvoice.data.phrases.own import own_phrases

    return own_phrases(voice) if voice else ()


def provenance(phrase: Phrase) -> dict[str, str]:
    """What a recording of ``phrase`` keeps of it in its ``extra``, with the phrase's id apart; empty for own texts."""
    fields = {TEXT_SOURCE: phrase.source, TEXT_LICENCE: phrase.licence, ABOUT: phrase.about}
    return {name: value for name, value in fields.items() if value is not None}


def find_phrase(phrase_id: str, language: str | None, voice: VoiceFolder) -> Phrase | None:
    """The phrase of this id, from whatever source it is, without a network; None where it is not known here.

    A file of phrases that cannot be read is said where its phrases are listed; here, where somebody is about to speak,
    the take is worth more than the origin of its text.
    """
    try:
        return next((phrase for phrase in _known(phrase_id, language, voice) if phrase.id == phrase_id), None)
    except DataError:
        return None


def _known(phrase_id: str, language: str | None, voice: VoiceFolder) -> tuple[Phrase, ...]:
    """The phrases among which one of this id is."""
    if phrase_id.startswith("own-"):
        from ownvoice.data.phrases.own import own_phrases

        return own_phrases(voice)
    if phrase_id.startswith("granary-"):
        from ownvoice.data.phrases.granary import kept_phrases

        return kept_phrases(language or "")
    return load_bank(language) if language in bank_languages() else ()
