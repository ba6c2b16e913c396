"""What the commands write about a person is for that person's eyes alone, whatever the system's habit (umask) is."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from bad_place import Place, run

from small_voxtral import murmur

PERSONAL = {".wav", ".jsonl", ".yaml", ".json", ".html", ".txt", ".features", ".safetensors"}
"""Endings of files that hold a voice, words, or what was made of them."""

OF_A_LIBRARY = {"adapter_config.json", "state.json"}
"""Settings and counters without a word of a person's, written by libraries as they like, in folders nobody enters."""


def open_to_others(folder: Path) -> list[str]:
    return sorted(
        f"{path.relative_to(folder.parent)} {path.stat().st_mode & 0o777:o}"
        for path in (folder, *folder.rglob("*"))
        if path.stat().st_mode & 0o077
        and (path.is_dir() or (path.suffix in PERSONAL and path.name not in OF_A_LIBRARY))
    )


def clips(place: Place, count: int) -> str:
    for number in range(count):
        samples: np.ndarray = murmur(0.9, seed=number)
        place.clip(f"in/{number}.wav", samples)
        place.write(f"in/{number}.txt", f"tea please {number}")
    return str(place.folder / "in")


def test_nobody_else_can_look_into_a_voice_from_its_import_to_its_evaluation(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    usual = os.umask(0)  # of a careless system: what is not said is open to everybody
    try:
        assert run(["import", clips(place, 12), "voices/me"]).exit_code == 0
        trained = run(["train", "voices/me", "--base-model", str(place.model), "--epochs", "1"])
        assert trained.exit_code == 0, trained.output
        made = next(Path("voices/me/runs").iterdir())
        assert run(["evaluate", str(made)]).exit_code == 0
    finally:
        os.umask(usual)
    assert open_to_others(Path("voices")) == []
    assert (made / "evaluation.html").is_file()
