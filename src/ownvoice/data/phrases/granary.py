"""Sentences from NVIDIA Granary, a large collection of transcribed speech on the Hugging Face Hub, as phrases to read.

The transcripts are streamed, never the sound; what is fit to be read (``speakable.py``) is kept on this computer, so
that the next time needs no network. Where anything is missing it says so, and offers nothing else in its place.
"""

from __future__ import annotations

import json
import os
import random
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from ownvoice.credentials import hub_token
from ownvoice.data.importers.hub import hub_faults
from ownvoice.data.phrases.bank import Phrase, bank_languages, count_words, phrase_id
from ownvoice.data.phrases.speakable import fault_of
from ownvoice.errors import ConfigError, OwnvoiceError, SourceError, storage_faults
from ownvoice.events import StageProgress
from ownvoice.rundir import make_folder, write_atomically

DATASET = "nvidia/Granary"
SPLIT = "asr"
LANGUAGES = frozenset({
    "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "hr", "hu", "it", "lt", "lv", "mt", "nl", "pl", "pt",
    "ro", "ru", "sk", "sl", "sv", "uk",
})  # fmt: skip
"""The 25 languages of Granary (Koluguri et al. 2025); Hindi is not among them."""

ROWS = 20_000
"""Transcripts looked at: about 8 MB to download, and a few thousand of them are fit to be read."""

STEP = 1_000
"""After so many, what was found is on disk, and a cut connection costs no more than that."""

CHUNK, BLOCK = 1 << 20, 1 << 18
"""Bytes read at a time, and how far a request reaches beyond them: with the client's own ten and five million, a cut
would lose all there was before it, and the overlap of smaller chunks would be fetched many times over."""

COUNT = 500
"""Phrases drawn from them: more than most people ever read."""

REACH_SECONDS = 5.0
"""How long to wait for the Hub's first answer; the client itself would try again and again for half a minute."""

READ_RETRIES = 1
"""How often a broken stream is taken up again before it is said; the client's own number means minutes of silence."""


@dataclass(frozen=True)
class Pool:
    """What was found fit to be read in one language."""

    config: str
    """The configuration of Granary it is from."""
    licence: str
    """As the data set's card says."""
    rows: int
    """Transcripts looked at."""
    phrases: tuple[Phrase, ...]
    left_out: Mapping[str, int]
    """How many were not fit, by reason."""


def granary_phrases(
    language: str, *, seed: int = 0, count: int = COUNT, progress: StageProgress | None = None
) -> tuple[Phrase, ...]:
    """``count`` phrases of ``language`` drawn by ``seed``, in a random order; fewer where fewer are fit.

    Raises
    ------
    ConfigError
        when Granary does not have the language.
    HubError
        when the Hub cannot be reached or refuses; what came in until then is kept, and the next call goes on there.
    SourceError
        when Granary's layout is not the one known here.
    StorageError
        when the cache cannot be written.
    """
    pool = granary_pool(language, progress=progress)
    return tuple(random.Random(seed).sample(pool.phrases, min(count, len(pool.phrases))))  # noqa: S311 - no secret


def granary_pool(language: str, *, progress: StageProgress | None = None) -> Pool:
    """All that was found in ``language``, from the cache where it is whole there; raises as :func:`granary_phrases`."""
    if language not in LANGUAGES:
        raise ConfigError(
            f"Granary has no phrases in the language {language!r}", mend=f"It has {', '.join(sorted(LANGUAGES))}."
        )
    path = _cache_folder() / f"{language}.json"
    if not path.is_file():
        try:
            _fetch(language, path, progress)
        except OwnvoiceError as error:
            raise _with_offer(error, language) from None
    return _load(path)


def kept_phrases(language: str) -> tuple[Phrase, ...]:
    """What is kept of Granary on this computer in ``language``; none where nothing is."""
    path = _cache_folder() / f"{language}.json"
    return _load(path).phrases if language in LANGUAGES and path.is_file() else ()


def _fetch(language: str, path: Path, progress: StageProgress | None) -> None:
    """Stream transcripts into ``path``; what there is of them is kept in a file beside it after every :data:`STEP`."""
    part = path.with_suffix(".part.json")
    with hub_faults(DATASET), _few_retries():
        _reach_hub()
        config, licence = _choose_config(language), _licence()
        pool = _load(part) if part.is_file() else Pool(config, licence, 0, (), {})
        if (pool.config, pool.licence) != (config, licence):  # it was changed since: begin anew
            pool = Pool(config, licence, 0, (), {})
        rows = _rows(config, pool.rows)
    while pool.rows < ROWS:
        with hub_faults(DATASET), _few_retries():
            texts = list(islice(rows, STEP))
        pool = _extended(pool, texts, language)
        _save(part, pool)
        if progress is not None:
            progress("Fetching phrases from Granary", pool.rows, ROWS)
        if len(texts) < STEP:
            break
    if not pool.phrases:
        raise SourceError(f"none of {pool.rows} transcripts is fit to be read", where=DATASET)
    _save(path, pool)
    part.unlink(missing_ok=True)


def _rows(config: str, skip: int) -> Iterator[tuple[str, str]]:
    """Each transcript and the collection it is from, without the first ``skip``."""
    import datasets

    stream = datasets.load_dataset(
        DATASET,
        config,
        split=SPLIT,
        streaming=True,
        token=_token(),
        chunksize=CHUNK,
        storage_options={"hf": {"block_size": BLOCK}},
    )
    for row in stream.skip(skip):
        yield _field(row, "text"), _field(row, "dataset_source")


def _field(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise _changed(f'its rows have no text in a field "{name}" but {", ".join(row)}')
    return value


def _extended(pool: Pool, rows: list[tuple[str, str]], language: str) -> Pool:
    """``pool`` with those of ``rows`` that are fit to be read and new."""
    phrases = {phrase.id: phrase for phrase in pool.phrases}
    left_out = Counter(pool.left_out)
    for text, collection in rows:
        text = unicodedata.normalize("NFC", " ".join(text.split()))
        if fault := fault_of(text, language):
            left_out[fault] += 1
            continue
        source = f"{DATASET} {pool.config} ({collection})"
        name = phrase_id(f"granary-{language}", text)
        if name in phrases:
            left_out["repeated"] += 1
        phrases.setdefault(name, Phrase(name, text, None, count_words(text), None, source, pool.licence))
    return Pool(pool.config, pool.licence, pool.rows + len(rows), tuple(phrases.values()), dict(left_out))


def _reach_hub() -> None:
    """One request without the client's retries, so that no network is said at once."""
    from huggingface_hub import constants, get_session

    get_session().head(constants.ENDPOINT, timeout=REACH_SECONDS)


def _choose_config(language: str) -> str:
    """The configuration to read: talk on YouTube before parliament, since people read what they might say."""
    import datasets

    names = datasets.get_dataset_config_names(DATASET, token=_token())
    for name in (f"{language}_ytc", language, f"{language}_yodas", f"{language}_voxpopuli"):
        if name in names:
            return name
    raise _changed(f"it has no configuration for {language!r} but {', '.join(names[:40])}")


def _licence() -> str:
    from huggingface_hub import DatasetCard

    licence = DatasetCard.load(DATASET, token=_token() or None).data.get("license")
    return ", ".join(licence) if isinstance(licence, list) else licence or "unknown"


def _token() -> str | Literal[False]:
    return secret.reveal() if (secret := hub_token()) else False  # not None: the client would look for one by itself


@contextmanager
def _few_retries() -> Iterator[None]:
    from datasets import config

    kept = config.STREAMING_READ_MAX_RETRIES
    config.STREAMING_READ_MAX_RETRIES = READ_RETRIES
    try:
        yield
    finally:
        config.STREAMING_READ_MAX_RETRIES = kept


def _changed(what: str) -> SourceError:
    return SourceError(
        f"Granary's layout is not the one this version of ownvoice knows: {what}",
        where=DATASET,
        mend="Look for a newer version of ownvoice.",
    )


def _with_offer(error: OwnvoiceError, language: str) -> OwnvoiceError:
    """The same error, with what can be read meanwhile in its mend."""
    offer = "The built-in phrases need no network." if language in bank_languages() else "A text of your own will do."
    return type(error)(error.what, where=error.where, mend=f"{error.mend} {offer}" if error.mend else offer)


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ownvoice" / "granary"


def _save(path: Path, pool: Pool) -> None:
    with storage_faults(path):
        make_folder(path.parent)
    write_atomically(path, json.dumps(asdict(pool), ensure_ascii=False) + "\n")


def _load(path: Path) -> Pool:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Pool(**values | {"phrases": tuple(Phrase(**phrase) for phrase in values["phrases"])})
    except (OSError, ValueError, TypeError, KeyError):
        raise SourceError(
            "is not what was kept of Granary", where=path, mend="Delete this file; it is fetched again."
        ) from None
