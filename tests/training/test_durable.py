"""Folders appear whole or not at all; a full disk is told plainly; a run is held by one process."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from ownvoice.errors import StorageError
from ownvoice.rundir import RunFolder
from ownvoice.training.durable import clear_remains, locked, place_folder


def fill_with(text: str):  # type: ignore[no-untyped-def]
    return lambda folder: (folder / "file").write_text(text)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_folder_is_made_and_replaced(tmp_path: Path) -> None:
    final = tmp_path / "below" / "model"
    place_folder(final, fill_with("first"))
    place_folder(final, fill_with("second"))
    assert (final / "file").read_text() == "second"
    assert names(final.parent) == ["model"]


def full_disk(folder: Path) -> None:
    (folder / "half").write_text("half")
    with Path("/dev/full").open("w") as file:
        file.write("x")


def full_disk_in_safetensors(folder: Path) -> None:
    # safetensors' words on a full file system (0.8), which cannot be had here without mounting one
    raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")


@pytest.mark.parametrize("fill", [full_disk, full_disk_in_safetensors])
def test_full_disk_leaves_what_was_there(tmp_path: Path, fill) -> None:  # type: ignore[no-untyped-def]
    final = tmp_path / "model"
    place_folder(final, fill_with("first"))
    with pytest.raises(StorageError, match="the disk is full"):
        place_folder(final, fill)
    assert (final / "file").read_text() == "first"
    assert names(tmp_path) == ["model"]


def test_other_faults_pass_unchanged_and_leave_nothing(tmp_path: Path) -> None:
    def shared(folder: Path) -> None:
        tensor = torch.zeros(2)
        save_file({"a": tensor, "b": tensor}, folder / "t.safetensors")  # safetensors refuses shared memory

    with pytest.raises(RuntimeError, match="share memory"):
        place_folder(tmp_path / "model", shared)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (["model", ".model.new-x"], ["model"]),  # killed while filling
        ([".model.old", ".model.new-x"], ["model"]),  # killed between the two renames
        (["model", ".model.old"], ["model"]),  # killed before the old one was removed
        ([".model.new-x"], []),  # killed while filling the first
    ],
)
def test_remains_of_a_killed_process_are_cleared(tmp_path: Path, left: list[str], expected: list[str]) -> None:
    for name in left:
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    clear_remains(tmp_path / "model")
    assert names(tmp_path) == expected
    if expected:
        assert (tmp_path / "model" / "file").read_text() in {"model", ".model.old"}


def test_run_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with locked(run), pytest.raises(StorageError, match="another process is training this run"), locked(run):
        pass
    with locked(run):
        pass


def test_lock_in_a_folder_that_is_gone(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.write_text("a file")
    with pytest.raises(StorageError, match="a file stands where a folder is needed"), locked(run):
        pass
