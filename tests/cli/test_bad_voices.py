"""Voices, settings and models that cannot be checked or trained: refused clearly, and nothing is changed."""

from __future__ import annotations

import shutil

import pytest
from bad_place import Place, run

from ownvoice.data.voice_settings import read_voice_settings
from voices import make_voice


def test_voice_to_check_is_missing(place: Place) -> None:
    place.assert_refused(["check", str(place.folder / "nobody")], "not a voice folder")


def test_manifest_path_is_absolute(place: Place) -> None:
    place.edit_manifest('{"audio_path": "/etc/passwd", "text": "hi"}')
    place.assert_refused(["check", str(place.voice.path)], "must be relative")


def test_manifest_path_climbs_out(place: Place) -> None:
    place.edit_manifest('{"audio_path": "../secret.wav", "text": "hi"}')
    place.assert_refused(["check", str(place.voice.path)], r"by \.\.")


def test_recording_is_a_link_out(place: Place) -> None:
    place.clip("outside.wav")
    (place.voice.wavs / "link.wav").symlink_to(place.folder / "outside.wav")
    place.edit_manifest('{"audio_path": "wavs/link.wav", "text": "hi"}')
    place.assert_refused(["check", str(place.voice.path)], "a link that leads out")


def test_manifest_line_is_no_json(place: Place) -> None:
    place.edit_manifest('{"audio_path": "wavs/0001.wav", "text" "hi"}')
    place.assert_refused(["check", str(place.voice.path)], "is not JSON")


def test_recording_is_gone(place: Place) -> None:
    (place.voice.wavs / "0005.wav").unlink()
    place.assert_refused(["check", str(place.voice.path)], "no such file")


def test_language_of_the_voice_is_unknown(place: Place) -> None:
    place.voice.settings.write_text("language: klingon\n")
    place.assert_refused(["check", str(place.voice.path)], "two-letter language code")


def test_voice_to_train_is_missing(place: Place) -> None:
    place.assert_refused(["train", str(place.folder / "nobody")], "not a voice folder")


def test_train_without_a_voice(place: Place) -> None:
    place.assert_refused(["train"], "is needed")


def test_too_few_utterances(place: Place) -> None:
    make_voice(place.folder / "short", 9)
    place.assert_refused(
        ["train", str(place.folder / "short"), "--base-model", str(place.model)], "training needs at least 10"
    )


def test_manifest_to_train_on_has_a_bad_line(place: Place) -> None:
    place.edit_manifest("{no json")
    place.assert_refused(place.train(), "by itself|has no line|line 13")


def test_recipe_is_missing(place: Place) -> None:
    place.assert_refused(place.train("--recipe", str(place.folder / "no.yaml")), "does not exist")


def test_recipe_is_no_yaml(place: Place) -> None:
    place.assert_refused(place.train("--recipe", str(place.write("r.yaml", "epochs: [1\n"))), "cannot be read as YAML")


def test_recipe_is_binary(place: Place) -> None:
    place.assert_refused(
        place.train("--recipe", str(place.write("r.yaml", bytes(range(128, 256))))), "cannot be read as YAML"
    )


@pytest.mark.parametrize("yaml", ["epochs: " + "[" * 5000, "epochs: !!python/object/apply:os.system [ls]"])
def test_yaml_that_would_take_its_reader_down_or_run_code(place: Place, yaml: str) -> None:
    place.assert_refused(place.train("--recipe", str(place.write("r.yaml", yaml))), "cannot be read as YAML")
    place.voice.settings.write_text(yaml)
    place.assert_refused(["check", str(place.voice.path)], "cannot be read as YAML")


def test_recipe_gives_a_name_twice(place: Place) -> None:
    twice = place.write("r.yaml", "epochs: 3\nlora:\n  rank: 8\nepochs: 30\n")
    place.assert_refused(place.train("--recipe", str(twice)), "(?s)'epochs' is given twice.*line 4")


def test_norwegian_is_written_as_a_person_writes_it(place: Place) -> None:
    place.voice.settings.write_text("language: no\n")
    done = run(["check", str(place.voice.path)])
    assert "voice.yaml" not in done.output
    assert read_voice_settings(place.voice).language == "no"


def test_recipe_has_an_unknown_key(place: Place) -> None:
    place.assert_refused(
        place.train("--recipe", str(place.write("r.yaml", "lora: {width: 8}\n"))),
        "lora.width: there is no such setting",
    )


def test_recipe_value_is_out_of_range(place: Place) -> None:
    place.assert_refused(place.train("--recipe", str(place.write("r.yaml", "epochs: 0\n"))), "epochs")


def test_option_is_no_number(place: Place) -> None:
    place.assert_refused(place.train("--epochs", "many"), "epochs")


def test_method_is_unknown(place: Place) -> None:
    place.assert_refused(place.train("--method", "magic"), "'magic' is not one of")


def test_settings_contradict_each_other(place: Place) -> None:
    place.assert_refused(place.train("--scope", "decoder", "--augment-specaugment"), "specaugment")


def test_language_to_train_is_unknown(place: Place) -> None:
    place.assert_refused(place.train("--language", "xx"), "two-letter language code")


def test_base_model_is_missing(place: Place) -> None:
    place.assert_refused(
        ["train", str(place.voice.path), "--base-model", str(place.folder / "no-model")], "there is no such model"
    )


def test_base_model_has_only_pickled_weights(place: Place) -> None:
    (place.model / "model.safetensors").rename(place.model / "pytorch_model.bin")
    place.assert_refused(place.train(), "safetensors")


def test_nothing_to_resume(place: Place) -> None:
    shutil.rmtree(place.voice.runs)
    place.assert_refused(["train", str(place.voice.path), "--resume"], "no unfinished run")


def test_resume_with_other_settings(place: Place) -> None:
    place.assert_refused(["train", str(place.run.path), "--resume", "--epochs", "99"], "settings it started with")


def test_dataset_jsonl_is_no_json(place: Place) -> None:
    place.assert_refused(["train", "--dataset-jsonl", str(place.write("in/t.jsonl", "hello\n"))], "line 1")
