"""A person reads phrases into a voice: what is next, how far they are, and each take from its first sample to "saved".

One session serves any number of pages of a voice. It remembers what is slow to find out (what the manifest holds, how
fast the person speaks) and no more: stopped at any moment, a new one goes on where it was. How takes are kept is told
in ``takes.py``, which phrases there are in ``phrases/``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ownvoice.data.check import pace
from ownvoice.data.follow import ManifestFollower
from ownvoice.data.hints import Heard, hear
from ownvoice.data.measure import measure
from ownvoice.data.phrase_marks import PhraseMarks, read_marks
from ownvoice.data.phrases import Phrase
from ownvoice.data.phrases.choose import choose_phrases
from ownvoice.data.phrases.free_speech import PROMPT, find_prompt
from ownvoice.data.phrases.source import find_phrase, provenance
from ownvoice.data.recording import load_recording, recording_of
from ownvoice.data.shelf import counted_seconds
from ownvoice.data.take_folder import Take, new_take
from ownvoice.data.takes import SOURCE, Takes
from ownvoice.data.utterance import Utterance, utterance_id
from ownvoice.data.voice_settings import read_voice_settings
from ownvoice.errors import AudioError, DataError
from ownvoice.rundir import VoiceFolder

FIRST_MINUTES, STRONG_MINUTES = 5, 20
"""Of recordings: enough for a first training that shows something, and for a strong one."""

STAGES = (50, 100, 300, 500)
"""Different phrases recorded."""

MAX_UTTERANCES = 20_000
"""Of one voice: 500 phrases, forty times over."""

_PACES = 24
"""Earlier takes that tell a person's usual pace: of the last days, not of a year ago."""


@dataclass(frozen=True)
class Goal:
    """The next useful amount."""

    kind: Literal["minutes", "phrases"]
    value: int
    text_key: str
    """Of the sentence about it in the interface's texts."""


@dataclass(frozen=True)
class Progress:
    """How much there is."""

    minutes: float
    phrases: int
    """Different ones."""
    goal: Goal
    stages: tuple[int, ...] = STAGES


@dataclass(frozen=True)
class QueuedPhrase:
    """A phrase and what became of it so far."""

    phrase: Phrase
    state: Literal["todo", "saved", "skipped", "hidden"]
    starred: bool
    utterances: tuple[Utterance, ...]
    """Its recordings that count, the oldest first."""


@dataclass(frozen=True)
class Queue:
    """A part of the phrases, in their order."""

    phrases: tuple[QueuedPhrase, ...]
    total: int
    """Of all of them."""
    next: int
    """Place, from 0 in all of them, of the first that is neither saved nor skipped nor hidden; else of the first
    skipped one; else ``total``."""


@dataclass(frozen=True)
class SavedTake:
    """A take that is on disk, recording and line."""

    utterance: Utterance
    heard: Heard
    progress: Progress


class Session:
    """Recording into one voice; any number of threads may call it."""

    def __init__(self, voice: VoiceFolder) -> None:
        self.voice = voice
        self.takes = Takes(voice)
        self._manifest = ManifestFollower(voice)
        self._paces: dict[str, float] | None = None

    def queue(
        self,
        phrases: Sequence[Phrase],
        offset: int,
        count: int,
        *,
        search: str = "",
        topic: str | None = None,
        starred: bool = False,
    ) -> Queue:
        """``count`` of ``phrases`` from ``offset`` on, each with its state.

        They are in the order of :func:`~ownvoice.data.phrases.choose.choose_phrases`. Without a search, hidden ones
        keep their place, so that pages that fetch a few at a time miss none when one is hidden in between.
        """
        marks = read_marks(self.voice)
        recorded = self._recorded()
        ordered = choose_phrases(phrases, marks, search=search, topic=topic, starred=starred)
        if not (search or topic or starred):
            for place, phrase in enumerate(phrases):
                if marks.states.get(phrase.id) in ("hidden", "too_hard"):
                    ordered.insert(place, phrase)
        queued = [_queued(phrase, marks, recorded.get(phrase.id, ())) for phrase in ordered]
        states = [phrase.state for phrase in queued]
        place = next((states.index(state) for state in ("todo", "skipped") if state in states), len(queued))
        return Queue(tuple(queued[offset : offset + count]), len(queued), place)

    def progress(self) -> Progress:
        """Minutes and phrases of the recordings that count."""
        counted = [utterance for utterance in self._manifest.everything() if not utterance.excluded]
        minutes = sum(map(counted_seconds, counted)) / 60
        phrases = len({utterance.phrase_id or utterance.text for utterance in counted})
        return Progress(round(minutes, 4), phrases, _goal(minutes, phrases))

    def start(
        self,
        text: str,
        sample_rate: int,
        *,
        phrase_id: str | None = None,
        language: str | None = None,
        replaces: str | None = None,
        prompt: str | None = None,
    ) -> Take:
        """Begin a take; without a ``language`` it has the voice's, and keeps that whatever is chosen later.

        Of the phrase's origin it keeps what :func:`ownvoice.data.phrases.source.provenance` says. An answer to a
        ``prompt`` (its id) gets its words when it is finished.

        Raises
        ------
        DataError
            when text or rate are out of bounds, ``replaces`` is no recording of this voice, or the voice is full.
        StorageError
            when the disk is full or the voice cannot be written.
        """
        everything = self._manifest.everything()
        if len(everything) >= MAX_UTTERANCES:
            raise DataError(f"this voice holds {MAX_UTTERANCES} recordings", mend="Begin another voice.")
        if replaces is not None and replaces not in map(utterance_id, everything):
            raise DataError(f"there is no recording {replaces[:80]!r} to replace", mend="Reload the page.")
        number = None if phrase_id is None else 1 + sum(utterance.phrase_id == phrase_id for utterance in everything)
        spoken = language or read_voice_settings(self.voice).language
        phrase = find_phrase(phrase_id, spoken, self.voice) if phrase_id else None
        if prompt is not None and find_prompt(prompt) is None:
            raise DataError(f"there is no question {prompt[:80]!r}", mend="Reload the page.")
        take = new_take(
            text,
            sample_rate,
            phrase_id=phrase_id,
            language=spoken,
            number=number,
            replaces=replaces,
            extra={**(provenance(phrase) if phrase else {}), **({PROMPT: prompt} if prompt else {})},
            is_answer=prompt is not None,
        )
        self.takes.start(take)
        self._usual_paces()  # found out while somebody speaks, not while they wait
        return take

    def answered(self) -> frozenset[str]:
        """Ids of the prompts for free speech that have an answer."""
        counted = (utterance for utterance in self._manifest.everything() if not utterance.excluded)
        return frozenset(str(utterance.extra[PROMPT]) for utterance in counted if PROMPT in utterance.extra)

    def finish(
        self, take_id: str, samples: int | None = None, *, text: str | None = None, draft: str = ""
    ) -> SavedTake:
        """Save a take and judge it; see :meth:`ownvoice.data.takes.Takes.finish`."""
        utterance = self.takes.finish(take_id, samples, text=text, draft=draft)
        paces = self._usual_paces()
        name = utterance_id(utterance)
        earlier = [rate for other, rate in paces.copy().items() if other != name][-_PACES:]
        heard = hear(load_recording(recording_of(self.voice, utterance)), utterance.text, earlier)
        if heard.pace is not None:
            paces[name] = heard.pace
        return SavedTake(utterance, heard, self.progress())

    def _recorded(self) -> dict[str, list[Utterance]]:
        """The recordings that count, by the id of their phrase."""
        recorded: dict[str, list[Utterance]] = {}
        for utterance in self._manifest.everything():
            if utterance.phrase_id is not None and not utterance.excluded:
                recorded.setdefault(utterance.phrase_id, []).append(utterance)
        return recorded

    def _usual_paces(self) -> dict[str, float]:
        """Paces of the last takes by id: of earlier days' by listening to them once, then as takes are saved."""
        if self._paces is None:
            recorded = [one for one in self._manifest.everything() if one.source == SOURCE and not one.excluded]
            self._paces = dict(self._listen(recorded[-_PACES:]))
        return self._paces

    def _listen(self, utterances: Iterable[Utterance]) -> Iterable[tuple[str, float]]:
        for utterance in utterances:
            try:
                rate = pace(utterance.text, measure(load_recording(recording_of(self.voice, utterance))))
            except AudioError:  # named by the check; it tells nothing here
                continue
            if rate is not None:
                yield utterance_id(utterance), rate


def _queued(phrase: Phrase, marks: PhraseMarks, utterances: Sequence[Utterance]) -> QueuedPhrase:
    mark = marks.states.get(phrase.id)
    state: Literal["todo", "saved", "skipped", "hidden"] = "todo"
    if mark in ("hidden", "too_hard"):
        state = "hidden"
    elif utterances:
        state = "saved"
    elif mark == "skipped":
        state = "skipped"
    return QueuedPhrase(phrase, state, phrase.id in marks.starred, tuple(utterances))


def _goal(minutes: float, phrases: int) -> Goal:
    if minutes < FIRST_MINUTES:
        return Goal("minutes", FIRST_MINUTES, "goal_first")
    if minutes < STRONG_MINUTES:
        return Goal("minutes", STRONG_MINUTES, "goal_strong")
    for stage in STAGES:
        if phrases < stage:
            return Goal("phrases", stage, "goal_phrases")
    return Goal("phrases", STAGES[-1], "goal_reached")
