"""Sources that cannot be imported: one clear message, exit code 1 or 2, and nothing there before is changed."""

from __future__ import annotations

import re
import zipfile

import numpy as np
import pytest
import soundfile
from bad_place import Place, run

from ownvoice.data.manifest import read_manifest
from ownvoice.rundir import VoiceFolder
from small_voxtral import murmur


def test_source_is_missing(place: Place) -> None:
    place.assert_refused(place.into_voice(place.folder / "nothing"), "there is no such file or folder")


@pytest.mark.parametrize("empty", [0, 1])
def test_a_variable_is_not_set(place: Place, monkeypatch: pytest.MonkeyPatch, empty: int) -> None:
    monkeypatch.chdir(place.folder)
    paths = [str(place.clip_with_words("in/a.wav")), "voice"]
    paths[empty] = ""
    place.assert_refused(["import", *paths], "is empty")


def test_a_recording_to_mend_is_named_as_the_person_knows_it(place: Place) -> None:
    folder = place.clip_with_words("memos/monday.wav", samples=np.zeros(16000))
    assert run(place.into_voice(folder)).exit_code == 0
    assert re.search(
        r"wavs/\d+\.wav \(line 13, from memos/monday.wav\): is nearly silent",
        run(["check", str(place.voice.path)]).output,
    )


def test_zip_member_climbs_out(place: Place) -> None:
    with zipfile.ZipFile(place.folder / "slip.zip", "w") as archive:
        archive.writestr("../../evil.txt", "out")
    place.assert_refused(place.into_voice(place.folder / "slip.zip"), "leads out of")


def test_zip_member_is_absolute(place: Place) -> None:
    with zipfile.ZipFile(place.folder / "absolute.zip", "w") as archive:
        archive.writestr("/etc/evil.txt", "out")
    place.assert_refused(place.into_voice(place.folder / "absolute.zip"), "leads out of")


def test_zip_member_is_a_link(place: Place) -> None:
    with zipfile.ZipFile(place.folder / "link.zip", "w") as archive:
        member = zipfile.ZipInfo("a.wav")
        member.external_attr = 0o120777 << 16
        archive.writestr(member, "/etc/passwd")
    place.assert_refused(place.into_voice(place.folder / "link.zip"), "link")


def test_zip_member_is_huge(place: Place) -> None:
    with zipfile.ZipFile(place.folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.wav", bytes(300 << 20))
    place.assert_refused(place.into_voice(place.folder / "bomb.zip"), "MB unpacked")


def test_zip_is_something_else(place: Place) -> None:
    place.assert_refused(place.into_voice(place.write("no.zip", "this is no archive")), "cannot be read as a zip")


def test_zip_is_cut_off(place: Place) -> None:
    with zipfile.ZipFile(place.folder / "whole.zip", "w") as archive:
        archive.write(place.voice.wavs / "0001.wav", "a.wav")
        archive.writestr("a.txt", "good morning")
    whole = (place.folder / "whole.zip").read_bytes()
    place.assert_refused(place.into_voice(place.write("cut.zip", whole[: len(whole) // 2])), "cannot be read as a zip")


def test_wav_is_truncated(place: Place) -> None:
    folder = place.clip_with_words("in/a.wav")
    whole = (folder / "a.wav").read_bytes()
    (folder / "a.wav").write_bytes(whole[: len(whole) // 2])
    place.assert_refused(place.into_voice(folder), "is cut off")


def test_wav_has_no_bytes(place: Place) -> None:
    folder = place.clip_with_words("in/a.wav")
    (folder / "a.wav").write_bytes(b"")
    place.assert_refused(place.into_voice(folder), "is empty")


def test_wav_is_text(place: Place) -> None:
    folder = place.clip_with_words("in/a.wav")
    (folder / "a.wav").write_text("I am a text file")
    place.assert_refused(place.into_voice(folder), "not an audio file")


def test_wav_holds_nan(place: Place) -> None:
    samples = murmur(0.9)
    samples[100] = np.nan
    place.assert_refused(place.into_voice(place.clip_with_words("in/a.wav", samples=samples, subtype="FLOAT")), "NaN")


def test_wav_holds_no_samples(place: Place) -> None:
    place.assert_refused(
        place.into_voice(place.clip_with_words("in/a.wav", samples=np.zeros(0, np.float32))), "length is zero"
    )


def test_transcript_is_missing(place: Place) -> None:
    place.assert_refused(place.into_voice(place.clip("in/a.wav").parent), "has no transcript")


def test_audio_is_missing(place: Place) -> None:
    place.assert_refused(place.into_voice(place.write("in/a.txt", "good morning").parent), "no audio file")


def test_folder_is_empty(place: Place) -> None:
    (place.folder / "empty").mkdir()
    place.assert_refused(place.into_voice(place.folder / "empty"), "no recordings|holds no|nothing")


def test_source_is_one_recording(place: Place) -> None:
    place.assert_refused(place.into_voice(place.clip("alone.wav")), "cannot be imported by itself")


def test_source_is_the_voice(place: Place) -> None:
    place.assert_refused(place.into_voice(place.voice.path), "is the voice itself")


def test_table_line_is_no_json(place: Place) -> None:
    place.assert_refused(place.into_voice(place.write("in/t.jsonl", '{"audio": "a.wav", "text": \n')), "line 1")


def test_table_is_utf16(place: Place) -> None:
    place.assert_refused(
        place.into_voice(place.write("in/t.csv", "file,text\na.wav,hi\n".encode("utf-16"))), "not UTF-8"
    )


def test_table_of_a_folder_climbs_out(place: Place) -> None:
    place.clip("a.wav")
    table = place.write("in/metadata.jsonl", '{"file_name": "../a.wav", "text": "hi"}\n')
    place.assert_refused(place.into_voice(table.parent), r"\.\./a\.wav")


def test_table_names_a_system_file(place: Place) -> None:
    place.assert_refused(
        place.into_voice(place.write("in/t.jsonl", '{"audio": "/etc/passwd", "text": "hi"}\n')),
        "nothing could be imported",
    )


def test_table_names_a_missing_file(place: Place) -> None:
    place.assert_refused(place.into_voice(place.write("in/t.jsonl", '{"audio": "a.wav", "text": "hi"}\n')), "a.wav")


def test_table_has_no_text_column(place: Place) -> None:
    place.clip("in/a.wav")
    place.assert_refused(place.into_voice(place.write("in/t.csv", "file,size\na.wav,3\n")), "words spoken")


def test_column_asked_for_is_not_there(place: Place) -> None:
    place.clip("in/a.wav")
    place.assert_refused(
        [*place.into_voice(place.write("in/t.csv", "file,text\na.wav,hi\n")), "--text-column", "words"],
        "no column 'words'",
    )


def test_table_is_empty(place: Place) -> None:
    place.assert_refused(place.into_voice(place.write("in/t.csv", "")), "t.csv")


def test_language_to_import_is_unknown(place: Place) -> None:
    place.assert_refused(
        [*place.into_voice(place.clip_with_words("in/a.wav")), "--language", "klingon"], "two-letter language code"
    )


def test_voice_to_import_into_is_a_file(place: Place) -> None:
    place.assert_refused(
        ["import", str(place.clip_with_words("in/a.wav")), str(place.voice.manifest)],
        "a file stands where a folder is needed",
    )


def test_hub_name_is_malformed(place: Place) -> None:
    place.assert_refused(place.into_voice("hub:no such name"), "hub:")


# Unusual, and right


def test_eight_channels_at_192_khz_are_imported(place: Place) -> None:
    loud = np.repeat(np.repeat(murmur(0.9)[:, None], 12, axis=0), 8, axis=1)
    folder = place.clip_with_words("in/a.wav", samples=loud, rate=192_000)
    done = run(["import", str(folder), str(place.folder / "new")])
    assert done.exit_code == 0
    info = soundfile.info(place.folder / "new" / "wavs" / "0001.wav")
    assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "PCM_16")
    assert info.duration == pytest.approx(0.9, abs=0.01)


def test_two_recordings_of_one_name_are_both_kept(place: Place) -> None:
    place.clip_with_words("in/monday/a.wav", samples=murmur(0.9, seed=50))
    place.clip_with_words("in/friday/a.wav", samples=murmur(0.9, seed=51))
    done = run(["import", str(place.folder / "in"), str(place.folder / "new")])
    assert done.exit_code == 0
    kept = {
        (place.folder / "new" / utterance.audio_path).read_bytes()
        for utterance in read_manifest(VoiceFolder(place.folder / "new")).utterances
    }
    assert len(kept) == 2


def test_one_bad_recording_does_not_stop_the_good_ones(place: Place) -> None:
    folder = place.clip_with_words("in/good.wav", samples=murmur(0.9, seed=50))
    place.write("in/bad.wav", "no sound")
    place.write("in/bad.txt", "good night")
    done = run(["import", str(folder), str(place.folder / "new")])
    assert done.exit_code == 1
    assert "Left out: bad.wav: is not an audio file" in done.stderr
    assert len(read_manifest(VoiceFolder(place.folder / "new")).utterances) == 1
