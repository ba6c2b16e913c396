"""Which utterances train, which choose the checkpoint (dev) and which judge (test), so that no phrase is on two sides.

Utterances belong together that share a text, case, punctuation and spaces folded away, or a phrase id (takes of a
phrase may be written down differently). Each group's place is drawn from a hash of seed and text, so the order of the
manifest does not matter, and a phrase mostly keeps its side as more are recorded. Nothing here reads audio.
"""

from __future__ import annotations

import hashlib
import json
import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from pydantic import TypeAdapter, ValidationError

from ownvoice.data.manifest import read_manifest
from ownvoice.data.utterance import Utterance, utterance_id
from ownvoice.errors import DataError, ManifestError, TooLittleDataError
from ownvoice.quantities import counted
from ownvoice.rundir import RunFolder, write_atomically

MIN_UTTERANCES = 10
"""Below this there is nothing to learn a voice from and nothing to judge it by."""

MIN_PHRASES = 6
"""With fewer different phrases, one or two of them would judge the whole voice, or choose its checkpoint."""

ABOUT = "about"
"""The key in an utterance's ``extra`` under which stands the name or word its phrase was made for."""

SMALL_TEST = 30
"""Below this many test utterances one of them moves the result by more than three points: it is said."""

SMALL_DEV = 5
"""Below this many dev utterances the choice of the checkpoint is mostly chance: it is said."""


@dataclass(frozen=True)
class Split:
    """The ids (:func:`ownvoice.data.manifest.utterance_id`) of each side, and what a person should know of them."""

    train: list[str]
    dev: list[str]
    test: list[str]
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Share:
    """How much of all utterances a side gets: the groups drawn below ``edge``, within bounds."""

    edge: float
    low: int
    high: int

    @classmethod
    def test(cls, utterances: int) -> _Share:
        """A fifth; from 400 on, more narrows the interval little and only costs time."""
        return cls(0.2, max(3, round(0.15 * utterances)), min(400, math.ceil(0.3 * utterances)))

    @classmethod
    def dev(cls, utterances: int) -> _Share:
        """A tenth; at most 100, since it is transcribed again and again while training."""
        return cls(0.3, max(2, round(0.07 * utterances)), min(100, math.ceil(0.2 * utterances)))

    def takes(self, draw: float, group: int, taken: int) -> bool:
        return (draw < self.edge or taken < self.low) and taken + group <= self.high


def split_utterances(utterances: Iterable[Utterance], *, seed: int) -> Split:
    """Split into about 70 % train, 10 % dev and 20 % test.

    A phrase recorded so often that it would fill a side is trained on. As utterances are added, a test phrase goes to
    another side only where the smallest and largest sizes of the test set ask for it.

    Of the phrases about one name (see :data:`ABOUT`) at least one judges and one trains, however few there are: a name
    is counted right on sentences that were not trained on.

    Raises
    ------
    TooLittleDataError
        below :data:`MIN_UTTERANCES` utterances or :data:`MIN_PHRASES` different phrases.
    """
    utterances = list(utterances)
    phrases = _phrases(utterances, seed)
    total = sum(len(ids) for _, ids in phrases)
    _require_enough(total, len(phrases))
    test_share, dev_share = _Share.test(total), _Share.dev(total)
    judges, teachers = _sides_of_names(phrases, utterances)
    train: list[str] = []
    dev: list[str] = []
    test = [name for place in sorted(judges) for name in phrases[place][1]]
    for place, (draw, ids) in enumerate(phrases):
        if place in judges:
            continue
        if place in teachers:
            train += ids
        elif test_share.takes(draw, len(ids), len(test)):
            test += ids
        elif dev_share.takes(draw, len(ids), len(dev)):
            dev += ids
        else:
            train += ids
    if not test or not dev:
        raise TooLittleDataError(
            f"{total} recordings of {len(phrases)} phrases cannot be split: a few phrases are nearly all of them",
            mend="Record more different phrases.",
        )
    return Split(train, dev, test, _warnings(len(dev), len(test)))


def fold_text(text: str) -> str:
    """``text`` as phrases are compared: NFKC, case folded, apostrophes dropped, other punctuation and spaces one space.

    Letters, digits and combining marks (a Hindi vowel sign is one) are kept.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    kept = (
        "" if character in "'’ʼ" else character if unicodedata.category(character)[0] in "LNM" else " "
        for character in folded
    )
    return " ".join("".join(kept).split())


def save_split(run: RunFolder, split: Split) -> None:
    """Write ``RUN/split.json``, atomically.

    Raises
    ------
    StorageError
        when it cannot be written.
    """
    write_atomically(run.split, json.dumps(asdict(split), ensure_ascii=False, indent=1) + "\n")


def load_split(run: RunFolder, utterances: Iterable[Utterance]) -> Split:
    """Read ``RUN/split.json`` and check it against the voice; utterances recorded since are on no side.

    Raises
    ------
    ManifestError
        when it is missing or no split, an id is on two sides or twice on one, or the voice has no such utterance.
    """
    mend = "Start a new training run."
    try:
        split = TypeAdapter(Split).validate_json(run.split.read_bytes(), strict=True)
    except (OSError, ValidationError):
        raise ManifestError(
            "is missing, or is not a split into train, dev and test", where=run.split, mend=mend
        ) from None
    named = Counter([*split.train, *split.dev, *split.test])
    if twice := [name for name, count in named.items() if count > 1]:
        raise ManifestError(f"names a recording twice: {', '.join(twice[:5])}", where=run.split, mend=mend)
    known = {utterance_id(utterance) for utterance in utterances}
    if unknown := [name for name in named if name not in known]:
        first, missing = ", ".join(unknown[:5]), counted(len(unknown), "recording that is", "recordings that are")
        raise ManifestError(
            f"names {missing} excluded or that the voice does not have: {first}",
            where=run.split,
            mend="Restore them or put their lines back into data.jsonl, or start a new training run.",
        )
    return split


def learned_texts(run: RunFolder) -> set[str] | None:
    """What was said, folded, in what a run was trained on or chosen by; None where its voice does not tell."""
    try:
        utterances = {utterance_id(utterance): utterance for utterance in read_manifest(run.voice).everything}
        split = load_split(run, utterances.values())
    except DataError:
        return None
    return {fold_text(utterances[name].text) for name in (*split.train, *split.dev)}


def _require_enough(utterances: int, phrases: int) -> None:
    if utterances < MIN_UTTERANCES:
        few = counted(utterances, "recording is", "recordings are")
        raise TooLittleDataError(
            f"{few} too few: training needs at least {MIN_UTTERANCES}",
            mend="Record or import more; 50 to 100 phrases are a good start.",
        )
    if phrases < MIN_PHRASES:
        few = counted(phrases, "phrase is", "different phrases are")
        raise TooLittleDataError(
            f"{few} too few: training needs at least {MIN_PHRASES}",
            mend="Record more different phrases: it is judged on phrases it never trained on.",
        )


def _phrases(utterances: Iterable[Utterance], seed: int) -> list[tuple[float, list[str]]]:
    """Each phrase's draw and its utterances' ids, in the order of the draws.

    A phrase is a connected set of texts and phrase ids; its draw is the lowest of its texts.
    """
    parents: dict[tuple[str, str], tuple[str, str]] = {}

    def root(key: tuple[str, str]) -> tuple[str, str]:
        while (parent := parents.setdefault(key, key)) != key:
            parents[key] = key = parents[parent]
        return key

    utterances = list(utterances)
    keys = [("text", fold_text(utterance.text)) for utterance in utterances]
    for utterance, key in zip(utterances, keys, strict=True):
        if utterance.phrase_id is not None:
            parents[root(("phrase", utterance.phrase_id))] = root(key)
    draws: defaultdict[tuple[str, str], float] = defaultdict(lambda: 1.0)
    ids: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for utterance, key in zip(utterances, keys, strict=True):
        draws[root(key)] = min(draws[root(key)], _draw(seed, key[1]))
        ids[root(key)].append(utterance_id(utterance))
    return sorted((draws[phrase], sorted(ids[phrase])) for phrase in ids)


def _sides_of_names(
    phrases: list[tuple[float, list[str]]], utterances: Iterable[Utterance]
) -> tuple[set[int], set[int]]:
    """Places of the phrases that judge a name and of those it is learned from: of each name's, the first two drawn."""
    about = {utterance_id(one): one.extra[ABOUT] for one in utterances if isinstance(one.extra.get(ABOUT), str)}
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, (_, ids) in enumerate(phrases):
        for name in sorted({about[one] for one in ids if one in about}):
            places[name].append(place)
    pairs = [found[:2] for found in places.values() if len(found) > 1]
    judges = {first for first, _ in pairs}
    return judges, {second for _, second in pairs} - judges


def _draw(seed: int, text: str) -> float:
    """A number in [0, 1) from seed and text alone."""
    digest = hashlib.sha256(f"{seed}\n{text}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _warnings(dev: int, test: int) -> list[str]:
    warnings = []
    if test < SMALL_TEST:
        warnings.append(
            f"The result is measured on {counted(test, 'recording')} only: one of them heard right or wrong moves it "
            f"by about {100 / test:.0f} points, so take it as a hint. Record more to make it mean something."
        )
    if dev < SMALL_DEV:
        few = counted(dev, "recording")
        warnings.append(f"The best moment of the training is chosen by {few} only, which is partly chance.")
    return warnings
