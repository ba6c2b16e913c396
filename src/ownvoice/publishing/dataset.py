"""A voice as a data set: an audiofolder that ``load_dataset`` reads at once, with its splits and its card.

Only recordings that count are in it, cut to the part that counts. Of a manifest's line goes along what a reader needs:
where a recording came from, when it was made and what other programs wrote beside it stay here. Sends nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ownvoice.config import VoiceSettings
from ownvoice.data.audio import SAMPLE_RATE
from ownvoice.data.export import wav_bytes
from ownvoice.data.phrases.bank import bank_languages
from ownvoice.data.phrases.granary import DATASET
from ownvoice.data.phrases.source import TEXT_LICENCE, TEXT_SOURCE
from ownvoice.data.recording import Recording, load_recording, recording_of
from ownvoice.data.split import Split, fold_text
from ownvoice.data.utterance import Utterance, utterance_id
from ownvoice.publishing.card import DatasetFacts, PhraseSource, SplitFacts, Wishes, dataset_card
from ownvoice.publishing.files import RepoFile
from ownvoice.rundir import VoiceFolder

SPLITS = {"train": "train", "dev": "validation", "test": "test"}
"""Our names and those that ``datasets`` knows."""
LICENCE = "cc-by-4.0"
OWN_TEXT = "the speaker's own text"
_FOLDER = "data/"
_WAV_HEADER = 44
"""Bytes before the samples in a WAV file that holds nothing else."""

PUBLIC_CONSENT = (
    "I am the speaker in these recordings, or I act with the speaker's permission. I agree that the recordings and "
    "their transcripts are published on the Hugging Face Hub, where everybody can hear, copy and use them under the "
    "licence given there. I know that a voice can tell who somebody is and how they are. I know that I can withdraw "
    "the recordings at any time, and that copies others have made until then may remain."
)
PRIVATE_CONSENT = (
    "I am the speaker in these recordings, or I act with the speaker's permission. I agree that the recordings and "
    "their transcripts are kept in a private repository on the Hugging Face Hub, a company's servers, where those with "
    "access to this account can hear them. I know that I can have them deleted there at any time."
)


@dataclass(frozen=True)
class DatasetFiles:
    """A data set, ready to be sent."""

    files: tuple[RepoFile, ...]
    facts: DatasetFacts


def is_ours(path: str) -> bool:
    """Whether a file of a data set's repository is one that publishing put there."""
    return path.startswith(_FOLDER)


def needed_consent(settings: VoiceSettings, *, public: bool) -> str:
    """The text that the speaker must have agreed to: the one on file where it serves, else the usual one.

    A consent to private storage says nothing of publishing; any other text is the speaker's own, and is shown to be
    confirmed before everybody can hear the recordings.
    """
    if not public:
        return settings.consent or PRIVATE_CONSENT
    return PUBLIC_CONSENT if settings.consent in ("", PRIVATE_CONSENT) else settings.consent


def build_dataset(
    voice: VoiceFolder,
    utterances: Sequence[Utterance],
    split: Split | None,
    *,
    repo: str,
    author: str,
    settings: VoiceSettings,
    consent: str,
    wishes: Wishes,
) -> DatasetFiles:
    """Lay out the recordings of a voice, with metadata and card.

    Parameters
    ----------
    utterances
        Those to publish; never the excluded.
    split
        Of a training run, so that what was judged on is "test" here too; None to have all of it in "train".

    Raises
    ------
    AudioError
        when a recording cannot be read.
    """
    names: Counter[str] = Counter()
    files: list[RepoFile] = []
    splits: list[SplitFacts] = []
    for ours, members in _assigned(utterances, split).items():
        if members:
            laid_out, told = _lay_out(voice, SPLITS[ours], members, settings, names)
            files += laid_out
            splits.append(told)
    facts = DatasetFacts(
        repo=repo,
        author=wishes.author or author,
        licence=wishes.licence or LICENCE,
        language=settings.language,
        transcript_style=settings.transcript_style,
        consent=consent,
        conditions=wishes.conditions,
        splits=tuple(splits),
        sources=phrase_sources(utterances),
    )
    return DatasetFiles((RepoFile("README.md", str(dataset_card(facts)).encode()), *files), facts)


def _lay_out(
    voice: VoiceFolder, split: str, utterances: Iterable[Utterance], settings: VoiceSettings, names: Counter[str]
) -> tuple[list[RepoFile], SplitFacts]:
    """The files of one split; ``names`` are those given out so far."""
    files, rows, seconds = [], [], 0.0
    for utterance in utterances:
        content = bare_sound(recording_of(voice, utterance))
        name = _file_name(utterance, content, names)
        sound = RepoFile(f"{_FOLDER}{split}/{name}", content)
        length = (sound.size - _WAV_HEADER) / (2 * SAMPLE_RATE)
        seconds += length
        files.append(sound)
        rows.append(_row(utterance, name, length, settings))
    table = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    files.append(RepoFile(f"{_FOLDER}{split}/metadata.jsonl", table.encode()))
    return files, SplitFacts(split, len(rows), seconds / 60)


def phrase_sources(utterances: Iterable[Utterance]) -> tuple[PhraseSource, ...]:
    """Where the phrases come from, told by their ids and what was kept of them, the most frequent source first."""
    counts = Counter(_source(utterance) for utterance in utterances)
    return tuple(PhraseSource(what, count) for what, count in counts.most_common())


def _source(utterance: Utterance) -> str:
    prefix = (utterance.phrase_id or "").rpartition("-")[0]
    if prefix in bank_languages():
        return "ownvoice's own phrases (Apache-2.0)"
    if prefix.startswith("granary-"):
        part, licence = utterance.extra.get(TEXT_SOURCE), utterance.extra.get(TEXT_LICENCE)
        where = f"https://huggingface.co/datasets/{DATASET}"
        return f"{part or 'NVIDIA Granary'}, {where} ({licence or 'see its licence'})"
    if prefix == "own":
        return OWN_TEXT
    if match := re.match(r"hub:([\w.-]+/[\w.-]+)", utterance.source or ""):
        return f"the data set https://huggingface.co/datasets/{match[1]} (see its licence)"
    return "recordings that were brought in with their words"


def _assigned(utterances: Sequence[Utterance], split: Split | None) -> dict[str, list[Utterance]]:
    """The utterances of each side; one recorded after the split goes where its phrase is, else to train."""
    sides: dict[str, list[Utterance]] = {name: [] for name in SPLITS}
    if split is None:
        sides["train"] = list(utterances)
        return sides
    known = {name: side for side in SPLITS for name in getattr(split, side)}
    phrases: dict[str | None, str] = {}
    for utterance in utterances:
        if side := known.get(utterance_id(utterance)):
            phrases |= {fold_text(utterance.text): side, utterance.phrase_id: side}
    phrases.pop(None, None)
    for utterance in utterances:
        later = phrases.get(utterance.phrase_id) or phrases.get(fold_text(utterance.text), "train")
        sides[known.get(utterance_id(utterance), later)].append(utterance)
    return sides


def bare_sound(recording: Recording) -> Path | bytes:
    """The file itself where it holds samples and nothing else, or a new one of the part that counts."""
    if recording.trim is None and _is_bare(recording.path):
        return recording.path
    return wav_bytes(load_recording(recording))


def _is_bare(path: Path) -> bool:
    """Whether a file begins as every WAV file of ours, so that no program can have written notes into it."""
    with path.open("rb") as file:
        header = file.read(_WAV_HEADER)
    samples = path.stat().st_size - _WAV_HEADER
    return samples > 0 and samples % 2 == 0 and header == _header(samples)


def _header(data_bytes: int) -> bytes:
    """The header of a 16 kHz mono PCM16 WAV file (RIFF, as Python's ``wave`` writes it)."""
    return b"".join(
        [
            b"RIFF" + (data_bytes + 36).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little"),
            (1).to_bytes(2, "little") + (1).to_bytes(2, "little") + SAMPLE_RATE.to_bytes(4, "little"),
            (2 * SAMPLE_RATE).to_bytes(4, "little") + (2).to_bytes(2, "little") + (16).to_bytes(2, "little"),
            b"data" + data_bytes.to_bytes(4, "little"),
        ]
    )


def _file_name(utterance: Utterance, content: Path | bytes, taken: Counter[str]) -> str:
    """The recording's number, or a name made of its sound where the file was named by a person."""
    stem = Path(utterance.audio_path).stem
    if not stem.isascii() or not stem.isdigit():
        data = content if isinstance(content, bytes) else content.read_bytes()
        stem = hashlib.sha256(data).hexdigest()[:16]
    taken[stem] += 1
    return f"{stem}.wav" if taken[stem] == 1 else f"{stem}-{taken[stem]}.wav"


def _row(utterance: Utterance, name: str, seconds: float, settings: VoiceSettings) -> dict[str, object]:
    """Every row has every field, and of one type: the splits' tables must agree."""
    return {
        "file_name": name,
        "text": utterance.text,
        "duration": round(seconds, 3),
        "language": utterance.language or settings.language or "",
        "phrase_id": utterance.phrase_id or "",
        "take": utterance.take or 1,
    }
