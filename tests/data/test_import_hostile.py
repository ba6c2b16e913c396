"""Broken, careless and hostile sources: one clear message, nothing written outside, and good clips still come in."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ownvoice.data.importers import import_recordings
from ownvoice.data.importers.scratch import scratch_folder
from ownvoice.data.manifest import append_utterances, read_manifest
from ownvoice.data.utterance import Utterance
from ownvoice.errors import DataError, StorageError
from ownvoice.rundir import VoiceFolder
from sources import bring, put, reasons, record, refused, texts

# Tables


def test_columns_present_and_the_options_are_named(folder: Path, voice: VoiceFolder) -> None:
    message = refused(
        put(folder / "t.csv", "Nummer,Anmerkung\ngood.wav,hello\n"), voice, "its columns are: Nummer, Anmerkung"
    )
    assert "--audio-column" in message and "--text-column" in message


def test_a_column_asked_for_that_is_not_there(folder: Path, voice: VoiceFolder) -> None:
    table = put(folder / "t.csv", "path,text\ngood.wav,hello\n")
    refused(table, voice, "no column 'words'; its columns are: path, text", text_column="words")


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.jsonl"])
@pytest.mark.parametrize("content", ["", "\ufeff", "\n \n"])
def test_an_empty_table(folder: Path, voice: VoiceFolder, name: str, content: str) -> None:
    refused(put(folder / name, content), voice, f"{name}: is empty")


def test_a_table_of_empty_cells(folder: Path, voice: VoiceFolder) -> None:
    refused(put(folder / "t.csv", ',,\n"","",\n'), voice, "t.csv: is empty")


def test_a_table_with_names_alone(folder: Path, voice: VoiceFolder) -> None:
    refused(put(folder / "t.csv", "path,text\n"), voice, "has no lines below its first")


def test_two_columns_of_one_name(folder: Path, voice: VoiceFolder) -> None:
    refused(put(folder / "t.csv", "path,text,text\ngood.wav,a,b\n"), voice, "two columns called 'text'")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1"])
def test_other_encodings_are_named_not_guessed(folder: Path, voice: VoiceFolder, encoding: str) -> None:
    table = put(folder / "t.csv", "path,text\ngood.wav,mañana\n".encode(encoding))
    assert "UTF-8" in refused(table, voice, r"t\.csv: is not UTF-8 text")


def test_a_transcript_in_another_encoding_leaves_out_that_one(folder: Path, voice: VoiceFolder) -> None:
    put(folder / "good.txt", "mañana")
    put(folder / "bad.txt", "mañana".encode("latin-1"))
    record(folder / "bad.wav", 2)
    result = bring(folder, voice)
    assert texts(result) == ["mañana"]
    assert reasons(result) == {"bad.txt": "is not UTF-8 text (line 1)"}


def test_bad_json_lines_are_left_out_by_number(folder: Path, voice: VoiceFolder) -> None:
    good = json.dumps({"audio": "good.wav", "text": "hello"})
    bad = ['{"audio": "good.wav", "text"', "[1, 2]", '"words"', "[" * 100_000, "1" * 5000, '{"audio": "good.wav"}']
    bad += [json.dumps({"audio": audio, "text": text}) for audio, text in ((3, "x"), (None, "x"), ("good.wav", ["x"]))]
    bad += ['{"audio": "good.wav", "text": "half \\ud800"}', '{"audio": "a\\u0000b", "text": "x"}']
    result = bring(put(folder / "t.jsonl", "\n".join([*bad, good])), voice)
    assert texts(result) == ["hello"]
    assert [clip.line for clip in result.left_out] == list(range(1, len(bad) + 1))
    assert all("\n" not in str(clip) and clip.reason for clip in result.left_out)


def test_json_of_another_shape(folder: Path, voice: VoiceFolder) -> None:
    refused(put(folder / "t.jsonl", '[{"audio": "good.wav", "text": "x"}]'), voice, "holds no JSON object.*line 1")


@pytest.mark.parametrize("row", ["a.wav,Hello, world", 'a.wav,"so",said'])
def test_a_comma_outside_quotes_loses_no_words_unsaid(folder: Path, voice: VoiceFolder, row: str) -> None:
    record(folder / "a.wav", 2)
    result = bring(put(folder / "t.csv", f"path,text\n{row}\ngood.wav,hello\n"), voice)
    assert texts(result) == ["hello"]
    assert result.left_out[0].line == 2 and "3 fields and the table 2" in result.left_out[0].reason


def test_a_quotation_mark_never_closed(folder: Path, voice: VoiceFolder) -> None:
    rows = 'path,text\ngood.wav,one\ngood.wav,"two\ngood.wav,three\n'
    refused(put(folder / "t.csv", rows), voice, "line 3 cannot be read")


def test_rows_cut_short_or_naming_what_is_no_file(folder: Path, voice: VoiceFolder) -> None:
    (folder / "deep").mkdir()
    os.mkfifo(folder / "pipe.wav")
    names = ["good.wav", ",words", "deep,words", ".,words", "missing.wav,words", f"{'a' * 5000}.wav,words"]
    result = bring(put(folder / "t.csv", "\n".join(["path,text", *names, "pipe.wav,words", "good.wav,words"])), voice)
    assert texts(result) == ["words"]
    assert [clip.reason for clip in result.left_out] == [
        "has no text",
        "'path' names no file",
        "is a folder, not an audio file",
        "is a folder, not an audio file",
        "there is no such file",
        "there is no such file",
        "there is no such file",
    ]


def test_a_table_found_in_a_folder_reaches_nothing_outside_it(folder: Path, voice: VoiceFolder) -> None:
    private = record(folder.parent / "private.wav", 5)
    (folder / "link.wav").symlink_to(private)
    (folder / "linked").symlink_to(folder.parent)
    rows = ["../private.wav,x", f"{private},x", "link.wav,x", "linked/private.wav,x", "C:/private.wav,x", "..,x"]
    put(folder / "metadata.csv", "\n".join(["file_name,text", *rows, "sub/../good.wav,fine"]))
    result = bring(folder, voice)
    assert texts(result) == ["fine"]
    outside, missing = "leads out of the folder; only files in it are imported", "there is no such file"
    assert [clip.reason for clip in result.left_out] == [
        *(outside, outside, missing, missing, outside, outside),
        *(
            "is a link to a folder; give that folder itself",
            "is a link to a file outside the folder; copy that file here",
        ),
    ]


def test_several_tables_must_be_chosen_from(folder: Path, voice: VoiceFolder) -> None:
    for name in ("a.csv", "b.tsv"):
        put(folder / name, "path\ttext\n")
    refused(folder, voice, "holds several tables: a.csv, b.tsv")
    for name in ("metadata.csv", "metadata.jsonl"):
        put(folder / name, "")
    refused(folder, voice, "holds several tables: metadata.csv, metadata.jsonl")


# Sound


def test_unreadable_audio_among_good(folder: Path, voice: VoiceFolder) -> None:
    record(folder / "cut.wav", 2)
    put(folder / "cut.wav", (folder / "cut.wav").read_bytes()[:3000])
    put(folder / "empty.wav", b"")
    put(folder / "words.wav", "these are no samples")
    record(folder / "last.flac", 3)
    names = ["cut.wav", "good.wav", "empty.wav", "words.wav", "last.flac"]
    result = bring(put(folder / "t.csv", "\n".join(["path,text", *(f"{name},{name}" for name in names)])), voice)
    assert texts(result) == ["good.wav", "last.flac"]
    assert {name: reason.split(":")[0] for name, reason in reasons(result).items()} == {
        "cut.wav": "is cut off",
        "empty.wav": "is empty (0 bytes)",
        "words.wav": "is not an audio file, or only a part of one",
    }
    assert sorted(path.name for path in voice.wavs.glob("*.wav")) == ["0001.wav", "0002.wav"]


def test_nothing_usable_lists_everything_and_leaves_no_voice(folder: Path, voice: VoiceFolder) -> None:
    put(folder / "t.csv", "\n".join(["path,text", *(f"{number}.wav,words" for number in range(25))]))
    message = refused(folder / "t.csv", voice, "nothing could be imported")
    assert "19.wav (line 21): there is no such file" in message and "and 5 more" in message


def test_nothing_usable_leaves_an_older_voice_as_it_was(folder: Path, voice: VoiceFolder) -> None:
    put(folder / "good.txt", "hello")
    bring(folder, voice)
    put(folder / "only.jsonl", '{"audio": "gone.wav", "text": "x"}')
    refused(folder / "only.jsonl", voice, "gone.wav .line 1.: there is no such file")


@pytest.mark.parametrize("name", ["song.wav", "notes.docx", "data.tar.gz", "data.parquet"])
def test_a_file_that_is_no_source(folder: Path, voice: VoiceFolder, name: str) -> None:
    refused(put(folder / name, b"something"), voice, "cannot be imported by itself")


@pytest.mark.parametrize("name", ["nowhere", "a" * 5000, "no\0where", ""])
def test_a_source_that_is_not_there(voice: VoiceFolder, name: str) -> None:
    refused(f"/nonexistent/{name}", voice, "there is no such file or folder")


def test_folders_with_nothing_to_import(folder: Path, voice: VoiceFolder) -> None:
    refused(folder, voice, "good.wav: has no transcript")
    (folder / "good.wav").unlink()
    refused(folder, voice, "holds no audio file and no table")
    put(folder / "words.txt", "hello")
    refused(folder, voice, "holds no audio file and no table")


# Interruptions


def import_and_die(source: Path, voice: VoiceFolder, after: int) -> None:
    """Import in a process of its own that kills itself while the clip ``after`` is being saved."""
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from ownvoice.data.importers import import_recordings; from ownvoice.rundir import VoiceFolder\n"
        "folder, fsync, after = Path(sys.argv[2]), os.fsync, int(sys.argv[3])\n"
        "def deadly(descriptor):\n"
        "    fsync(descriptor)\n"
        "    if len(list(folder.glob('wavs/*.wav'))) >= after: os.kill(os.getpid(), signal.SIGKILL)\n"
        "os.fsync = deadly\n"
        "import_recordings(sys.argv[1], VoiceFolder(folder))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(source), str(voice.path), str(after)], check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("after", [1, 3])
def test_killed_in_the_middle_then_imported_again(folder: Path, voice: VoiceFolder, after: int) -> None:
    for number in range(6):
        record(folder / f"{number}.wav", 10 + number)
        put(folder / f"{number}.txt", f"words {number}")
    import_and_die(folder, voice, after)
    if voice.manifest.exists():
        assert all((voice.path / utterance.audio_path).is_file() for utterance in read_manifest(voice).utterances)
    bring(folder, voice)
    assert sorted(utterance.text for utterance in read_manifest(voice).utterances) == [f"words {n}" for n in range(6)]


def test_what_a_killed_import_was_decoding_is_deleted_and_what_a_living_one_is_is_not(
    folder: Path, voice: VoiceFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    record(folder / "1.wav", 1)
    put(folder / "1.txt", "words")
    import_and_die(folder, voice, 1)
    assert len(list(temporary.glob("*/clip.wav"))) == 1, "the voice of somebody"
    with scratch_folder() as at_work:
        (at_work / "clip.wav").write_bytes(b"sound")
        for left in temporary.iterdir():
            os.utime(left, (0, 0))  # of long ago
        bring(folder, voice)
        assert list(temporary.iterdir()) == [at_work]
        assert (at_work / "clip.wav").is_file()
    assert list(temporary.iterdir()) == []


def test_a_voice_that_cannot_be_made(folder: Path) -> None:
    put(folder / "good.txt", "hello")
    blocked = put(folder.parent / "file", "")
    with pytest.raises(StorageError, match="a file stands where a folder is needed"):
        import_recordings(str(folder), VoiceFolder(blocked / "anna"))
    assert blocked.read_bytes() == b""


def test_a_voice_whose_name_is_too_long(folder: Path) -> None:
    put(folder / "good.txt", "hello")
    with pytest.raises(StorageError, match="the name is too long"):
        import_recordings(str(folder), VoiceFolder(folder / ("a" * 5000)))


def test_a_full_disk_leaves_every_line_with_its_recording(folder: Path, voice: VoiceFolder) -> None:
    """No file may grow beyond 20 kB: the third, longer recording does not fit."""
    for number, seconds in ((1, 0.3), (2, 0.3), (3, 2.0)):
        record(folder / f"{number}.wav", number, seconds=seconds)
        put(folder / f"{number}.txt", f"words {number}")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))  # python ignores the signal, so writing fails
    try:
        with pytest.raises(StorageError):
            import_recordings(str(folder), voice)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [utterance.text for utterance in read_manifest(voice).utterances] == ["words 1", "words 2"]
    assert sorted(path.name for path in voice.wavs.glob("*.wav")) == ["0001.wav", "0002.wav"]


def test_a_line_that_cannot_be_written_takes_its_recording_back(folder: Path, voice: VoiceFolder) -> None:
    record(voice.wavs / "0001.wav", 2)
    append_utterances(voice, [Utterance("wavs/0001.wav", "long " * 5000)])
    put(folder / "good.txt", "hello")
    before = voice.manifest.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limits[1]))
    try:
        with pytest.raises(StorageError):
            import_recordings(str(folder), voice)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert voice.manifest.read_bytes() == before
    assert [path.name for path in voice.wavs.glob("*.wav")] == ["0001.wav"]


def test_a_voice_whose_own_table_is_broken_is_not_written_to(folder: Path, voice: VoiceFolder) -> None:
    put(folder / "good.txt", "hello")
    put(voice.manifest, '{"audio_path": "../up.wav", "text": "x"}\n')
    with pytest.raises(DataError, match="line 1"):
        import_recordings(str(folder), voice)
    assert sorted(path.name for path in voice.path.iterdir()) == ["data.jsonl"]
