"""ownvoice doctor: looks, explains, and keeps the token, the person's folders and what it hears to itself."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fakes.hub.app import Hub, add_repo
from ownvoice.cli import cli
from ownvoice.config import VOXTRAL_MINI
from ownvoice.workflow.doctor import GIGABYTE, Fit


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    secret = "hf_abcdefghijklmnopqrstuvwxyz012345"
    monkeypatch.setenv("HF_TOKEN", secret)
    return secret


def findings(*options: str) -> dict[str, dict[str, Any]]:
    """What ``doctor --json`` found, by name."""
    done = CliRunner().invoke(cli, ["doctor", "--json", *options])
    assert done.exit_code == 0, done.output
    return {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}


def test_json_names_device_memory_disk_and_what_fits() -> None:
    done = CliRunner().invoke(cli, ["doctor", "--json"])
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    names = {finding["name"]: finding for finding in found["findings"]}
    packages = {"Python", "torch", "transformers", "peft", "huggingface_hub"}
    microphones = {"browser", "microphone of the app", "microphone of dictate"}
    assert {"device", "precision", "memory", "disk", "this folder", "Hub login", "Hub"} < set(names)
    assert packages | microphones < set(names)
    assert all(finding["remedy"] for finding in names.values() if not finding["ok"])
    assert {(fit["base_model"], fit["method"]) for fit in found["fits"]} >= {
        (model, method)
        for model in ("tiny (built in)", "Voxtral-Mini-3B", "Voxtral-Small-24B")
        for method in ("lora", "full")
    }
    assert all(fit["fits"] or fit["remedy"] for fit in found["fits"])


def test_tables_hold_the_same() -> None:
    text = CliRunner().invoke(cli, ["doctor"]).stdout
    assert "Voxtral-Small-24B" in text and "tiny (built in)" in text and "GB free" in text


@pytest.mark.parametrize("arguments", [["doctor"], ["doctor", "--json"]])
def test_a_login_is_told_and_the_token_never(token: str, arguments: list[str]) -> None:
    done = CliRunner().invoke(cli, arguments)
    assert "present" in done.stdout
    assert token not in done.output and token[:8] not in done.output


def test_it_can_be_shown_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = tmp_path / "anna-nowak"
    private.mkdir()
    monkeypatch.chdir(private)
    assert "nowak" not in CliRunner().invoke(cli, ["doctor", "--json"]).stdout


def test_the_hub_is_asked_when_that_is_wished_and_says_what_the_token_may_do(local_hub: Hub) -> None:
    assert findings()["Hub"]["value"] == "not asked"
    assert local_hub.requests() == []
    found = findings("--hub")["Hub"]
    assert found["ok"] and found["value"] == "Logged in as anna. This access token may write to: anna, clinic."


def test_a_token_that_the_hub_does_not_know(local_hub: Hub, token: str) -> None:
    found = findings("--hub")["Hub"]
    assert not found["ok"] and "does not accept this access token" in found["value"]
    assert "hf auth login" in found["remedy"] and token not in json.dumps(found)


def test_without_a_token_the_hub_is_asked_for_the_base_model(
    local_hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    add_repo(local_hub, "model", VOXTRAL_MINI, {"config.json": b"{}"})
    found = findings("--hub")
    assert found["Hub login"]["value"] == "none" and found["Hub"]["value"] == "answers"


def test_a_hub_that_is_not_there(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    found = findings("--hub")["Hub"]
    assert not found["ok"] and "could not be made" in found["value"] and found["remedy"] == "Check the connection."


def test_a_microphone_is_heard(card: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PATH", "ALSA_CONFIG_PATH"):
        monkeypatch.setenv(name, card[name])
    assert findings()["microphone of dictate"] == {
        "name": "microphone of dictate", "value": "arecord hears", "ok": True, "remedy": "",
    }  # fmt: skip


def test_a_microphone_that_is_missing(card: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "asound.conf").write_text('pcm.!default { type hw card "none" }\n')
    for name in ("PATH", "ALSA_CONFIG_PATH"):
        monkeypatch.setenv(name, card[name])
    found = findings()["microphone of dictate"]
    assert not found["ok"] and found["value"].startswith("arecord: ") and "Plug a microphone in" in found["remedy"]


def test_no_program_that_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = findings()["microphone of dictate"]
    assert found["ok"] and "Install one" in found["remedy"], "the app works without it"


def test_packages_that_are_too_old_or_missing_are_told_with_their_mend(tmp_path: Path) -> None:
    """ownvoice's own metadata, made to ask for more than there is."""
    metadata = tmp_path / "ownvoice-0.dist-info"
    metadata.mkdir()
    asked = ["peft>=900", "nowhere-to-be-found>=1", "numpy>=2", "gradio>=900; extra == 'space'"]
    asked += ["nibbles>=1; extra == 'quantise'"]
    lines = ["Metadata-Version: 2.4", "Name: ownvoice", "Version: 0", *(f"Requires-Dist: {one}" for one in asked)]
    (metadata / "METADATA").write_text("\n".join(lines) + "\n")
    assert PathDistribution(metadata).requires == asked
    command = [sys.executable, "-m", "ownvoice", "doctor", "--json"]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(tmp_path), "PATH": ""}, capture_output=True, text=True, timeout=60, check=True
    )
    found = {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert not found["peft"]["ok"] and "but >=900 is needed" in found["peft"]["value"]
    assert found["nowhere-to-be-found"]["value"] == "missing"
    assert found["nowhere-to-be-found"]["remedy"] == 'pip install "nowhere-to-be-found>=1"'
    assert found["nibbles"]["ok"] and "ownvoice[quantise]" in found["nibbles"]["remedy"]
    assert "gradio" not in found and found["other packages"]["value"] == "1 as they should be"


@pytest.mark.parametrize(
    ("needed", "on_card", "remedy"),
    [
        (10, 6, ""),
        (15, 9, "Close other programs"),
        (23, 13, "Use a GPU with 16 GB."),
        (100, 100, "Use a GPU with 141 GB."),
        (400, 200, "Too large"),
    ],
)
def test_what_does_not_fit_names_what_would_do(needed: int, on_card: int, remedy: str) -> None:
    fit = Fit("a model", "lora", needed * GIGABYTE, 12 * GIGABYTE, 16 * GIGABYTE, on_card * GIGABYTE)
    assert fit.fits == (not remedy)
    assert fit.remedy.startswith(remedy)
