"""A data set on the Hugging Face Hub, streamed clip by clip through ``datasets`` and decoded by ownvoice itself.

Only files of that very data set are opened: a row that names a file of this computer, or of any other place, is left
out. Nothing is uploaded, and no code from the data set is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ownvoice.credentials import hub_token
from ownvoice.data.importers.archive import MAX_FILE_BYTES
from ownvoice.data.importers.columns import Columns, Wanted, choose_columns
from ownvoice.data.importers.source import Clip, Content, LeftOut, Source
from ownvoice.data.importers.tables import check_text, spoken_language
from ownvoice.errors import HubError, OwnvoiceError, SourceError, UsageError, storage_faults

PREFIX = "hub:"
_SPEC = re.compile(r"hub:(?P<name>\w[\w.-]*/\w[\w.-]*)(:(?P<config>[^:]*))?(:(?P<split>[^:]+))?")


def open_hub(spec: str, wanted: Wanted) -> Source:
    """Open ``hub:OWNER/NAME[:CONFIG[:SPLIT]]`` for streaming; an empty CONFIG is the default one.

    Raises
    ------
    UsageError
        when ``spec`` is not of that form, or a local folder hides the data set.
    SourceError
        when a configuration or split must be chosen, or a column is missing; also while reading.
    HubError
        when the Hub refuses (no such data set, private, gated) or cannot be reached; also while reading.
    """
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise UsageError(f"{spec!r} is not of the form hub:OWNER/NAME, hub:OWNER/NAME:CONFIG:SPLIT")
    name = match["name"]
    if Path(name).exists():  # datasets would read it in the data set's place
        raise UsageError(f"a file or folder {name} stands here and hides the data set", mend="Run it from elsewhere.")
    token = secret.reveal() if (secret := hub_token()) else None
    with hub_faults(spec):
        import datasets

        # False, not None: with None the client would look for a token by itself
        builder = datasets.load_dataset_builder(name, match["config"] or None, token=token or False)
        if hasattr(builder.config, "decode_num_threads"):  # folders of audio would be decoded on the way, by torchcodec
            builder.config.decode_num_threads = 0
        splits = builder.as_streaming_dataset()
    split = match["split"] or (next(iter(splits)) if len(splits) == 1 else None)
    if split not in splits:
        raise SourceError(
            f"has no split {split!r}" if split else "has several splits",
            where=spec,
            mend="Choose one: " + ", ".join(f"hub:{name}:{match['config'] or ''}:{known}" for known in splits),
        )
    return stream_dataset(splits[split], wanted, Origin(spec, f"hf://datasets/{name}@", token))


@dataclass(frozen=True)
class Origin:
    """Where a data set's own files lie."""

    label: str
    inside: str
    """What the address of each of its files begins with; no other file is opened."""
    token: str | None

    def __repr__(self) -> str:  # without the token
        return f"Origin({self.label!r})"

    def open(self, address: str) -> bytes:
        """The bytes of one of the data set's files.

        Raises
        ------
        SourceError
            when it is not one of them, is missing, or larger than one member of an archive may be.
        HubError
            when the Hub does not give it out.
        """
        *members, file = address.split("::")  # zip://clips/a.wav::hf://datasets/OWNER/NAME@REVISION/clips.zip
        if not file.startswith(self.inside) or "/../" in file or not all(hop.startswith("zip://") for hop in members):
            raise SourceError("names a file outside the data set, which is not opened")
        import fsspec  # type: ignore[import-untyped]

        access = {"hf": {"token": self.token or False}} if file.startswith("hf://") else {}
        with hub_faults(self.label):
            try:
                with fsspec.open(address, "rb", **access) as stream:
                    data: bytes = stream.read(MAX_FILE_BYTES + 1)
            except (FileNotFoundError, KeyError):  # the latter from a zip
                raise SourceError("there is no such file in the data set") from None
        if len(data) > MAX_FILE_BYTES:
            raise SourceError(f"is larger than {MAX_FILE_BYTES >> 20} MB")
        return data


def stream_dataset(dataset: Any, wanted: Wanted, origin: Origin) -> Source:
    """Stream the clips of a ``datasets.IterableDataset``.

    Raises
    ------
    SourceError
        when none of its columns is sound, or one is missing.
    """
    sound = [name for name, feature in (dataset.features or {}).items() if _is_sound(feature)]
    if not sound or (wanted.audio and wanted.audio not in sound):
        raise SourceError(
            f"column {wanted.audio!r} holds no sound" if sound else "holds no column of sound that can be streamed",
            where=origin.label,
            mend=f"Columns of sound: {', '.join(sound)}." if sound else "Download it and import the folder.",
        )
    columns = choose_columns(list(dataset.features), Wanted(wanted.text, wanted.audio or sound[0]), origin.label)
    undecoded = _undecoded()
    for name in sound:
        dataset = dataset.cast_column(name, undecoded)
    return Source(_clips(dataset, columns, origin), None, [f"{origin.label}: {columns}"], columns.warnings)


def _clips(dataset: Any, columns: Columns, origin: Origin) -> Iterator[Clip | LeftOut]:
    rows = iter(dataset)
    number = 0
    while True:
        with hub_faults(origin.label):
            row = next(rows, None)
        if row is None:
            return
        number += 1
        value = row[columns.audio]
        held = {"path": value} if isinstance(value, str) else value or {}
        name = str(held.get("path") or f"row {number}").split("::")[0].rsplit("/", 1)[-1]
        try:
            audio = _content(held, origin)
            text = check_text(row[columns.text], columns.text)
        except SourceError as error:
            yield LeftOut(name, number, error.what)
            continue
        yield Clip(name, text, audio, number, spoken_language(row, columns, columns.warnings))


def _content(held: dict[str, Any], origin: Origin) -> Content:
    if data := held.get("bytes"):
        return lambda: data
    if isinstance(path := held.get("path"), str) and path:
        return partial(origin.open, path)
    raise SourceError("holds no sound")


def _is_sound(feature: Any) -> bool:
    from datasets import Audio

    held = feature.get("bytes") if isinstance(feature, dict) else None  # a table may hold sound without saying so
    return isinstance(feature, Audio) or getattr(held, "dtype", None) in ("binary", "large_binary")


def _undecoded() -> Any:
    """The audio column as it is stored. ``Audio(decode=False)`` alone still wants torchcodec, to pass bytes on."""
    from datasets import Audio

    class Undecoded(Audio):  # type: ignore[misc]
        def encode_example(self, value: Any) -> Any:
            return {"bytes": None, "path": value} if isinstance(value, str) else value

    return Undecoded(decode=False)


@contextmanager
def hub_faults(label: str) -> Iterator[None]:
    """Turn the errors of ``datasets`` and of the network into ours, in plain words."""
    from datasets.exceptions import DatasetsError
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]

    try:
        with storage_faults("the Hugging Face cache"):
            yield
    except (OSError, httpx.HTTPError) as error:
        raise _network_error(label, error) from None
    except (ValueError, RuntimeError, DatasetsError) as error:
        mend = "Where a configuration must be chosen, write hub:OWNER/NAME:CONFIG."
        raise SourceError(f"cannot be read: {' '.join(str(error).split())}", where=label, mend=mend) from None


def _network_error(label: str, error: Exception) -> OwnvoiceError:
    from datasets.exceptions import DataFilesNotFoundError, DatasetNotFoundError

    status = _status(error)
    if isinstance(error, DataFilesNotFoundError):
        return SourceError("holds no files that can be read", where=label, mend="Download it and import the folder.")
    if isinstance(error, DatasetNotFoundError) or status in (401, 403, 404):
        return HubError(
            "there is no such data set, or this account may not read it",
            where=label,
            mend="Check the name. For a private or gated one, ask for access on its page and log in: hf auth login",
        )
    answer = f"answered with an error ({status})" if status else "could not be reached"
    mend = "Check the connection and run it again; what came in until now stays."
    return HubError(f"the Hugging Face Hub {answer}", where=label, mend=mend)


def _status(error: BaseException | None) -> int | None:
    """The HTTP status behind an error, which ``datasets`` hides in the chain of causes."""
    while error is not None:
        if (status := getattr(getattr(error, "response", None), "status_code", None)) is not None:
            return int(status)
        error = error.__cause__ or error.__context__
    return None
