"""Loading: what is given is found and put together; what is wrong is said in plain words."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ownvoice.config import LoraSettings, TrainingSettings
from ownvoice.errors import ModelError
from ownvoice.model.adapters import add_lora, trained_tensors
from ownvoice.model.device import choose_device
from ownvoice.model.load import Recogniser, load_recogniser
from ownvoice.model.transcribe import transcribe_clips
from ownvoice.rundir import RunFolder
from small_voxtral import murmur

CLIPS = [murmur(0.5, seed=1), murmur(0.8, seed=2)]


@pytest.fixture(scope="module")
def adapter(small_voxtral: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that changes what the model says; not to be written to."""
    folder = tmp_path_factory.mktemp("adapter")
    model = load_recogniser(small_voxtral, device="cpu").model
    lora = add_lora(model, "both", LoraSettings(rank=4), seed=0, base_name=str(small_voxtral))
    for parameter in trained_tensors(model).values():
        torch.nn.init.normal_(parameter, std=0.3)
    lora.save_pretrained(folder)
    return folder


@pytest.fixture
def copy(small_voxtral: Path, tmp_path: Path) -> Path:
    """A copy of the full model that a test may spoil."""
    return Path(shutil.copytree(small_voxtral, tmp_path / "copy"))


@pytest.fixture
def adapter_copy(adapter: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(adapter, tmp_path / "adapter"))


def edit(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def texts(recogniser: Recogniser) -> list[str]:
    return transcribe_clips(recogniser, CLIPS, "en")


def test_full_model_from_its_folder(small_voxtral: Path) -> None:
    recogniser = load_recogniser(small_voxtral, device="cpu")
    assert (recogniser.name, recogniser.base_name) == (str(small_voxtral), str(small_voxtral))
    assert recogniser.description.startswith(f"{small_voxtral} on CPU (")
    assert recogniser.description.endswith(", float32")
    assert not recogniser.model.training
    with pytest.raises(ModelError, match="no adapter"), recogniser.as_base():
        pass


def test_files_of_older_transformers_are_read(copy: Path) -> None:
    settings = json.loads((copy / "processor_config.json").read_text())["feature_extractor"]
    (copy / "preprocessor_config.json").write_text(json.dumps(settings))
    (copy / "processor_config.json").unlink()
    assert load_recogniser(copy, device="cpu").window.seconds == 0.96


def test_precision_can_be_asked_for(small_voxtral: Path) -> None:
    assert load_recogniser(small_voxtral, device="cpu", dtype=torch.bfloat16).dtype == torch.bfloat16


def test_adapter_is_loaded_with_its_base_and_can_be_silenced(small_voxtral: Path, adapter: Path) -> None:
    base = texts(load_recogniser(small_voxtral, device="cpu"))
    tuned = load_recogniser(adapter, device="cpu")
    assert (tuned.name, tuned.base_name) == (str(adapter), str(small_voxtral))
    before = texts(tuned)
    assert before != base
    with tuned.as_base() as silenced:
        assert texts(silenced) == base
    assert texts(tuned) == before


@pytest.mark.parametrize("kind", ["adapter", "model"])
def test_run_is_loaded_with_its_language(small_voxtral: Path, adapter: Path, tmp_path: Path, kind: str) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    TrainingSettings(base_model=str(small_voxtral), language="es").save(run.config)
    shutil.copytree(adapter if kind == "adapter" else small_voxtral, run.path / kind)
    recogniser = load_recogniser(run.path, device="cpu")
    assert recogniser.language == "es"
    assert (recogniser.adapter is not None) == (kind == "adapter")


def refused(source: Path | str, *words: str) -> None:
    with pytest.raises(ModelError) as caught:
        load_recogniser(source, device="cpu")
    for word in words:
        assert word in str(caught.value)


def test_nothing_there(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", "there is no such model", 'Give "tiny"')
    refused("not a name", "there is no such model")
    refused(tmp_path, "this is no model folder: config.json is missing")


def test_run_that_has_trained_nothing(tmp_path: Path) -> None:
    TrainingSettings().save(tmp_path / "config.yaml")
    refused(tmp_path, "no trained model yet", "--resume")


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "not JSON": (lambda folder: (folder / "config.json").write_text("{"), "cannot be read as JSON"),
    "a list": (lambda folder: (folder / "config.json").write_text("[]"), "holds no JSON object"),
    "Whisper": (lambda folder: edit(folder / "config.json", model_type="whisper"), "no Voxtral model but 'whisper'"),
    "no type": (lambda folder: (folder / "config.json").write_text("{}"), "names no kind of model"),
    "realtime": (lambda folder: edit(folder / "config.json", model_type="voxtral_realtime"), "another architecture"),
    "no tokenizer": (lambda folder: (folder / "tekken.json").unlink(), "tekken.json is missing"),
    "no processor": (lambda folder: (folder / "processor_config.json").unlink(), "processor_config.json is missing"),
    "broken tokenizer": (lambda folder: (folder / "tekken.json").write_text("{}"), "the tokenizer or the processor"),
    "pickle": (
        lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
        "no weights in the safetensors format",
    ),
    "cut off": (
        lambda folder: (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:5000]),
        "damaged or do not fit",
    ),
    "other shapes": (
        lambda folder: edit(folder / "config.json", audio_config={"hidden_size": 32}),
        "damaged or do not fit",
    ),
}


@pytest.mark.parametrize("fault", SPOILED)
def test_spoiled_model_is_refused(copy: Path, fault: str) -> None:
    spoil, words = SPOILED[fault]
    spoil(copy)
    refused(copy, str(copy), words)


def test_missing_weights_are_not_left_random(copy: Path) -> None:
    weights = load_file(copy / "model.safetensors")
    name = next(name for name in weights if "layers.1.fc1.weight" in name)
    save_file(
        {key: value for key, value in weights.items() if key != name}, copy / "model.safetensors", {"format": "pt"}
    )
    refused(copy, "1 are missing or of another shape", "fc1.weight")


@pytest.mark.skipif(sys.platform != "linux", reason="only there is memory limited so")
def test_memory_that_runs_out_is_told_as_that() -> None:
    """With 8 MB the file's header is not read, with 20 MB its weights find no place."""
    starved = [sys.executable, str(Path(__file__).parent / "starved_load.py"), "tiny", "8", "20"]
    done = subprocess.run(starved, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.count("there is too little memory to load this model: its weights take 0.1 GB") == 2
    assert done.stdout.count("Close other programs, or choose a smaller model.") == 2


def test_spoiled_adapters_are_refused(adapter_copy: Path, adapter: Path, tmp_path: Path) -> None:
    settings = adapter_copy / "adapter_config.json"
    edit(settings, base_model_name_or_path=str(adapter))
    refused(adapter_copy, "is itself an adapter")
    edit(settings, base_model_name_or_path=str(tmp_path / "gone"))
    refused(adapter_copy, f"the model this adapter belongs to, {tmp_path / 'gone'}, cannot be used")
    edit(settings, base_model_name_or_path=None)
    refused(adapter_copy, "does not say which model it belongs to")


def test_adapter_whose_weights_are_wrong_is_refused(adapter_copy: Path) -> None:
    path = adapter_copy / "adapter_model.safetensors"
    content, weights = path.read_bytes(), load_file(path)
    first = sorted(weights)[0]
    save_file({key: value for key, value in weights.items() if key != first}, path)
    refused(adapter_copy, "has no counterpart")
    save_file(weights | {first: torch.zeros(1, 1)}, path)
    refused(adapter_copy, "cannot be put onto")
    path.write_bytes(content[:1000])
    refused(adapter_copy, "cannot be put onto")
    path.rename(adapter_copy / "adapter_model.bin")
    refused(adapter_copy, "adapter_model.safetensors) are missing")


def test_devices() -> None:
    assert choose_device("cpu").type == "cpu"
    assert choose_device().type in {"cpu", "cuda", "mps"}
    with pytest.raises(ModelError, match="no kind of device called 'abacus'"):
        choose_device("abacus")
    with pytest.raises(ModelError, match="this machine has no device 'xpu'"):
        choose_device("xpu")


def test_of_several_cards_the_one_chosen_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that is not told which loads onto the first."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.current_device", lambda: 1)
    assert choose_device() == choose_device("cuda") == torch.device("cuda:1")
    assert choose_device("cuda:0") == torch.device("cuda:0")
