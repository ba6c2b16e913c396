"""ownvoice demo: the whole way, and nothing overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ownvoice.cli import cli
from ownvoice.data.manifest import read_manifest
from ownvoice.rundir import VoiceFolder


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_halves_the_errors_and_takes_a_fresh_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    occupied = tmp_path / "voices" / "demo"
    occupied.mkdir(parents=True)
    done = CliRunner().invoke(cli, ["demo", "--seed", "1", "--json"])
    assert done.exit_code == 0, done.output
    made = json.loads(done.stdout)
    assert made["voice"] == "voices/demo-2"
    assert list(occupied.iterdir()) == []
    assert len(read_manifest(VoiceFolder(Path(made["voice"]))).utterances) >= 120
    assert Path(made["report"]).read_text().startswith("<!DOCTYPE html>")
    base, tuned = made["evaluation"]["base"], made["evaluation"]["tuned"]
    assert base["wer"] >= 0.4
    assert tuned["wer"] <= base["wer"] / 2
    assert tuned["wer_high"] < base["wer_low"]


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["demo", str(tmp_path)])
    assert done.exit_code == 2
    assert "there is something here already" in done.stderr
    assert list(tmp_path.iterdir()) == []
