"""Runs and models that cannot be judged or used: refused clearly, and nothing is changed."""

from __future__ import annotations

import json
import shutil

import pytest
from bad_place import Place, run


def test_run_to_evaluate_is_none(place: Place) -> None:
    place.assert_refused(["evaluate", str(place.voice.path)], "not a training run")


def test_other_voice_is_none(place: Place) -> None:
    place.assert_refused(["evaluate", str(place.run.path), "--on", str(place.folder)], "not a voice folder")


def test_model_is_a_voice(place: Place) -> None:
    sound = str(place.voice.wavs / "0001.wav")
    hear = ["transcribe", sound, "--model", str(place.voice.path)]
    place.assert_refused(hear, rf"is a voice.*\n.*{place.run.path}")
    shutil.rmtree(place.voice.runs)
    place.assert_refused(hear, f"ownvoice train {place.voice.path}")


def test_run_has_no_model(place: Place) -> None:
    shutil.rmtree(place.run.model)
    place.assert_refused(["evaluate", str(place.run.path)], "no trained model yet")


def test_weights_are_damaged(place: Place) -> None:
    weights = place.run.model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    place.assert_refused(["evaluate", str(place.run.path)], "cannot be loaded")


def test_split_is_damaged(place: Place) -> None:
    place.run.split.write_text('{"train": ')
    place.assert_refused(["evaluate", str(place.run.path)], "is not a split")


def test_split_names_a_stranger(place: Place) -> None:
    split = json.loads(place.run.split.read_text())
    split["test"].append("wavs/9999.wav")
    place.run.split.write_text(json.dumps(split))
    place.assert_refused(["evaluate", str(place.run.path)], "the voice does not have")


def test_name_has_no_letters(place: Place) -> None:
    place.assert_refused(["evaluate", str(place.run.path), "--name", "!?"], "has no letters")


def test_base_of_the_adapter_is_gone(place: Place) -> None:
    adapter = {"base_model_name_or_path": str(place.folder / "gone"), "peft_type": "LORA"}
    place.write("adapter/adapter_config.json", json.dumps(adapter))
    place.write("adapter/adapter_model.safetensors", b"")
    place.assert_refused(
        ["transcribe", str(place.voice.wavs / "0001.wav"), "--model", str(place.folder / "adapter")], "cannot be used"
    )


def test_adapter_weights_are_damaged(place: Place) -> None:
    adapter = {"base_model_name_or_path": str(place.model), "peft_type": "LORA", "target_modules": ["q_proj"]}
    place.write("adapter/adapter_config.json", json.dumps(adapter))
    place.write("adapter/adapter_model.safetensors", b"no tensors here")
    place.assert_refused(
        ["transcribe", str(place.voice.wavs / "0001.wav"), "--model", str(place.folder / "adapter")], "damaged"
    )


def test_recording_to_transcribe_is_missing(place: Place) -> None:
    place.assert_refused(["transcribe", str(place.folder / "no.wav"), "--model", str(place.model)], "does not exist")


def test_folder_to_transcribe_holds_no_recording(place: Place) -> None:
    (place.folder / "empty").mkdir()
    place.assert_refused(["transcribe", str(place.folder / "empty"), "--model", str(place.model)], "no sound file")


def test_recording_to_transcribe_is_text(place: Place) -> None:
    place.assert_refused(["transcribe", str(place.voice.manifest), "--model", str(place.model)], "not an audio file")


def test_language_to_transcribe_is_unknown(place: Place) -> None:
    place.assert_refused(
        ["transcribe", str(place.voice.wavs / "0001.wav"), "--model", str(place.model), "--language", "auto"],
        "two-letter language code",
    )


def test_model_folder_is_none(place: Place) -> None:
    place.assert_refused(
        ["transcribe", str(place.voice.wavs / "0001.wav"), "--model", str(place.voice.wavs)], "this is no model folder"
    )


def test_model_is_another(place: Place) -> None:
    place.write("whisper/config.json", '{"model_type": "whisper"}')
    place.assert_refused(
        ["transcribe", str(place.voice.wavs / "0001.wav"), "--model", str(place.folder / "whisper")],
        "no Voxtral model but 'whisper'",
    )


def test_model_configuration_is_damaged(place: Place) -> None:
    (place.model / "config.json").write_text("{")
    place.assert_refused(["transcribe", str(place.voice.wavs / "0001.wav"), "--model", str(place.model)], "config.json")


DEEP = "[" * 20_000
"""Nested beyond what any reader follows: small, and the end of one that does not expect it."""


@pytest.mark.parametrize("name", ["config.json", "processor_config.json", "tekken.json"])
def test_model_files_are_nested_without_end(place: Place, name: str) -> None:
    (place.model / name).write_text(DEEP)
    place.assert_refused(["transcribe", str(place.voice.wavs / "0001.wav"), "--model", str(place.model)], "recursion")


def test_files_of_a_run_are_nested_without_end(place: Place) -> None:
    place.run.evaluation_json.write_text(DEEP)
    place.assert_refused(["card", str(place.run.path)], "evaluation.json")


def test_code_beside_a_model_is_never_run(place: Place) -> None:
    config = json.loads((place.model / "config.json").read_text())
    config["auto_map"] = dict.fromkeys(("AutoConfig", "AutoModel", "AutoProcessor"), "evil.Evil")
    (place.model / "config.json").write_text(json.dumps(config))
    ran = place.folder / "ran"
    (place.model / "evil.py").write_text(f"open({str(ran)!r}, 'w')\n")
    run(["transcribe", str(place.voice.wavs / "0001.wav"), "--model", str(place.model)])
    assert not ran.exists()
