"""Files in pieces, matched with their words and saved once: nothing shifts, nothing is lost or doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from ownvoice.data.check import check_voice
from ownvoice.data.importers.source import LeftOut
from ownvoice.data.manifest import read_manifest
from ownvoice.data.upload_words import match_words, paste_words, propose_words, save_upload, write_words
from ownvoice.data.uploads import (
    MAX_FILES,
    UploadedFile,
    announce_files,
    discard_upload,
    list_uploads,
    note,
    open_upload,
    read_files,
    start_upload,
    store_piece,
)
from ownvoice.errors import DataError, SourceError
from ownvoice.rundir import UploadFolder, VoiceFolder
from sources import record


@pytest.fixture
def upload(voice: VoiceFolder) -> UploadFolder:
    return start_upload(voice)


def bring(upload: UploadFolder, name: str, data: bytes) -> UploadedFile:
    [file] = announce_files(upload, [(name, len(data))])
    assert isinstance(file, UploadedFile)
    return store_piece(upload, file.number, 0, data)


def sound(tmp_path: Path, seed: int) -> bytes:
    return record(tmp_path / f"made-{seed}.wav", seed).read_bytes()


def states(upload: UploadFolder) -> dict[str, str]:
    return {row.file.name: row.state for row in match_words(upload).rows}


def refusal(upload: UploadFolder, name: str, size: int) -> str:
    [refused] = announce_files(upload, [(name, size)])
    assert isinstance(refused, LeftOut)
    return refused.reason


def test_pieces_may_come_twice_overlap_and_after_a_restart(tmp_path: Path, upload: UploadFolder) -> None:
    data = sound(tmp_path, 1)
    [file] = announce_files(upload, [("a.wav", len(data))])
    assert isinstance(file, UploadedFile)
    assert store_piece(upload, file.number, 0, data[:1000]).stored == 1000
    assert store_piece(upload, file.number, 0, data[:1000]).stored == 1000
    assert store_piece(upload, file.number, 2000, data[2000:3000]).stored == 1000, "a gap must not be filled with it"
    assert store_piece(upload, file.number, 500, data[500:1500]).stored == 1500
    assert announce_files(upload, [("a.wav", len(data))]) == read_files(upload), "the same file goes on"
    whole = store_piece(upload, file.number, 1500, data[1500:])
    assert (whole.stored, whole.seconds) == (len(data), 0.3)
    assert store_piece(upload, file.number, len(data), b"") == whole


def test_a_file_whose_decoding_was_interrupted_is_decoded_by_an_empty_piece(
    tmp_path: Path, upload: UploadFolder
) -> None:
    data = sound(tmp_path, 1)
    announce_files(upload, [("a.wav", len(data))])
    upload.part(1).write_bytes(data)  # as a kill right after the last piece leaves it
    assert states(upload) == {"a.wav": "unheard"}
    assert store_piece(upload, 1, len(data), b"").seconds == 0.3
    assert states(upload) == {"a.wav": "no-words"}


def test_what_cannot_be_used_is_refused_by_name(tmp_path: Path, upload: UploadFolder) -> None:
    assert "neither a recording nor words" in refusal(upload, "letter.docx", 10)
    assert "unpack it" in refusal(upload, "all.zip", 10)
    assert "0 bytes" in refusal(upload, "a.wav", 0)
    assert "at most 256 MB" in refusal(upload, "a.wav", 300 << 20)
    bring(upload, "a.wav", sound(tmp_path, 1))
    assert "rename one" in refusal(upload, "holiday/a.wav", 99)
    assert bring(upload, "b.mp3", b"no sound at all").fault is not None
    with pytest.raises(SourceError, match="too many"):
        announce_files(upload, [(f"{number}.wav", 10) for number in range(MAX_FILES + 1)])
    with pytest.raises(SourceError, match="larger than it was announced"):
        store_piece(upload, 1, 0, b"x" * 10**6)
    assert [file.name for file in read_files(upload)] == ["a.wav", "b.mp3"]


def test_no_file_is_written_under_a_name_of_the_persons(tmp_path: Path, upload: UploadFolder) -> None:
    def outside() -> set[Path]:
        return {path for path in tmp_path.rglob("*") if not path.is_relative_to(upload.path)}

    before = outside()
    assert bring(upload, "../../../evil\x1b.wav", b"not sound").name == "evil?.wav"
    assert outside() == before


def test_only_the_owner_can_look_into_a_batch(tmp_path: Path, upload: UploadFolder) -> None:
    bring(upload, "a.wav", sound(tmp_path, 1))
    bring(upload, "a.txt", b"My words")
    assert upload.path.stat().st_mode & 0o777 == 0o700
    assert upload.path.parent.stat().st_mode & 0o777 == 0o700
    assert upload.log.stat().st_mode & 0o777 == 0o600
    assert upload.part(2).stat().st_mode & 0o777 == 0o600


def test_words_come_from_files_of_the_same_name(tmp_path: Path, upload: UploadFolder) -> None:
    for number, name in enumerate(("a.wav", "b.wav")):
        bring(upload, name, sound(tmp_path, number))
    bring(upload, "b.txt", b"Guten\nTag")
    bring(upload, "c.txt", b"nobody's words")
    matching = match_words(upload)
    assert [(row.text, row.state) for row in matching.rows] == [("", "no-words"), ("Guten Tag", "ready")]
    assert [(problem.name, "no recording" in problem.reason) for problem in matching.problems] == [("c.txt", True)]


def test_words_come_from_a_table_that_names_folders_the_batch_has_not(tmp_path: Path, upload: UploadFolder) -> None:
    for number, name in enumerate(("a.wav", "b.wav")):
        bring(upload, name, sound(tmp_path, number))
    bring(upload, "words.csv", b"file,text\nclips/b.wav,Second\nclips/a.wav,First\nclips/c.wav,Third\na.wav,Other\n")
    matching = match_words(upload)
    assert [row.text for row in matching.rows] == ["First", "Second"]
    assert [(problem.name, problem.line) for problem in matching.problems] == [("clips/c.wav", 4), ("a.wav", 5)]


def test_a_table_that_cannot_be_read_is_named(tmp_path: Path, upload: UploadFolder) -> None:
    bring(upload, "a.wav", sound(tmp_path, 1))
    bring(upload, "words.csv", b"name;speech\na.wav;hello\n")
    [problem] = match_words(upload).problems
    assert problem.name == "words.csv"
    assert "its columns are: name, speech" in problem.reason
    assert 'Call them "file" and "text"' in problem.reason, "and how to mend it"


def test_a_corrected_table_takes_the_place_of_the_one_before(tmp_path: Path, upload: UploadFolder) -> None:
    for number, name in enumerate(("a.wav", "b.wav")):
        bring(upload, name, sound(tmp_path, number))
    first = b"file,text\na.wav,I want tee\nb.wav,Yes\n"
    bring(upload, "words.csv", first)
    bring(upload, "words.csv", first.replace(b"tee", b"tea"))  # of the same size
    assert [row.text for row in match_words(upload).rows] == ["I want tea", "Yes"]
    bring(upload, "words.csv", first.replace(b"tee", b"some tea"))
    assert [row.text for row in match_words(upload).rows] == ["I want some tea", "Yes"]
    assert [file.name for file in match_words(upload).texts] == ["words.csv"]


def test_a_table_that_cannot_be_read_is_in_no_other_ones_way(tmp_path: Path, upload: UploadFolder) -> None:
    for number, name in enumerate(("a.wav", "b.wav", "c.wav")):
        bring(upload, name, sound(tmp_path, number))
    bring(upload, "list.csv", "name;spoken\na.wav;hällo\n".encode("cp1252"))
    bring(upload, "b.txt", b"Beside")
    bring(upload, "first.csv", b"file,text\na.wav,Old\nb.wav,Listed\nc.wav,Third\n")
    bring(upload, "second.csv", b"file,text\na.wav,New\n")
    matching = match_words(upload)
    assert [row.text for row in matching.rows] == ["New", "Beside", "Third"]
    [refused, *others] = sorted(matching.problems, key=lambda problem: problem.name != "list.csv")
    assert "Save it again as UTF-8" in refused.reason
    assert [(other.name, other.line, other.reason) for other in others] == [
        ("a.wav", 2, "has other words in another file, which count"),
        ("b.wav", 3, "has other words in another file, which count"),
    ]


def test_two_recordings_of_one_name_and_size_are_not_taken_for_one(upload: UploadFolder) -> None:
    first, second = announce_files(upload, [("monday/trial.wav", 99), ("tuesday/trial.wav", 99)])
    assert isinstance(first, UploadedFile)
    assert isinstance(second, LeftOut) and "rename one" in second.reason
    assert announce_files(upload, [("trial.wav", 99)]) == [first], "chosen again, it goes on"


def test_pasted_lines_go_to_the_recordings_without_words_in_order(tmp_path: Path, upload: UploadFolder) -> None:
    for number, name in enumerate(("a.wav", "b.wav", "c.wav")):
        bring(upload, name, sound(tmp_path, number))
    write_words(upload, 2, "  Already   here ")
    with pytest.raises(SourceError, match=r"2 recordings without words, and 1 line. Without a line: c.wav"):
        paste_words(upload, "one\n")
    with pytest.raises(SourceError, match=r"Without a recording: “three”"):
        paste_words(upload, "one\ntwo\nthree")
    assert states(upload) == {"a.wav": "no-words", "b.wav": "ready", "c.wav": "no-words"}
    assert paste_words(upload, "one\n\ntwo\n") == 2
    assert [row.text for row in match_words(upload).rows] == ["one", "Already here", "two"]


def test_a_draft_counts_only_once_the_person_wrote_it(tmp_path: Path, voice: VoiceFolder, upload: UploadFolder) -> None:
    for number, name in enumerate(("a.wav", "b.wav")):
        bring(upload, name, sound(tmp_path, number))
    write_words(upload, 2, "mine")
    assert propose_words(upload, {1: "proposed", 2: "not wanted"}) == 1
    assert [(row.text, row.state) for row in match_words(upload).rows] == [("proposed", "draft"), ("mine", "ready")]
    with pytest.raises(SourceError, match=r"not ready: a\.wav"):
        save_upload(upload, voice)
    write_words(upload, 1, "proposed")
    assert len(save_upload(upload, voice).added) == 2


def test_saving_refuses_by_name_then_saves_once_and_leaves_nothing_behind(
    tmp_path: Path, voice: VoiceFolder, upload: UploadFolder
) -> None:
    for number, name in enumerate(("a.wav", "b.wav", "c.wav")):
        bring(upload, name, sound(tmp_path, number))
    write_words(upload, 1, "First words")
    write_words(upload, 3, "Third words")
    with pytest.raises(SourceError, match=r"not ready: b\.wav"):
        save_upload(upload, voice)
    assert not voice.manifest.exists()
    note(upload, [(2, {"left_out": True})])
    assert [utterance.text for utterance in save_upload(upload, voice, [1]).added] == ["First words"]
    assert states(upload) == {"a.wav": "saved", "b.wav": "left-out", "c.wav": "ready"}
    save_upload(upload, voice)
    saved = read_manifest(voice).utterances
    assert [(row.text, row.source) for row in saved] == [
        ("First words", "upload/a.wav"),
        ("Third words", "upload/c.wav"),
    ]
    assert list_uploads(voice) == []
    assert list(voice.uploads.iterdir()) == []


def test_saving_again_after_a_kill_doubles_nothing(tmp_path: Path, voice: VoiceFolder, upload: UploadFolder) -> None:
    for number, name in enumerate(("a.wav", "b.wav")):
        bring(upload, name, sound(tmp_path, number))
        write_words(upload, number + 1, f"Words {number}")
    log, wav = upload.log.read_bytes(), upload.wav(1).read_bytes()
    save_upload(upload, voice, [1])
    upload.log.write_bytes(log)  # killed after the recording was saved and before that was written down
    upload.wav(1).write_bytes(wav)
    result = save_upload(upload, voice)
    assert [utterance.text for utterance in result.added] == ["Words 1"]
    assert [(clip.name, clip.already_there) for clip in result.left_out] == [("a.wav", True)]
    assert [row.text for row in read_manifest(voice).utterances] == ["Words 0", "Words 1"]


def test_a_recording_saved_without_its_line_gets_it_when_saving_goes_on(
    tmp_path: Path, voice: VoiceFolder, upload: UploadFolder
) -> None:
    for number, name in enumerate(("a.wav", "b.wav")):
        bring(upload, name, sound(tmp_path, number))
        write_words(upload, number + 1, f"Words {number}")
    again = {path: path.read_bytes() for path in upload.path.iterdir()}
    save_upload(upload, voice)
    first, second = voice.manifest.read_bytes().splitlines(keepends=True)
    voice.manifest.write_bytes(first)  # killed between the second recording and its line
    upload.path.mkdir()
    for path, content in again.items():
        path.write_bytes(content)
    save_upload(upload, voice)
    assert voice.manifest.read_bytes() == first + second
    assert [problem.kind for problem in check_voice(voice)] == []


def test_a_batch_is_found_by_its_own_name_alone(voice: VoiceFolder, upload: UploadFolder) -> None:
    assert open_upload(voice, upload.path.name) == upload
    other = start_upload(VoiceFolder(voice.path.parent / "other"))
    for name in ("", ".", "..", "../anna", f"../../other/uploads/{other.path.name}", other.path.name, "0" * 16):
        with pytest.raises(DataError, match="not here any more"):
            open_upload(voice, name)
    discard_upload(upload)
    assert list_uploads(voice) == []
