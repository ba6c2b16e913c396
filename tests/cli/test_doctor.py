"""ownvoice doctor: looks, explains, and keeps the token to itself."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from ownvoice.cli import cli
from ownvoice.doctor import GIGABYTE, Fit


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    secret = "hf_abcdefghijklmnopqrstuvwxyz012345"
    monkeypatch.setenv("HF_TOKEN", secret)
    return secret


def test_json_names_device_memory_disk_and_what_fits() -> None:
    done = CliRunner().invoke(cli, ["doctor", "--json"])
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    names = {finding["name"]: finding for finding in found["findings"]}
    assert {"Python", "torch", "transformers", "peft", "device", "precision", "memory", "disk", "Hub login"} <= set(
        names
    )
    assert {(fit["base_model"], fit["method"]) for fit in found["fits"]} == {
        (model, method) for model in ("Voxtral-Mini-3B", "Voxtral-Small-24B") for method in ("lora", "full")
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


@pytest.mark.parametrize(
    ("needed", "remedy"), [(10, ""), (23, "Use a GPU with 24 GB."), (100, "Use a GPU with 141 GB."), (400, "Too large")]
)
def test_what_does_not_fit_names_the_smallest_card_that_would(needed: int, remedy: str) -> None:
    fit = Fit("a model", "lora", needed * GIGABYTE, 12 * GIGABYTE)
    assert fit.fits == (not remedy)
    assert fit.remedy.startswith(remedy)
