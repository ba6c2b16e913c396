"""Somebody who finds what is on the local Hub: a new process with an empty cache and a token of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fakes.hub.app import Hub, Token, client_environment

FINDS = """
import io, json, re, sys
from pathlib import Path

import soundfile
from datasets import Audio, load_dataset
from huggingface_hub import hf_hub_download

voice = load_dataset(sys.argv[1])
test = voice["test"].cast_column("audio", Audio(decode=False))
texts = {}
for number, row in enumerate(test):
    sound = row["audio"]["bytes"] or Path(row["audio"]["path"]).read_bytes()
    samples, rate = soundfile.read(io.BytesIO(sound))
    assert rate == 16000 and abs(len(samples) / rate - row["duration"]) < 0.01
    Path(f"{number}.wav").write_bytes(sound)
    texts[f"{number}.wav"] = row["text"]
Path("recording.wav").write_bytes(Path("0.wav").read_bytes())
said = {"rows": {name: len(rows) for name, rows in voice.items()}, "columns": voice["train"].column_names}
for repo in sys.argv[2:]:
    card = Path(hf_hub_download(repo, "README.md")).read_text()
    (snippet,) = re.findall(r"```python\\n(.*?)```", card, re.S)
    names = {}
    exec(snippet, names)
    said[repo] = [[text, names["transcribe"](name)] for name, text in texts.items()]
print(json.dumps(said))
"""


def stand_in_for_torchcodec(folder: Path) -> Path:
    """``datasets`` will not read a folder of sound without torchcodec, which needs FFmpeg; it uses none of it here."""
    (folder / "torchcodec").mkdir(parents=True)
    for name, content in (
        ("__init__", ""),
        ("encoders", "class AudioEncoder: ..."),
        ("decoders", "class AudioDecoder: ...\nclass VideoDecoder: ..."),
    ):
        (folder / "torchcodec" / f"{name}.py").write_text(content + "\n")
    return folder


def find(hub: Hub, folder: Path, dataset: str, models: Sequence[str]) -> dict[str, Any]:
    """Load the data set and run the example on each model's card on its test recordings.

    ``{"rows": {split: count}, "columns": [...], MODEL: [[text, transcript], ...]}``
    """
    hub.add_token(Token("hf_finder", "ben", "read"))
    place = folder / "elsewhere"
    place.mkdir()
    environment = client_environment(hub, folder / "empty", "hf_finder")
    paths = [str(stand_in_for_torchcodec(folder / "stand-in")), os.environ.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    done = subprocess.run(
        [sys.executable, "-c", FINDS, dataset, *models],
        env=environment,
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
