"""Data sets stream in from a Hub over real HTTP, and from nowhere else; refusals end in plain words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from fakes.hub.app import Hub, Token, add_repo, running_hub
from ownvoice.data.importers import import_recordings
from ownvoice.data.importers.columns import Wanted
from ownvoice.data.importers.hub import Origin, stream_dataset
from ownvoice.data.importers.source import Clip, read_content
from ownvoice.errors import SourceError, UsageError
from ownvoice.rundir import VoiceFolder
from sources import pack, put, record

IMPORT_ALL = """
import json, sys
from pathlib import Path
from ownvoice.data.importers import import_recordings
from ownvoice.errors import OwnvoiceError
from ownvoice.rundir import VoiceFolder
outcomes = []
for number, (source, options) in enumerate(json.loads(sys.argv[1])):
    voice = VoiceFolder(Path(f"voice{number}"))
    try:
        result = import_recordings(source, voice, **options)
        outcome = {"texts": [utterance.text for utterance in result.added], "read_as": result.read_as}
        outcome |= {"languages": [utterance.language for utterance in result.added], "warnings": result.warnings}
        outcome |= {"left_out": [str(clip) for clip in result.left_out]}
        outcome |= {"sources": [utterance.source for utterance in result.added]}
    except OwnvoiceError as error:
        outcome = {"error": type(error).__name__, "message": str(error)}
    outcome["lines"] = len(voice.manifest.read_text().splitlines()) if voice.manifest.exists() else 0
    outcome["made"] = voice.path.exists()
    outcomes.append(outcome)
print(json.dumps(outcomes))
"""


def import_in_a_process(
    tmp_path: Path, environment: dict[str, str], *wanted: tuple[str, dict[str, str]]
) -> list[dict[str, Any]]:
    """Import each source into a voice of its own; the Hub's address is read once a process, so it is a new one."""
    home = {"HF_HOME": str(tmp_path / "home"), "HF_TOKEN": "hf_secret", "HF_HUB_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, json.dumps(wanted)],
        env={**os.environ, **home, **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "hf_secret" not in done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def parquet(path: Path, rows: list[dict[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    audio = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    types = {"audio": audio, "speech": audio}
    columns = {name: pyarrow.array([row[name] for row in rows], type=types.get(name)) for name in rows[0]}
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


def sound(seed: int, folder: Path) -> dict[str, object]:
    return {"bytes": record(folder / f"{seed}.wav", seed).read_bytes(), "path": f"{seed}.wav"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with running_hub(tmp_path / "stored") as hub:
        hub.add_token(Token("hf_secret", "anna"))
        yield hub


def push(hub: Hub, folder: Path) -> str:
    """Put ``folder`` there as the data set ``anna/FOLDER`` and return its revision."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return add_repo(hub, "dataset", f"anna/{folder.name}", files).commits[-1].oid


def refuse(hub: Hub, path: str, status: int, **headers: str) -> None:
    for method in ("GET", "HEAD"):
        hub.fail(method, path, status, times=1000, headers=headers)


@pytest.mark.slow
def test_data_sets_of_every_shape(hub: Hub, tmp_path: Path) -> None:
    sets, made = tmp_path / "sets", tmp_path / "made"
    for number in (1, 2):
        record(sets / "folder" / "clips" / f"{number}.wav", number)
    rows = "file_name,transcription\nclips/1.wav,Hello\nclips/2.wav,\nclips/9.wav,Gone\n"
    put(sets / "folder" / "metadata.csv", rows)
    revision = push(hub, sets / "folder")
    (sets / "zipped").mkdir()
    pack(sets / "folder", sets / "zipped" / "all.zip")
    private = str(record(tmp_path / "private.wav", 7))
    elsewhere = f"hf://datasets/anna/folder@{revision}/clips/1.wav"
    held = [sound(1, made), {"bytes": None, "path": private}, {"bytes": None, "path": elsewhere}, None, sound(2, made)]
    spoken = [{"audio": audio, "sentence": f"row {n}", "language": "es"} for n, audio in enumerate(held, 1)]
    parquet(sets / "rows" / "train.parquet", spoken)
    for split in ("train", "test"):
        table = [{"speech": sound(3, made), "text": split, "said": f"said in {split}"}]
        parquet(sets / "splits" / f"{split}.parquet", table)
    put(sets / "text" / "data.csv", "a,b\n1,2\n")
    for name in ("zipped", "rows", "splits", "text"):
        push(hub, sets / name)
    folder, zipped, table, split, said, several, no_split, no_sound, no_column = import_in_a_process(
        tmp_path,
        {"HF_ENDPOINT": hub.url},
        ("hub:anna/folder", {}),
        ("hub:anna/zipped", {}),
        ("hub:anna/rows", {"language": "en"}),
        ("hub:anna/splits::test", {}),
        ("hub:anna/splits:default:train", {"text_column": "said", "audio_column": "speech"}),
        ("hub:anna/splits", {}),
        ("hub:anna/splits::dev", {}),
        ("hub:anna/text", {}),
        ("hub:anna/splits::test", {"audio_column": "said"}),
    )
    assert {seen.token for seen in hub.seen} == {"hf_secret"}
    for outcome in (folder, zipped):
        assert outcome["texts"] == ["Hello"]
        assert outcome["left_out"] == [
            "2.wav (line 2): has no text",
            "9.wav (line 3): there is no such file in the data set",
        ]
    assert folder["sources"] == ["hub:anna/folder/1.wav"]
    assert folder["read_as"] == ["hub:anna/folder: audio from 'audio', text from 'transcription'"]
    assert (table["texts"], table["languages"]) == (["row 1", "row 5"], [None, None])
    refusal = "names a file outside the data set, which is not opened"
    assert table["left_out"] == [
        f"private.wav (line 2): {refusal}",
        f"1.wav (line 3): {refusal}",
        "row 4 (line 4): holds no sound",
    ]
    assert (split["texts"], said["texts"]) == (["test"], ["said in train"])
    choices = "Choose one: hub:anna/splits::train, hub:anna/splits::test"
    assert several["message"] == f"hub:anna/splits: has several splits\n{choices}"
    assert no_split["message"] == f"hub:anna/splits::dev: has no split 'dev'\n{choices}"
    assert "holds no column of sound" in no_sound["message"]
    assert no_column["message"].endswith("column 'said' holds no sound\nColumns of sound: speech.")
    assert not several["made"] and not no_split["made"] and not no_sound["made"]


def test_streaming_needs_no_hub(tmp_path: Path) -> None:
    """The same rows from a data set on disk, in this process: bytes in a table, and files beside one."""
    import datasets

    parquet(tmp_path / "rows" / "train.parquet", [{"audio": sound(1, tmp_path), "text": "held"}])
    record(tmp_path / "folder" / "a.wav", 2)
    put(tmp_path / "folder" / "metadata.csv", "file_name,sentence\na.wav,beside\na.wav,\n")
    for kind, expected in (("rows", ["held"]), ("folder", ["beside", "has no text"])):
        folder = str(tmp_path / kind)
        loader = {"path": folder} if kind == "rows" else {"path": "audiofolder", "data_dir": folder}
        source = stream_dataset(
            datasets.load_dataset(**loader, split="train", streaming=True), Wanted(), Origin(kind, folder, None)
        )
        found = list(source.found)
        assert [clip.text if isinstance(clip, Clip) else clip.reason for clip in found] == expected
        assert isinstance(found[0], Clip)
        assert read_content(found[0].audio, "").startswith(b"RIFF")
    with pytest.raises(SourceError, match="outside the data set"):
        Origin("rows", str(tmp_path / "rows"), None).open(str(tmp_path / "folder" / "a.wav"))


@pytest.mark.slow
def test_refusals_are_plain_and_what_came_in_stays(hub: Hub, tmp_path: Path) -> None:
    refuse(hub, "/anna/private", 401)
    refuse(hub, "/anna/gated", 403, **{"X-Error-Code": "GatedRepo"})
    refuse(hub, "/anna/closed", 403)
    refuse(hub, "clips/3.wav", 403)
    broken = tmp_path / "broken"
    for number in (1, 2, 3):
        record(broken / "clips" / f"{number}.wav", number)
    rows = "\n".join(f"clips/{number}.wav,words {number}" for number in (1, 2, 3))
    put(broken / "metadata.csv", f"file_name,text\n{rows}\n")
    push(hub, broken)
    push(hub, put(tmp_path / "picture" / "a.xyz", "").parent)
    names = ("private", "gated", "closed", "missing", "broken", "picture")
    *refused, broken_off, picture = import_in_a_process(
        tmp_path, {"HF_ENDPOINT": hub.url}, *((f"hub:anna/{name}", {}) for name in names)
    )
    for outcome in refused:
        assert outcome["error"] == "HubError"
        assert "there is no such data set, or this account may not read it" in outcome["message"]
        assert "hf auth login" in outcome["message"] and "http" not in outcome["message"]
        assert not outcome["made"]
    assert (broken_off["error"], broken_off["lines"]) == ("HubError", 2)
    assert (picture["error"], picture["made"]) == ("SourceError", False)


@pytest.mark.slow
def test_offline(tmp_path: Path) -> None:
    (outcome,) = import_in_a_process(tmp_path, {"HF_HUB_OFFLINE": "1"}, ("hub:anna/folder", {}))
    assert outcome["error"] == "HubError"
    assert "the Hugging Face Hub could not be reached" in outcome["message"]


@pytest.mark.parametrize("spec", ["hub:", "hub:anna", "hub:anna/b/c", "hub:../up", "hub:a/b:c:d:e"])
def test_addresses_of_the_wrong_form(tmp_path: Path, spec: str) -> None:
    with pytest.raises(UsageError):
        import_recordings(spec, VoiceFolder(tmp_path / "voice"))


def test_a_folder_of_that_name_is_not_read_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "anna" / "folder" / "metadata.csv", "file_name,text\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="hides the data set"):
        import_recordings("hub:anna/folder", VoiceFolder(tmp_path / "voice"))
