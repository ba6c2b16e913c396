"""Granary over real HTTP with the real client: streamed, cleaned, kept, gone on with after a cut, and refusals said."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.hub.app import Hub, add_repo, client_environment, running_hub
from fakes.hub.wire import Fault

NAME = "nvidia/Granary"
NOUNS = ("kettle", "window", "garden", "letter", "sweater", "teacher", "candle", "bridge", "kitten", "basket")
VERBS = ("needs", "likes", "wants", "moves", "shows", "finds", "takes", "brings", "holds", "draws")
POOR = {
    "length": "Yes please.",
    "numbers": "It was built in 1984 by them.",
    "names": "We went to see Peter last week.",
    "profanity": "This is fucking great for all.",
    "sentence": "and then we went home after",
    "characters": "They laughed [laughter] for a while.",
}
FETCH = """
import json, sys, time
from ownvoice.data.phrases import granary
from ownvoice.errors import OwnvoiceError
granary.STEP = 100
for language, seed in json.loads(sys.argv[1]):
    started = time.monotonic()
    try:
        phrases = granary.granary_phrases(language, seed=seed, count=40)
        pool = granary.granary_pool(language)
        answer = {"phrases": [phrase.__dict__ for phrase in phrases], "rows": pool.rows, "left_out": pool.left_out}
    except OwnvoiceError as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    print(json.dumps({**answer, "seconds": time.monotonic() - started}))
"""


def sentences() -> list[str]:
    """Three hundred different fit sentences, a poor one of every kind after each hundred."""
    fit = [f"The {one} {verb} a {two} today." for one in NOUNS for verb in VERBS for two in NOUNS[:3]]
    return [text for start in range(0, 300, 100) for text in [*fit[start : start + 100], *POOR.values()]]


def rows(texts: list[str], **fields: str) -> bytes:
    lines = (
        {"utt_id": f"u{n}", "audio_filepath": f"en/ytc/{n}.wav", "duration": 2.5, "text": text, **fields}
        for n, text in enumerate(texts)
    )
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def card(*configs: str, split: str = "asr") -> bytes:
    lines = [
        f"- config_name: {config}\n  data_files:\n  - split: {split}\n    path: {config}/asr.jsonl\n"
        for config in configs
    ]
    return f"---\nlicense: cc-by-4.0\nconfigs:\n{''.join(lines)}---\n# Granary\n".encode()


def granary(**files: bytes) -> dict[str, bytes]:
    """The files of Granary in miniature: a folder for each configuration."""
    return {"README.md": card(*files), **{f"{config}/asr.jsonl": content for config, content in files.items()}}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with running_hub(tmp_path / "hub") as hub:
        yield hub


def fetch(hub: Hub, home: Path, *wanted: tuple[str, int]) -> list[dict[str, Any]]:
    """What a new process, as the next start of the app is, gets for each language and seed."""
    environment = client_environment(hub, home / "hf") | {"XDG_CACHE_HOME": str(home / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", FETCH, json.dumps(wanted)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_phrases_are_cleaned_sampled_and_kept_for_a_start_without_network(hub: Hub, tmp_path: Path) -> None:
    texts = [*sentences(), *sentences()[:5]]
    add_repo(hub, "dataset", NAME, granary(en_ytc=rows(texts, dataset_source="YTC"), de=b"{}\n"))
    first, again, other = fetch(hub, tmp_path, ("en", 0), ("en", 0), ("en", 1))
    assert first["rows"] == len(texts)
    assert first["left_out"] == dict.fromkeys(POOR, 3) | {"repeated": 5}
    assert len({phrase["id"] for phrase in first["phrases"]}) == 40
    assert {phrase["text"] for phrase in first["phrases"]} <= set(texts) - set(POOR.values())
    assert {(phrase["source"], phrase["licence"]) for phrase in first["phrases"]} == {
        ("nvidia/Granary en_ytc (YTC)", "cc-by-4.0")
    }
    assert first["phrases"] == again["phrases"] != other["phrases"]
    hub.url = "http://127.0.0.1:9"  # where nobody listens
    offline, missing = fetch(hub, tmp_path, ("en", 0), ("fr", 0))
    assert offline["phrases"] == first["phrases"]
    assert missing["error"] == "HubError"
    assert "could not be reached" in missing["message"] and "built-in phrases need no network" in missing["message"]
    assert missing["seconds"] < 12


@pytest.mark.slow
def test_after_a_cut_it_goes_on_where_it_stopped(hub: Hub, tmp_path: Path) -> None:
    texts = sentences()
    heavy = granary(en_ytc=rows(texts, dataset_source="YTC", answer="x" * 60_000))
    add_repo(hub, "dataset", NAME, heavy)
    hub.faults.append(Fault("GET", r"asr\.jsonl", "cut", first=12, times=1000))
    (cut,) = fetch(hub, tmp_path, ("en", 0))
    assert cut["error"] == "HubError"
    assert "what came in until now stays" in cut["message"]
    kept = json.loads((tmp_path / "cache" / "ownvoice" / "granary" / "en.part.json").read_text())
    assert 0 < kept["rows"] < len(texts)
    hub.faults.clear()
    (whole,) = fetch(hub, tmp_path, ("en", 0))
    assert whole["rows"] == len(texts)
    assert whole["left_out"] == dict.fromkeys(POOR, 3)


@pytest.mark.slow
def test_what_the_hub_or_granary_does_not_give_is_said(hub: Hub, tmp_path: Path) -> None:
    add_repo(hub, "dataset", NAME, granary(en_ytc=rows(["Words."], sentence="renamed")))
    changed, hindi, no_config = fetch(hub, tmp_path, ("en", 0), ("hi", 0), ("de", 0))
    assert changed["error"] == "SourceError"
    assert "layout" in changed["message"] and '"dataset_source"' in changed["message"]
    assert hindi["error"] == "ConfigError" and "language 'hi'" in hindi["message"] and "bg, cs" in hindi["message"]
    assert no_config["error"] == "SourceError" and "no configuration for 'de' but en_ytc" in no_config["message"]
    hub.faults.append(Fault("GET", r"/datasets/nvidia/Granary", 401, times=1000))
    (gated,) = fetch(hub, tmp_path, ("en", 0))
    assert gated["error"] == "HubError"
    assert "ask for access on its page and log in" in gated["message"]
