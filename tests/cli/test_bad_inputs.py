"""What people get wrong, command by command: one clear message, exit code 1 or 2, and nothing of theirs changed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from ownvoice.cli import cli
from ownvoice.config import TrainingSettings
from ownvoice.data.manifest import read_manifest
from ownvoice.data.split import save_split, split_utterances
from ownvoice.rundir import RunFolder, VoiceFolder
from small_voxtral import murmur
from voices import make_voice


@dataclass(frozen=True)
class Place:
    """A folder with one good voice, one run of it, and room for something bad."""

    folder: Path
    voice: VoiceFolder
    run: RunFolder
    """Split, with a full model in it, as after full training."""
    model: Path

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def clip(self, name: str, samples: np.ndarray | None = None, rate: int = 16000, subtype: str = "PCM_16") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, murmur(0.9) if samples is None else samples, rate, subtype=subtype)
        return path

    def clip_with_words(self, name: str, **sound: object) -> Path:
        """A folder to import, holding one sound file and its text."""
        path = self.clip(name, **sound)  # type: ignore[arg-type]
        path.with_suffix(".txt").write_text("good morning")
        return path.parent

    def into_voice(self, source: object) -> list[str]:
        return ["import", str(source), str(self.voice.path)]

    def edit_manifest(self, line: str) -> None:
        with self.voice.manifest.open("a") as file:
            file.write(line + "\n")

    def train(self, *options: str) -> list[str]:
        return ["train", str(self.voice.path), "--base-model", str(self.model), *options]


@pytest.fixture(scope="module")
def good_place(tmp_path_factory: pytest.TempPathFactory, small_voxtral: Path) -> Path:
    folder = tmp_path_factory.mktemp("good")
    shutil.copytree(small_voxtral, folder / "model")
    voice = make_voice(folder / "voice")
    run = voice.new_run()
    run.path.rename(voice.runs / "first")
    run = RunFolder(voice.runs / "first")
    TrainingSettings(base_model=str(small_voxtral), method="full").save(run.config)
    save_split(run, split_utterances(read_manifest(voice).utterances, seed=0))
    shutil.copytree(small_voxtral, run.model)
    return folder


@pytest.fixture
def place(good_place: Path, tmp_path: Path) -> Place:
    folder = tmp_path / "place"
    shutil.copytree(good_place, folder)
    voice = VoiceFolder(folder / "voice")
    return Place(folder, voice, RunFolder(voice.runs / "first"), folder / "model")


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below ``folder``; locks hold nothing of anyone's."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def run(arguments: list[str]) -> Result:
    done = CliRunner().invoke(cli, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


BAD: dict[str, tuple[Callable[[Place], list[str]], str]] = {}
"""By name: what prepares the bad input and returns the command, and what the message must say."""


def bad(says: str) -> Callable[[Callable[[Place], list[str]]], Callable[[Place], list[str]]]:
    def register(prepare: Callable[[Place], list[str]]) -> Callable[[Place], list[str]]:
        BAD[prepare.__name__] = (prepare, says)
        return prepare

    return register


# Sources to import


@bad("there is no such file or folder")
def source_is_missing(place: Place) -> list[str]:
    return place.into_voice(place.folder / "nothing")


@bad("leads out of")
def zip_member_climbs_out(place: Place) -> list[str]:
    with zipfile.ZipFile(place.folder / "slip.zip", "w") as archive:
        archive.writestr("../../evil.txt", "out")
    return place.into_voice(place.folder / "slip.zip")


@bad("leads out of")
def zip_member_is_absolute(place: Place) -> list[str]:
    with zipfile.ZipFile(place.folder / "absolute.zip", "w") as archive:
        archive.writestr("/etc/evil.txt", "out")
    return place.into_voice(place.folder / "absolute.zip")


@bad("link")
def zip_member_is_a_link(place: Place) -> list[str]:
    with zipfile.ZipFile(place.folder / "link.zip", "w") as archive:
        member = zipfile.ZipInfo("a.wav")
        member.external_attr = 0o120777 << 16
        archive.writestr(member, "/etc/passwd")
    return place.into_voice(place.folder / "link.zip")


@bad("MB unpacked")
def zip_member_is_huge(place: Place) -> list[str]:
    with zipfile.ZipFile(place.folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.wav", bytes(300 << 20))
    return place.into_voice(place.folder / "bomb.zip")


@bad("cannot be read as a zip")
def zip_is_something_else(place: Place) -> list[str]:
    return place.into_voice(place.write("no.zip", "this is no archive"))


@bad("cannot be read as a zip")
def zip_is_cut_off(place: Place) -> list[str]:
    with zipfile.ZipFile(place.folder / "whole.zip", "w") as archive:
        archive.write(place.voice.wavs / "0001.wav", "a.wav")
        archive.writestr("a.txt", "good morning")
    whole = (place.folder / "whole.zip").read_bytes()
    return place.into_voice(place.write("cut.zip", whole[: len(whole) // 2]))


@bad("is cut off")
def wav_is_truncated(place: Place) -> list[str]:
    folder = place.clip_with_words("in/a.wav")
    whole = (folder / "a.wav").read_bytes()
    (folder / "a.wav").write_bytes(whole[: len(whole) // 2])
    return place.into_voice(folder)


@bad("is empty")
def wav_has_no_bytes(place: Place) -> list[str]:
    folder = place.clip_with_words("in/a.wav")
    (folder / "a.wav").write_bytes(b"")
    return place.into_voice(folder)


@bad("not an audio file")
def wav_is_text(place: Place) -> list[str]:
    folder = place.clip_with_words("in/a.wav")
    (folder / "a.wav").write_text("I am a text file")
    return place.into_voice(folder)


@bad("NaN")
def wav_holds_nan(place: Place) -> list[str]:
    samples = murmur(0.9)
    samples[100] = np.nan
    return place.into_voice(place.clip_with_words("in/a.wav", samples=samples, subtype="FLOAT"))


@bad("length is zero")
def wav_holds_no_samples(place: Place) -> list[str]:
    return place.into_voice(place.clip_with_words("in/a.wav", samples=np.zeros(0, np.float32)))


@bad("has no transcript")
def transcript_is_missing(place: Place) -> list[str]:
    return place.into_voice(place.clip("in/a.wav").parent)


@bad("a.txt")
def audio_is_missing(place: Place) -> list[str]:
    return place.into_voice(place.write("in/a.txt", "good morning").parent)


@bad("no recordings|holds no|nothing")
def folder_is_empty(place: Place) -> list[str]:
    (place.folder / "empty").mkdir()
    return place.into_voice(place.folder / "empty")


@bad("cannot be imported by itself")
def source_is_one_recording(place: Place) -> list[str]:
    return place.into_voice(place.clip("alone.wav"))


@bad("is the voice itself")
def source_is_the_voice(place: Place) -> list[str]:
    return place.into_voice(place.voice.path)


@bad("line 1")
def table_line_is_no_json(place: Place) -> list[str]:
    return place.into_voice(place.write("in/t.jsonl", '{"audio": "a.wav", "text": \n'))


@bad("not UTF-8")
def table_is_utf16(place: Place) -> list[str]:
    return place.into_voice(place.write("in/t.csv", "file,text\na.wav,hi\n".encode("utf-16")))


@bad(r"\.\.|leads out|outside")
def table_climbs_out(place: Place) -> list[str]:
    place.clip("a.wav")
    return place.into_voice(place.write("in/t.jsonl", '{"audio": "../a.wav", "text": "hi"}\n'))


@bad("nothing could be imported")
def table_names_a_system_file(place: Place) -> list[str]:
    return place.into_voice(place.write("in/t.jsonl", '{"audio": "/etc/passwd", "text": "hi"}\n'))


@bad("a.wav")
def table_names_a_missing_file(place: Place) -> list[str]:
    return place.into_voice(place.write("in/t.jsonl", '{"audio": "a.wav", "text": "hi"}\n'))


@bad("words spoken")
def table_has_no_text_column(place: Place) -> list[str]:
    place.clip("in/a.wav")
    return place.into_voice(place.write("in/t.csv", "file,size\na.wav,3\n"))


@bad("no column 'words'")
def column_asked_for_is_not_there(place: Place) -> list[str]:
    place.clip("in/a.wav")
    return [*place.into_voice(place.write("in/t.csv", "file,text\na.wav,hi\n")), "--text-column", "words"]


@bad("t.csv")
def table_is_empty(place: Place) -> list[str]:
    return place.into_voice(place.write("in/t.csv", ""))


@bad("two-letter language code")
def language_to_import_is_unknown(place: Place) -> list[str]:
    return [*place.into_voice(place.clip_with_words("in/a.wav")), "--language", "klingon"]


@bad("a file stands where a folder is needed")
def voice_to_import_into_is_a_file(place: Place) -> list[str]:
    return ["import", str(place.clip_with_words("in/a.wav")), str(place.voice.manifest)]


@bad("hub:")
def hub_name_is_malformed(place: Place) -> list[str]:
    return place.into_voice("hub:no such name")


# Voices to check


@bad("not a voice folder")
def voice_to_check_is_missing(place: Place) -> list[str]:
    return ["check", str(place.folder / "nobody")]


@bad("must be relative")
def manifest_path_is_absolute(place: Place) -> list[str]:
    place.edit_manifest('{"audio_path": "/etc/passwd", "text": "hi"}')
    return ["check", str(place.voice.path)]


@bad(r"by \.\.")
def manifest_path_climbs_out(place: Place) -> list[str]:
    place.edit_manifest('{"audio_path": "../secret.wav", "text": "hi"}')
    return ["check", str(place.voice.path)]


@bad("a link that leads out")
def recording_is_a_link_out(place: Place) -> list[str]:
    place.clip("outside.wav")
    (place.voice.wavs / "link.wav").symlink_to(place.folder / "outside.wav")
    place.edit_manifest('{"audio_path": "wavs/link.wav", "text": "hi"}')
    return ["check", str(place.voice.path)]


@bad("is not JSON")
def manifest_line_is_no_json(place: Place) -> list[str]:
    place.edit_manifest('{"audio_path": "wavs/0001.wav", "text" "hi"}')
    return ["check", str(place.voice.path)]


@bad("no such file")
def recording_is_gone(place: Place) -> list[str]:
    (place.voice.wavs / "0005.wav").unlink()
    return ["check", str(place.voice.path)]


@bad("two-letter language code")
def language_of_the_voice_is_unknown(place: Place) -> list[str]:
    place.voice.settings.write_text("language: klingon\n")
    return ["check", str(place.voice.path)]


# Training


@bad("not a voice folder")
def voice_to_train_is_missing(place: Place) -> list[str]:
    return ["train", str(place.folder / "nobody")]


@bad("is needed")
def train_without_a_voice(place: Place) -> list[str]:
    return ["train"]


@bad("training needs at least 10")
def too_few_utterances(place: Place) -> list[str]:
    make_voice(place.folder / "short", 9)
    return ["train", str(place.folder / "short"), "--base-model", str(place.model)]


@bad("by itself|has no line|line 13")
def manifest_to_train_on_has_a_bad_line(place: Place) -> list[str]:
    place.edit_manifest("{no json")
    return place.train()


@bad("does not exist")
def recipe_is_missing(place: Place) -> list[str]:
    return place.train("--recipe", str(place.folder / "no.yaml"))


@bad("cannot be read as YAML")
def recipe_is_no_yaml(place: Place) -> list[str]:
    return place.train("--recipe", str(place.write("r.yaml", "epochs: [1\n")))


@bad("cannot be read as YAML")
def recipe_is_binary(place: Place) -> list[str]:
    return place.train("--recipe", str(place.write("r.yaml", bytes(range(128, 256)))))


@bad("lora.width: there is no such setting")
def recipe_has_an_unknown_key(place: Place) -> list[str]:
    return place.train("--recipe", str(place.write("r.yaml", "lora: {width: 8}\n")))


@bad("epochs")
def recipe_value_is_out_of_range(place: Place) -> list[str]:
    return place.train("--recipe", str(place.write("r.yaml", "epochs: 0\n")))


@bad("epochs")
def option_is_no_number(place: Place) -> list[str]:
    return place.train("--epochs", "many")


@bad("'magic' is not one of")
def method_is_unknown(place: Place) -> list[str]:
    return place.train("--method", "magic")


@bad("specaugment")
def settings_contradict_each_other(place: Place) -> list[str]:
    return place.train("--scope", "decoder", "--augment-specaugment")


@bad("two-letter language code")
def language_to_train_is_unknown(place: Place) -> list[str]:
    return place.train("--language", "xx")


@bad("there is no such model")
def base_model_is_missing(place: Place) -> list[str]:
    return ["train", str(place.voice.path), "--base-model", str(place.folder / "no-model")]


@bad("safetensors")
def base_model_has_only_pickled_weights(place: Place) -> list[str]:
    (place.model / "model.safetensors").rename(place.model / "pytorch_model.bin")
    return place.train()


@bad("no unfinished run")
def nothing_to_resume(place: Place) -> list[str]:
    shutil.rmtree(place.voice.runs)
    return ["train", str(place.voice.path), "--resume"]


@bad("settings it started with")
def resume_with_other_settings(place: Place) -> list[str]:
    return ["train", str(place.run.path), "--resume", "--epochs", "99"]


@bad("line 1")
def dataset_jsonl_is_no_json(place: Place) -> list[str]:
    return ["train", "--dataset-jsonl", str(place.write("in/t.jsonl", "hello\n"))]


# Evaluation


@bad("not a training run")
def run_to_evaluate_is_none(place: Place) -> list[str]:
    return ["evaluate", str(place.voice.path)]


@bad("not a voice folder")
def other_voice_is_none(place: Place) -> list[str]:
    return ["evaluate", str(place.run.path), "--on", str(place.folder)]


@bad("no trained model yet")
def run_has_no_model(place: Place) -> list[str]:
    shutil.rmtree(place.run.model)
    return ["evaluate", str(place.run.path)]


@bad("cannot be loaded")
def weights_are_damaged(place: Place) -> list[str]:
    weights = place.run.model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    return ["evaluate", str(place.run.path)]


@bad("is not a split")
def split_is_damaged(place: Place) -> list[str]:
    place.run.split.write_text('{"train": ')
    return ["evaluate", str(place.run.path)]


@bad("the voice does not have")
def split_names_a_stranger(place: Place) -> list[str]:
    split = json.loads(place.run.split.read_text())
    split["test"].append("wavs/9999.wav")
    place.run.split.write_text(json.dumps(split))
    return ["evaluate", str(place.run.path)]


@bad("has no letters")
def name_has_no_letters(place: Place) -> list[str]:
    return ["evaluate", str(place.run.path), "--name", "!?"]


@bad("cannot be used")
def base_of_the_adapter_is_gone(place: Place) -> list[str]:
    adapter = {"base_model_name_or_path": str(place.folder / "gone"), "peft_type": "LORA"}
    place.write("adapter/adapter_config.json", json.dumps(adapter))
    place.write("adapter/adapter_model.safetensors", b"")
    return ["transcribe", str(place.voice.wavs / "0001.wav"), "--model", str(place.folder / "adapter")]


@bad("damaged")
def adapter_weights_are_damaged(place: Place) -> list[str]:
    adapter = {"base_model_name_or_path": str(place.model), "peft_type": "LORA", "target_modules": ["q_proj"]}
    place.write("adapter/adapter_config.json", json.dumps(adapter))
    place.write("adapter/adapter_model.safetensors", b"no tensors here")
    return ["transcribe", str(place.voice.wavs / "0001.wav"), "--model", str(place.folder / "adapter")]


# Transcription


@bad("does not exist")
def recording_to_transcribe_is_missing(place: Place) -> list[str]:
    return ["transcribe", str(place.folder / "no.wav"), "--model", str(place.model)]


@bad("is a directory")
def recording_to_transcribe_is_a_folder(place: Place) -> list[str]:
    return ["transcribe", str(place.voice.wavs), "--model", str(place.model)]


@bad("not an audio file")
def recording_to_transcribe_is_text(place: Place) -> list[str]:
    return ["transcribe", str(place.voice.manifest), "--model", str(place.model)]


@bad("two-letter language code")
def language_to_transcribe_is_unknown(place: Place) -> list[str]:
    return ["transcribe", str(place.voice.wavs / "0001.wav"), "--model", str(place.model), "--language", "auto"]


@bad("this is no model folder")
def model_folder_is_none(place: Place) -> list[str]:
    return ["transcribe", str(place.voice.wavs / "0001.wav"), "--model", str(place.voice.path)]


@bad("no Voxtral model but 'whisper'")
def model_is_another(place: Place) -> list[str]:
    place.write("whisper/config.json", '{"model_type": "whisper"}')
    return ["transcribe", str(place.voice.wavs / "0001.wav"), "--model", str(place.folder / "whisper")]


@bad("config.json")
def model_configuration_is_damaged(place: Place) -> list[str]:
    (place.model / "config.json").write_text("{")
    return ["transcribe", str(place.voice.wavs / "0001.wav"), "--model", str(place.model)]


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str, place: Place) -> None:
    prepare, says = BAD[name]
    arguments = prepare(place)
    before = digests(place.folder)
    done = run(arguments)
    assert done.exit_code in (1, 2), done.output
    assert re.search(says, done.output), done.output
    assert "Traceback" not in done.output
    assert len(done.output) < 1500
    assert digests(place.folder) == before


# What needs a disk of its own


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 kB: small enough to fill with ten seconds of speech."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if (
        os.geteuid() != 0
        or mount is None
        or subprocess.run([mount, "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk]).returncode
    ):
        if os.environ.get("CI"):
            pytest.fail("CI must be able to mount a small disk")
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", disk], check=True)


def speech_folder(folder: Path, clips: int) -> Path:
    folder.mkdir()
    for number in range(clips):
        soundfile.write(folder / f"{number}.wav", murmur(1.5, seed=number), 16000)
        (folder / f"{number}.txt").write_text(f"phrase {number}")
    return folder


def test_full_disk_keeps_what_was_saved_and_importing_goes_on_later(small_disk: Path, tmp_path: Path) -> None:
    source = speech_folder(tmp_path / "in", 12)  # 12 of 48 kB do not go into 256 kB
    voice = VoiceFolder(small_disk / "voice")
    done = run(["import", str(source), str(voice.path)])
    assert done.exit_code == 1
    assert "the disk is full" in done.output
    saved = digests(voice.path)
    kept = read_manifest(voice).utterances
    assert 0 < len(kept) < 12
    assert all((voice.path / utterance.audio_path).is_file() for utterance in kept)

    again = run(["import", str(source), str(voice.path)])
    assert again.exit_code == 1
    assert saved.items() <= digests(voice.path).items()

    subprocess.run(["mount", "-o", "remount,size=2m", small_disk], check=True)
    assert run(["import", str(source), str(voice.path)]).exit_code == 0
    assert len(read_manifest(voice).utterances) == 12


def test_read_only_disk_is_named_and_left_alone(small_disk: Path, tmp_path: Path) -> None:
    voice = make_voice(small_disk / "voice", 2)
    before = digests(small_disk)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    done = run(["import", str(speech_folder(tmp_path / "in", 1)), str(voice.path)])
    assert done.exit_code == 1
    assert "read-only" in done.output
    assert digests(small_disk) == before


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
