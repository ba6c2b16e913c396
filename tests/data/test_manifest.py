"""The manifest keeps every line it ever took, through kills, full disks and second processes."""

from __future__ import annotations

import json
import multiprocessing
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ownvoice.config import VoiceSettings
from ownvoice.data import journal
from ownvoice.data.manifest import append_utterances, audio_file, next_wav_name, read_manifest, scan_manifest
from ownvoice.data.utterance import Utterance, utterance_id
from ownvoice.data.voice_settings import read_voice_settings, write_voice_settings
from ownvoice.errors import ConfigError, DataError, ManifestError, StorageError
from ownvoice.rundir import VoiceFolder


@pytest.fixture
def voice(tmp_path: Path) -> VoiceFolder:
    folder = VoiceFolder(tmp_path / "anna")
    folder.wavs.mkdir(parents=True)
    return folder


def line(number: int, text: str = "hello", **fields: object) -> str:
    return json.dumps({"audio_path": f"wavs/{number:04d}.wav", "text": text, **fields}) + "\n"


def texts(voice: VoiceFolder) -> list[str]:
    return [utterance.text for utterance in read_manifest(voice).utterances]


def test_all_fields_and_unknown_ones_survive_the_round_trip(voice: VoiceFolder) -> None:
    full = Utterance(
        "wavs/0001.wav",
        'नमस्ते\u2028 "quoted" \n line',
        id="first",
        language="hi",
        source="recorder",
        duration=1.25,
        take=2,
        phrase_id="p7",
        created="2026-01-01T10:00:00Z",
        extra={"mood": "tired", "tags": [1, {"deep": None}]},
    )
    append_utterances(voice, [full, Utterance("wavs/0002.wav", "")])
    assert read_manifest(voice).utterances == [full, Utterance("wavs/0002.wav", "")]
    assert voice.manifest.read_text(encoding="utf-8").splitlines()[-1] == '{"audio_path": "wavs/0002.wav", "text": ""}'
    assert "नमस्ते" in voice.manifest.read_text(encoding="utf-8")


def test_a_known_field_cannot_hide_among_the_unknown() -> None:
    with pytest.raises(ValueError, match="text"):
        Utterance("wavs/0001.wav", "hello", extra={"text": "other"})


def test_blank_lines_a_byte_order_mark_and_windows_line_ends_do_no_harm(voice: VoiceFolder) -> None:
    content = "\n" + line(1, "one") + "   \n" + line(2, "two") + "\n\n"
    voice.manifest.write_bytes(b"\xef\xbb\xbf" + content.replace("\n", "\r\n").encode())
    reading = read_manifest(voice)
    assert [utterance.text for utterance in reading.utterances] == ["one", "two"] and not reading.warnings


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("not json", "is not JSON"),
        ('{"audio_path": "wavs/0001.wav", "text": "a"', "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('{"audio_path": "wavs/a.wav", "text": "a", "duration": NaN}', "NaN is no JSON number"),
        ("[1, 2]", "not a JSON object"),
        ('{"text": "a"}', 'no "audio_path"'),
        ('{"audio_path": "wavs/a.wav"}', 'no "text"'),
        ('{"audio_path": "wavs/a.wav", "text": null}', 'no "text"'),
        ('{"audio_path": "wavs/a.wav", "text": 7}', '"text" must be text'),
        ('{"audio_path": "wavs/a.wav", "text": "a", "take": 1.5}', '"take" must be a whole number'),
        ('{"audio_path": "wavs/a.wav", "text": "a", "take": true}', '"take" must be a whole number'),
        ('{"audio_path": "wavs/a.wav", "text": "a", "duration": -1}', '"duration" must be seconds'),
        ('{"audio_path": "wavs/a.wav", "text": "a", "duration": 1e999}', '"duration" must be seconds'),
        ('{"audio_path": "wavs/a.wav", "text": "a", "id": ""}', '"id" is empty'),
        ('{"audio_path": "wavs/a.wav", "text": "a", "language": "english"}', "two-letter language code"),
        ('{"audio_path": "wavs/a.wav", "text": "\\ud800"}', "half a character"),
        ('{"audio_path": "/etc/passwd", "text": "a"}', "must be relative"),
        ('{"audio_path": "C:/a.wav", "text": "a"}', "must be relative"),
        ('{"audio_path": "wavs\\\\a.wav", "text": "a"}', "must be relative"),
        ('{"audio_path": "wavs/../../a.wav", "text": "a"}', "leads out"),
        ('{"audio_path": "", "text": "a"}', "no file name"),
        ('{"audio_path": ".", "text": "a"}', "no file name"),
        ('{"audio_path": "wavs/a\\u0000.wav", "text": "a"}', "no file name"),
    ],
)
def test_a_line_that_cannot_be_used_is_refused_with_its_number(voice: VoiceFolder, bad: str, message: str) -> None:
    content = line(1) + "\n" + bad + "\n" + line(2)
    voice.manifest.write_text(content)
    with pytest.raises(ManifestError, match=message) as caught:
        read_manifest(voice)
    assert caught.value.where == f"{voice.manifest}, line 3"
    assert caught.value.mend
    assert voice.manifest.read_text() == content
    scan = scan_manifest(voice)
    assert [fault.line for fault in scan.faults] == [3] and len(scan.lines) == 2


def test_a_manifest_in_another_encoding_is_said(voice: VoiceFolder) -> None:
    voice.manifest.write_bytes((line(1) + line(2)).encode("utf-16"))
    with pytest.raises(ManifestError, match="not UTF-8"):
        read_manifest(voice)


def test_a_link_that_leads_out_is_refused_and_one_inside_is_not(voice: VoiceFolder) -> None:
    secret = voice.path.parent / "secret.wav"
    secret.write_bytes(b"x")
    (voice.wavs / "real.wav").write_bytes(b"x")
    (voice.wavs / "inside.wav").symlink_to(voice.wavs / "real.wav")
    (voice.wavs / "outside.wav").symlink_to(secret)
    (voice.path / "folder").symlink_to(voice.path.parent)
    append_utterances(voice, [Utterance("wavs/inside.wav", "a")])
    assert audio_file(voice, read_manifest(voice).utterances[0]) == voice.wavs / "inside.wav"
    for path in ("wavs/outside.wav", "folder/secret.wav", "../secret.wav"):
        with pytest.raises(ManifestError, match="leads out"):
            append_utterances(voice, [Utterance("wavs/fine.wav", "a"), Utterance(path, "a")])
        with pytest.raises(ManifestError, match="leads out"):
            audio_file(voice, Utterance(path, "a"))
    assert len(texts(voice)) == 1


def test_no_manifest_is_said(voice: VoiceFolder) -> None:
    with pytest.raises(DataError, match=r"no data\.jsonl"):
        read_manifest(voice)


@pytest.mark.parametrize(
    "fragment", [b'{"audio_path": "wavs/0002.wav", "te', '{"text": "é'.encode()[:-1], b"\0" * 40, b"7"]
)
def test_a_torn_last_line_is_moved_aside_and_said(voice: VoiceFolder, fragment: bytes) -> None:
    voice.manifest.write_bytes(line(1).encode() + fragment)
    assert [fault.kind for fault in scan_manifest(voice).faults] == ["torn-line"]
    reading = read_manifest(voice)
    assert len(reading.utterances) == 1
    assert "line 2" in reading.warnings[0] and "cut off" in reading.warnings[0]
    assert voice.torn_lines.read_bytes() == fragment + b"\n"
    assert voice.manifest.read_bytes() == line(1).encode()
    assert read_manifest(voice).warnings == []


def test_a_last_line_without_its_line_end_is_kept_and_said(voice: VoiceFolder) -> None:
    voice.manifest.write_text((line(1) + line(2)).rstrip("\n"))
    reading = read_manifest(voice)
    assert len(reading.utterances) == 2 and "lacked its line end" in reading.warnings[0]
    assert voice.manifest.read_text() == line(1) + line(2)
    assert not voice.torn_lines.exists()


@pytest.mark.parametrize(("tail", "kept"), [(line(2, "two")[:-1], 2), (line(2, "two")[:-9], 1), ("  ", 1)])
def test_appending_never_runs_into_an_unfinished_line(voice: VoiceFolder, tail: str, kept: int) -> None:
    voice.manifest.write_text(line(1, "one") + tail)
    warnings = append_utterances(voice, [Utterance("wavs/0003.wav", "three")])
    assert texts(voice) == [*["one", "two"][:kept], "three"]
    assert len(warnings) == (1 if tail.strip() else 0)


def test_a_later_line_of_the_same_recording_corrects_the_earlier(voice: VoiceFolder) -> None:
    voice.manifest.write_text(line(1, "I want tee") + line(2, "two") + line(1, "I want tea"))
    reading = read_manifest(voice)
    assert [utterance.text for utterance in reading.utterances] == ["I want tea", "two"]
    assert "1 later line corrects an earlier one" in reading.warnings[0]


def test_two_recordings_with_one_id_are_both_kept(voice: VoiceFolder) -> None:
    voice.manifest.write_text(line(1, "one", id="x") + line(2, "two", id="x") + line(3, "three"))
    reading = read_manifest(voice)
    assert [utterance_id(utterance) for utterance in reading.utterances] == ["x", "wavs/0002.wav", "wavs/0003.wav"]
    assert "line 2" in reading.warnings[0] and "'x'" in reading.warnings[0]


def test_an_id_that_cannot_be_told_apart_at_all_is_refused(voice: VoiceFolder) -> None:
    voice.manifest.write_text(line(1, id="wavs/0002.wav") + line(2))
    with pytest.raises(ManifestError, match="line 2"):
        read_manifest(voice)


@pytest.mark.parametrize(
    "bad",
    [
        Utterance("wavs/0002.wav", "\ud800"),
        Utterance("wavs/0002.wav", "a", extra={"x": {1}}),
        Utterance("wavs/0002.wav", "a", duration=float("nan")),
        Utterance("/a.wav", "a"),
    ],
)
def test_what_could_not_be_read_back_is_not_written_nor_what_came_with_it(voice: VoiceFolder, bad: Utterance) -> None:
    append_utterances(voice, [Utterance("wavs/0001.wav", "one")])
    with pytest.raises(ManifestError):
        append_utterances(voice, [Utterance("wavs/0003.wav", "three"), bad])
    assert texts(voice) == ["one"]


def test_nothing_to_append_makes_no_manifest(voice: VoiceFolder) -> None:
    assert append_utterances(voice, []) == []
    assert not voice.manifest.exists()


def test_a_full_disk_leaves_the_manifest_as_it_was(voice: VoiceFolder) -> None:
    append_utterances(voice, [Utterance("wavs/0001.wav", "one")])
    before = voice.manifest.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, limits[1]))
    try:
        with pytest.raises(StorageError, match="grow past"):
            append_utterances(voice, [Utterance(f"wavs/{number:04d}.wav", "more") for number in range(50)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert voice.manifest.read_bytes() == before
    append_utterances(voice, [Utterance("wavs/0002.wav", "two")])
    assert texts(voice) == ["one", "two"]


def _record(path: Path, name: str, count: int) -> None:
    voice = VoiceFolder(path)
    for number in range(count):
        append_utterances(voice, [Utterance(next_wav_name(voice), f"{name} {number}")])


def test_two_processes_lose_no_line_and_share_no_name(voice: VoiceFolder) -> None:
    spawn = multiprocessing.get_context("spawn")
    children = [spawn.Process(target=_record, args=(voice.path, name, 15)) for name in ("a", "b")]
    for child in children:
        child.start()
    while any(child.is_alive() for child in children):
        if voice.manifest.exists():
            assert read_manifest(voice).warnings == []  # reading while they write mends and moves nothing
        time.sleep(0.01)
    utterances = read_manifest(voice).utterances
    assert [child.exitcode for child in children] == [0, 0]
    assert sorted(utterance.audio_path for utterance in utterances) == [f"wavs/{n:04d}.wav" for n in range(1, 31)]
    assert {utterance.text for utterance in utterances} == {f"{name} {n}" for name in "ab" for n in range(15)}


def test_killed_while_appending_every_acknowledged_line_is_there(voice: VoiceFolder) -> None:
    program = (
        "import sys; from pathlib import Path; from ownvoice.rundir import VoiceFolder\n"
        "from ownvoice.data.manifest import append_utterances\n"
        "from ownvoice.data.utterance import Utterance\n"
        "voice = VoiceFolder(Path(sys.argv[1]))\n"
        "for n in range(int(sys.argv[2]), 10**6):\n"
        "    append_utterances(voice, [Utterance(f'wavs/{n}.wav', 'x' * 5000)]); print(n, flush=True)\n"
    )
    acknowledged = -1
    for lines_before_the_kill in (3, 11, 30):
        command = [sys.executable, "-c", program, voice.path, str(acknowledged + 1)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        for _ in range(lines_before_the_kill):
            acknowledged = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *map(int, child.communicate()[0].split())])
        kept = {utterance.audio_path for utterance in read_manifest(voice).utterances}
        assert kept >= {f"wavs/{n}.wav" for n in range(acknowledged + 1)}


def test_a_voice_that_another_program_holds_is_said(voice: VoiceFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "LOCK_SECONDS", 0.05)
    with journal.locked(voice.lock), pytest.raises(StorageError, match="another program"):
        append_utterances(voice, [Utterance("wavs/0001.wav", "one")])


def test_names_go_on_after_what_is_on_disk_or_in_the_manifest(voice: VoiceFolder) -> None:
    (voice.wavs / "0007.m4a").touch()
    append_utterances(voice, [Utterance("wavs/0012.wav", "its file was deleted")])
    assert next_wav_name(voice) == "wavs/0013.wav"
    (voice.wavs / "0014.wav").touch()
    assert next_wav_name(voice) == "wavs/0015.wav"


def test_a_name_is_never_given_twice(voice: VoiceFolder) -> None:
    assert [next_wav_name(voice) for _ in range(3)] == ["wavs/0001.wav", "wavs/0002.wav", "wavs/0003.wav"]
    voice.wav_counter.write_text("")  # cut off by a crash
    (voice.wavs / "0003.wav").touch()
    assert next_wav_name(voice) == "wavs/0004.wav"


def test_names_start_in_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    assert next_wav_name(VoiceFolder(tmp_path / "new" / "voice")) == "wavs/0001.wav"


def test_voice_settings_default_and_round_trip(voice: VoiceFolder) -> None:
    assert read_voice_settings(voice) == VoiceSettings()
    settings = VoiceSettings(language="hi", transcript_style="verbatim", consent="I agree — ठीक है")
    write_voice_settings(voice, settings)
    assert read_voice_settings(voice) == settings
    voice.settings.write_text("language: klingon\n")
    with pytest.raises(ConfigError, match="two-letter"):
        read_voice_settings(voice)
