"""Features on disk: shared, keyed by all they depend on, damaged entries computed again."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from ownvoice.errors import StorageError
from ownvoice.model.cache import (
    ENTRY_OVERHEAD,
    FeatureStore,
    clip_digest,
    embedding_key,
    encoder_fingerprint,
    mel_key,
)
from ownvoice.model.load import Recogniser, load_recogniser

KEY = "ab" * 32


def fail() -> torch.Tensor:
    raise AssertionError("computed although it was there")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_was_computed_is_read_back_and_not_computed_again(tmp_path: Path, dtype: torch.dtype) -> None:
    features = torch.randn(2, 128, 96).to(dtype)
    FeatureStore(tmp_path).get(KEY, lambda: features)
    again = FeatureStore(tmp_path).get(KEY, fail)
    assert again.dtype == dtype
    assert torch.equal(again, features)


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "no tensor"])
def test_damaged_entry_is_computed_again_and_mended(tmp_path: Path, damage: str) -> None:
    store, features = FeatureStore(tmp_path), torch.arange(6.0)
    store.write(KEY, features)
    (path,) = (path for path in tmp_path.rglob("*") if path.is_file())
    content = path.read_bytes()
    flipped = content[:-1] + bytes([content[-1] ^ 1])
    path.write_bytes({"cut": content[:-3], "flip": flipped, "empty": b"", "no tensor": bytes(4)}[damage])
    assert store.read(KEY) is None
    assert torch.equal(store.get(KEY, lambda: features), features)
    assert torch.equal(store.get(KEY, fail), features)


def test_many_writers_of_one_entry(tmp_path: Path) -> None:
    features = torch.randn(1000)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: FeatureStore(tmp_path).get(KEY, lambda: features), range(40)))
    assert all(torch.equal(one, features) for one in found)
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1, "no temporary file is left"


def test_folder_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in the way")
    with pytest.raises(StorageError, match="a file stands where a folder is needed"):
        FeatureStore(tmp_path / "cache").get(KEY, lambda: torch.zeros(1))
    with pytest.raises(StorageError):
        FeatureStore(tmp_path / "cache").write(KEY, torch.zeros(1))


@pytest.fixture(scope="module")
def loaded(small_voxtral: Path) -> Recogniser:
    return load_recogniser(small_voxtral, device="cpu")


def test_keys_tell_clips_rates_and_encoders_apart(loaded: Recogniser) -> None:
    extractor, window = loaded.processor.feature_extractor, loaded.window
    clip = np.linspace(-0.5, 0.5, 100, dtype=np.float32)
    other = clip.copy()
    other[50] += 1 / 32768
    keys = {
        mel_key(clip_digest(samples), factor, extractor, window) for samples in (clip, other) for factor in (1, 0.9)
    }
    assert len(keys) == 4
    changed = copy.deepcopy(loaded.model)
    with torch.no_grad():
        changed.model.multi_modal_projector.linear_2.weight[0, 0] += 0.001
    prints = [encoder_fingerprint(model) for model in (loaded.model, changed, copy.deepcopy(loaded.model).bfloat16())]
    assert len({embedding_key("m", fingerprint) for fingerprint in prints}) == 3
    assert prints[0] == encoder_fingerprint(copy.deepcopy(loaded.model))
    decoder = copy.deepcopy(loaded.model)
    decoder.lm_head.weight.data.zero_()
    assert encoder_fingerprint(decoder) == prints[0], "the decoder does not change what the encoder says"


def entries(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def keys(count: int) -> list[str]:
    return [f"{number:02x}" * 32 for number in range(count)]


def test_never_holds_more_than_its_room(tmp_path: Path) -> None:
    features = torch.randn(1000)
    store = FeatureStore(tmp_path, 10_000)
    kept = [store.write(key, features) for key in keys(5)]
    assert kept == [True, True, False, False, False]
    assert store.is_full
    assert len(entries(tmp_path)) == 2
    assert sum(path.stat().st_size for path in entries(tmp_path)) <= 10_000
    assert torch.equal(store.get(keys(5)[4], lambda: features), features)
    assert len(entries(tmp_path)) == 2


def test_what_earlier_runs_left_counts(tmp_path: Path) -> None:
    features = torch.randn(1000)
    assert FeatureStore(tmp_path, 10_000).write(KEY, features)
    store = FeatureStore(tmp_path, 7_000)
    assert not store.write(keys(1)[0], features)
    assert torch.equal(store.get(KEY, fail), features), "what is there is used all the same"
    assert FeatureStore(tmp_path, 0).is_full


def test_an_entry_takes_what_is_predicted_of_it(tmp_path: Path) -> None:
    FeatureStore(tmp_path).write(KEY, torch.randn(3, 128, 3000))
    (entry,) = entries(tmp_path)
    tensor = 3 * 128 * 3000 * 4
    assert tensor < entry.stat().st_size <= tensor + ENTRY_OVERHEAD


def test_many_writers_keep_within_the_room(tmp_path: Path) -> None:
    store, features = FeatureStore(tmp_path, 50_000), torch.randn(1000)
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda key: store.write(key, features), keys(40)))
    assert sum(kept) == len(entries(tmp_path)) == 50_000 // entries(tmp_path)[0].stat().st_size


def test_full_disk_is_a_full_store(small_disk: Path) -> None:
    store, features = FeatureStore(small_disk / "cache"), torch.randn(40_000)
    assert store.write(KEY, features)
    assert torch.equal(store.get(keys(1)[0], lambda: features), features)
    assert store.is_full
    assert len(entries(small_disk / "cache")) == 1, "no torn entry is left"
