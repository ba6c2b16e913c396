"""Takes are saved exactly once: through lost connections, kills at any moment, full disks and second processes."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from ownvoice.data.audio import load_audio
from ownvoice.data.check import check_voice
from ownvoice.data.follow import ManifestFollower
from ownvoice.data.manifest import append_utterances, read_manifest, revise_utterance, scan_manifest
from ownvoice.data.take_folder import SamplesMissingError, Take, TakeTooLongError, new_take
from ownvoice.data.takes import MAX_UNFINISHED, NoSuchTakeError, Takes
from ownvoice.data.utterance import Utterance
from ownvoice.errors import AudioError, DataError, StorageError
from ownvoice.rundir import VoiceFolder
from small_voxtral import murmur

RATE = 48000


def pcm(seconds: float = 1.0, seed: int = 0) -> bytes:
    """Sound as a page sends it: at the microphone's rate."""
    sound = np.repeat(murmur(seconds, seed=seed), RATE // 16000)
    return (sound * 32767).astype("<i2").tobytes()


@pytest.fixture
def takes(tmp_path: Path) -> Takes:
    return Takes(VoiceFolder(tmp_path / "anna"))


def begin(takes: Takes, text: str = "I want tea", **known: object) -> Take:
    take = new_take(text, RATE, **known)  # type: ignore[arg-type]
    takes.start(take)
    return take


def record(takes: Takes, sound: bytes, text: str = "I want tea", **known: object) -> Take:
    take = begin(takes, text, **known)
    for start in range(0, len(sound), RATE):  # half a second each
        takes.append(take.id, start // 2, sound[start : start + RATE])
    return take


def saved(takes: Takes) -> list[str]:
    """Ids in the manifest, after proving that recordings and lines are the same ones and no part of a file is left."""
    everything = read_manifest(takes.voice).everything if takes.voice.manifest.exists() else []
    assert len(takes.voice.manifest.read_bytes().splitlines() if everything else []) == len(everything)
    on_disk = sorted(path.name for path in takes.voice.wavs.iterdir()) if takes.voice.wavs.exists() else []
    assert on_disk == sorted(Path(utterance.audio_path).name for utterance in everything)
    return [str(utterance.id) for utterance in everything]


def test_a_take_becomes_an_utterance_with_all_that_was_known_of_it(takes: Takes) -> None:
    sound = pcm(1.25)
    take = record(takes, sound, "Ich möchte Tee", phrase_id="de-1", language="de", number=3)
    utterance = takes.finish(take.id, len(sound) // 2)
    assert read_manifest(takes.voice).everything == [utterance]
    assert utterance == Utterance(
        f"wavs/{take.id}.wav",
        "Ich möchte Tee",
        id=take.id,
        language="de",
        source="recorder",
        duration=1.25,
        take=3,
        phrase_id="de-1",
        created=take.started,
    )
    heard = load_audio(takes.voice.path / utterance.audio_path)
    assert np.corrcoef(heard, murmur(1.25))[0, 1] > 0.99
    assert takes.unfinished() == []
    assert [path.name for path in takes.voice.takes.iterdir()] == [".lock"]


def test_what_a_person_said_is_for_their_eyes_alone(takes: Takes) -> None:
    take = record(takes, pcm())
    folder = takes.voice.takes / take.id
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder.parent, folder, *folder.iterdir())}
    assert modes == {"takes": 0o700, folder.name: 0o700, "take.json": 0o600, "audio.wav": 0o600}
    utterance = takes.finish(take.id)
    files = [takes.voice.wavs, takes.voice.manifest, takes.voice.path / utterance.audio_path]
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o700, 0o600, 0o600]


def test_finishing_again_gives_the_same_answer(takes: Takes) -> None:
    take = record(takes, pcm())
    assert takes.finish(take.id) == takes.finish(take.id)
    assert saved(takes) == [take.id]


def test_parts_sent_twice_or_overlapping_are_kept_once(takes: Takes) -> None:
    sound, take = pcm(), begin(takes)
    assert takes.append(take.id, 0, sound[:1000]) == 500
    assert takes.append(take.id, 0, sound[:1000]) == 500
    assert takes.append(take.id, 300, sound[600:2000]) == 1000
    assert takes.append(take.id, 1000, sound[2000:]) == len(sound) // 2
    assert takes.wav(take.id)[44:] == sound


def test_a_gap_is_told_and_nothing_is_added(takes: Takes) -> None:
    take = begin(takes)
    takes.append(take.id, 0, b"\0\0" * 100)
    with pytest.raises(SamplesMissingError) as caught:
        takes.append(take.id, 101, b"\0\0")
    assert caught.value.stored == 100
    with pytest.raises(SamplesMissingError) as caught:
        takes.finish(take.id, 101)
    assert caught.value.stored == 100
    assert [unfinished.take for unfinished in takes.unfinished()] == [take]


def test_half_a_sample_of_a_write_that_was_cut_off_does_not_turn_the_rest_into_noise(takes: Takes) -> None:
    sound, take = pcm(), begin(takes)
    takes.append(take.id, 0, sound[:1000])
    with (takes.voice.takes / take.id / "audio.wav").open("ab") as file:
        file.write(sound[1000:1001])
    assert takes.append(take.id, 500, sound[1000:]) == len(sound) // 2
    assert takes.wav(take.id)[44:] == sound
    with pytest.raises(DataError, match="whole samples"):
        takes.append(take.id, 500, b"\0")


def test_an_unfinished_take_is_listed_with_its_words_and_can_be_kept(takes: Takes) -> None:
    empty, take = begin(takes), record(takes, pcm(0.5), "Good morning", phrase_id="p")
    (found,) = takes.unfinished()  # not the one that holds nothing
    assert (found.take, found.seconds) == (take, 0.5)
    takes.finish(take.id)
    assert saved(takes) == [take.id]
    with pytest.raises(AudioError, match="nothing came"):
        takes.finish(empty.id)


def test_a_clock_that_was_set_back_hides_no_unfinished_take(takes: Takes) -> None:
    take = record(takes, pcm())
    assert [found.is_live for found in takes.unfinished()] == [True]
    audio = takes.voice.takes / take.id / "audio.wav"
    tomorrow = audio.stat().st_mtime + 86_400
    os.utime(audio, (tomorrow, tomorrow))
    assert [found.is_live for found in takes.unfinished()] == [False]


def test_discarding_can_be_undone(takes: Takes) -> None:
    take = record(takes, pcm())
    takes.discard(take.id)
    assert takes.unfinished() == []
    with pytest.raises(NoSuchTakeError):
        takes.finish(take.id)
    takes.undiscard(take.id)
    takes.finish(take.id)
    assert saved(takes) == [take.id]
    with pytest.raises(NoSuchTakeError):
        takes.discard(take.id)


@pytest.mark.parametrize("name", ["", "..", ".discarded", "../../secret", "20260101-000000-0000000g", "a\0b"])
def test_only_ids_of_takes_are_looked_for(takes: Takes, name: str) -> None:
    record(takes, pcm(0.1))
    (takes.voice.path.parent / "secret").mkdir()
    for ask in (takes.finish, takes.discard, takes.undiscard, takes.wav, lambda take: takes.append(take, 0, b"")):
        with pytest.raises(NoSuchTakeError):
            ask(name)


@pytest.mark.parametrize("file", ["take.json", "audio.wav"])
@pytest.mark.parametrize("left", [0, 30, None])
def test_a_damaged_take_is_kept_and_named_and_stands_in_nobodys_way(takes: Takes, file: str, left: int | None) -> None:
    damaged, good = record(takes, pcm()), record(takes, pcm(seed=1))
    takes.finish(record(takes, pcm(seed=2)).id)
    folder = takes.voice.takes / damaged.id
    (folder / file).unlink() if left is None else os.truncate(folder / file, left)
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}

    assert [found.take.id for found in takes.unfinished()] == [good.id]
    takes.finish(record(takes, pcm(seed=3)).id)
    with pytest.raises(NoSuchTakeError):
        takes.append(damaged.id, 0, pcm())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept
    problem = next(problem for problem in check_voice(takes.voice) if problem.kind == "damaged-take")
    assert problem.file == f"takes/{damaged.id}"


def test_limits(takes: Takes) -> None:
    with pytest.raises(DataError, match="2000 characters"):
        new_take("a" * 2001, RATE)
    with pytest.raises(DataError, match="cannot be speech"):
        new_take("a", 100)
    for wrong in [{"text": " \n"}, {"text": "half a \ud800"}, {"text": "a", "language": "zz"}]:
        with pytest.raises(DataError):  # now, and not when somebody has spoken
            new_take(sample_rate=RATE, **wrong)
    take = new_take("a", 8000)
    takes.start(take)
    with pytest.raises(TakeTooLongError, match="10 minutes"):
        takes.append(take.id, 0, b"\0\0" * 8000 * 606)
    assert takes.append(take.id, 0, b"\0\0" * 8000 * 600) == 8000 * 600
    for _ in range(MAX_UNFINISHED - 1):
        begin(takes)
    with pytest.raises(DataError, match="50 recordings are unfinished"):
        begin(takes)


def test_recording_again_replaces_and_deletes_nothing(takes: Takes) -> None:
    first = record(takes, pcm())
    takes.finish(first.id)
    second = record(takes, pcm(seed=1), replaces=first.id)
    assert [utterance.id for utterance in read_manifest(takes.voice).utterances] == [first.id]
    takes.finish(second.id)
    assert [utterance.id for utterance in read_manifest(takes.voice).utterances] == [second.id]
    assert saved(takes) == [first.id, second.id]


@pytest.mark.parametrize("made_it", ["converted", "recording", "line"])
def test_a_take_whose_saving_was_killed_is_brought_to_its_end(takes: Takes, made_it: str) -> None:
    """The states a kill can leave, made from the files of a take that was saved."""
    take = record(takes, pcm())
    folder = takes.voice.takes / take.id
    content = {path.name: path.read_bytes() for path in folder.iterdir()}
    utterance = takes.finish(take.id)
    recording = takes.voice.path / utterance.audio_path
    folder.mkdir()
    for name, data in content.items():
        (folder / name).write_bytes(data)
    if made_it != "line":
        takes.voice.manifest.write_bytes(b'{"audio_path": "wavs/' + take.id.encode())  # torn, even
    if made_it == "converted":
        recording.rename(folder / "converted.wav")
        (listed,) = takes.unfinished()  # nobody had asked for it to be saved
        assert listed.take == take
        takes.finish(take.id)
    assert takes.unfinished() == []
    assert takes.finish(take.id) == utterance
    assert saved(takes) == [take.id]
    assert not folder.exists()


KILLABLE = """
import sys, numpy as np
from pathlib import Path
from ownvoice.data.take_folder import new_take
from ownvoice.data.takes import Takes
from ownvoice.rundir import VoiceFolder
takes = Takes(VoiceFolder(Path(sys.argv[1])))
sound = (np.sin(np.arange(24000) / 20) * 9000).astype("<i2").tobytes()
while True:
    take = new_take("one two", 48000)
    takes.start(take)
    for start in range(0, len(sound), 9600):
        takes.append(take.id, start // 2, sound[start : start + 9600])
    print("stored", take.id, flush=True)
    takes.finish(take.id, len(sound) // 2)
    print("saved", take.id, flush=True)
"""


def test_killed_at_any_moment_every_take_said_to_be_saved_is_there_once(takes: Takes) -> None:
    for number in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLABLE, str(takes.voice.path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        said = [process.stdout.readline().split() for _ in range(3)]
        threading.Event().wait(0.003 * number)
        process.send_signal(signal.SIGKILL)
        said += [line.split() for line in process.communicate()[0].splitlines()]
        unfinished = {found.take.id for found in takes.unfinished()}
        there = saved(takes)
        assert len(there) == len(set(there))
        assert {name for word, name in said if word == "saved"} <= set(there)
        assert {name for word, name in said if word == "stored"} <= set(there) | unfinished
        for name in unfinished:
            takes.finish(name)
            assert name in saved(takes)
    assert takes.unfinished() == []


def test_a_full_disk_loses_nothing_and_the_take_can_be_finished_later(takes: Takes) -> None:
    take = record(takes, pcm(2.0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(StorageError):
            takes.finish(take.id)
        with pytest.raises(StorageError):
            takes.append(take.id, 96000, pcm())
        assert saved(takes) == []
        assert takes.unfinished()[0].seconds == 2.0
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    takes.finish(take.id)
    assert saved(takes) == [take.id]


def test_a_disk_that_is_full_just_before_the_line_leaves_no_recording_without_one(takes: Takes) -> None:
    take = record(takes, pcm(0.2))
    takes.voice.manifest.write_bytes(b" " * 19_990 + b"\n")
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(StorageError):
            takes.finish(take.id)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert saved(takes) == []
    assert [found.take for found in takes.unfinished()] == [take]
    takes.voice.manifest.write_bytes(b"")
    takes.finish(take.id)
    assert saved(takes) == [take.id]


def test_many_at_once_are_all_saved_once(takes: Takes) -> None:
    ids: list[str] = []

    def work(seed: int) -> None:
        for number in range(4):
            take = record(takes, pcm(0.2, seed=seed + number))
            twice = [threading.Thread(target=takes.finish, args=[take.id]) for _ in range(2)]
            for thread in twice:
                thread.start()
            for thread in twice:
                thread.join()
            ids.append(take.id)

    threads = [threading.Thread(target=work, args=[10 * number]) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 12
    assert sorted(saved(takes)) == sorted(ids)


def test_following_a_manifest_sees_what_reading_it_anew_sees(takes: Takes) -> None:
    voice = takes.voice
    follower = ManifestFollower(voice)
    assert follower.everything() == []
    for number in range(3):
        append_utterances(voice, [Utterance(f"wavs/{number}.wav", f"text {number}", id=f"u{number}")])
        assert follower.everything() == read_manifest(voice).everything
    revise_utterance(voice, "u1", text="corrected")
    append_utterances(voice, [Utterance("wavs/9.wav", "again", replaces="u0")])
    assert follower.everything() == [utterance for _, utterance in scan_manifest(voice).everything]
    with voice.manifest.open("a") as file:
        file.write('{"audio_path": "wavs/torn')
    assert len(follower.everything()) == 4
    lines = voice.manifest.read_text().splitlines(keepends=True)
    voice.manifest.write_text("".join([lines[0].replace("text 0", "by hand"), *lines[1:5]]))  # an editor saves it
    assert follower.everything()[0].text == "by hand"
    voice.manifest.unlink()
    assert follower.everything() == []
