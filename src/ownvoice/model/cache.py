"""Keeps features on disk, so that a clip is decoded and encoded once and not in every epoch or run.

An entry's name is a digest of everything it depends on: the clip's samples, the variant, the window and, for audio
embeddings, the weights that made them; it may stand in a folder of its clip's own. So runs share entries, none is ever
out of date, and deleting the folder costs time alone. Entries appear whole or not at all; one that is damaged is found
by its checksum and computed again. The folder never grows past the room it is given: what has none left is computed
each time, which changes no result. Nothing is deleted here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from ownvoice.errors import DiskFullError, storage_faults
from ownvoice.rundir import make_folder

if TYPE_CHECKING:
    from transformers import VoxtralForConditionalGeneration, WhisperFeatureExtractor

    from ownvoice.model.features import Window


ENTRY_OVERHEAD = 128
"""Bytes of an entry beside its tensor: four of checksum, the rest safetensors' header of one tensor, rounded up."""


class FeatureStore:
    """Tensors by key in a folder; any number of processes and threads may use it at once."""

    def __init__(self, folder: Path, limit: int | None = None) -> None:
        """``limit`` is how many bytes the folder may hold, with what earlier runs left there; None for any number.

        What other processes add meanwhile is not seen.
        """
        self._folder = folder
        self._room = None if limit is None else limit - _bytes_below(folder)
        self._counting = threading.Lock()
        self.is_full = self._room is not None and self._room <= ENTRY_OVERHEAD
        """Whether an entry could not be kept any more; the next would be computed in vain."""

    def get(self, key: str, compute: Callable[[], torch.Tensor]) -> torch.Tensor:
        """The entry, or what ``compute`` gives, which is then kept if there is room.

        Raises
        ------
        StorageError
            when it cannot be written.
        """
        found = self.read(key)
        if found is None:
            found = compute()
            self.write(key, found)
        return found

    def has(self, key: str) -> bool:
        """Whether there is an entry, sound or damaged."""
        return self._path(key).exists()

    def read(self, key: str) -> torch.Tensor | None:
        """The entry, or None when there is none or it is damaged."""
        path = self._path(key)
        try:
            with storage_faults(path):
                content = path.read_bytes()
        except FileNotFoundError:
            return None
        checksum, body = content[:4], content[4:]
        if zlib.crc32(body) != int.from_bytes(checksum):
            return None
        try:
            features: torch.Tensor = load(body)["features"]
        except (SafetensorError, KeyError):
            return None
        return features

    def write(self, key: str, features: torch.Tensor) -> bool:
        """Keep a tensor; False where neither the store nor its disk has room for it.

        Not forced to the disk: after a power cut the checksum tells a torn entry from a whole one.

        Raises
        ------
        StorageError
            when it cannot be written for another reason.
        """
        if self.is_full:
            return False
        path = self._path(key)
        body = save({"features": features.detach().cpu().contiguous()})
        if not self._has_room_for(len(body) + 4):
            return False
        try:
            _place(path, body)
        except DiskFullError:
            self.is_full = True
            return False
        return True

    def _has_room_for(self, size: int) -> bool:
        """Take ``size`` bytes of the room, if there are so many."""
        with self._counting:
            if self._room is None:
                return True
            if size > self._room:
                self.is_full = True
                return False
            self._room -= size
            return True

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.features"


def _place(path: Path, body: bytes) -> None:
    """Put an entry in its place, whole or not at all."""
    with storage_faults(path):
        make_folder(path.parent)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem[:8]}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(zlib.crc32(body).to_bytes(4))
                file.write(body)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _bytes_below(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*.features"):
        with contextlib.suppress(FileNotFoundError):  # another process may be replacing or deleting it
            total += path.stat().st_size
    return total


def clip_digest(samples: np.ndarray) -> str:
    """Identifies a clip by its samples (float32)."""
    return hashlib.sha256(np.ascontiguousarray(samples, np.float32).tobytes()).hexdigest()


def mel_key(digest: str, factor: float, extractor: WhisperFeatureExtractor, window: Window) -> str:
    """Key of the log-mel windows of a clip played ``factor`` times as fast."""
    kind = f"mel:{extractor.feature_size}:{extractor.n_fft}:{extractor.hop_length}:{window.mel_frames}"
    return hashlib.sha256(f"{kind}:{digest}:{factor!r}".encode()).hexdigest()


def embedding_key(mel: str, encoder: str) -> str:
    """Key of the audio embeddings of a log-mel entry, by the encoder with this fingerprint."""
    return hashlib.sha256(f"embedding:{mel}:{encoder}".encode()).hexdigest()


def encoder_fingerprint(model: VoxtralForConditionalGeneration) -> str:
    """Identifies all weights between log-mel windows and audio embeddings, and the precision they compute in."""
    digest = hashlib.blake2b(digest_size=32)
    for part in (model.model.audio_tower, model.model.multi_modal_projector):
        for name, tensor in part.state_dict().items():
            digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy())
    return digest.hexdigest()
