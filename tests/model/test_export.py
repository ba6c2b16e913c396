"""Exports are read back by routes that know nothing of ownvoice, and say what base and adapter say.

merged          by transformers alone, in a process in which ownvoice cannot be imported
vllm-adapter    by the names written down below, summed by hand into the base's weights
mistral         by the mapping of transformers' convert_voxtral_weights_to_hf.py, written down below
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from ownvoice.config import LoraSettings
from ownvoice.errors import ModelError
from ownvoice.model.adapters import add_lora, trained_tensors
from ownvoice.model.export import merge_run, merged
from ownvoice.model.features import encode, log_mel, splice
from ownvoice.model.load import Recogniser, load_recogniser
from ownvoice.model.mistral_layout import write_mistral_layout
from ownvoice.model.vllm_adapter import export_vllm_adapter, vllm_name
from small_voxtral import murmur

CLIP = murmur(0.9, seed=3)


@pytest.fixture(scope="module")
def adapter(small_voxtral: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter of encoder and decoder that changes every layer it is beside."""
    return make_adapter(small_voxtral, tmp_path_factory.mktemp("adapter"), "both")


def make_adapter(base: Path, folder: Path, scope: str) -> Path:
    model = load_recogniser(base, device="cpu").model
    lora = add_lora(model, scope, LoraSettings(rank=4), seed=0, base_name=str(base))  # type: ignore[arg-type]
    torch.manual_seed(1)
    for parameter in trained_tensors(model).values():
        torch.nn.init.normal_(parameter, std=0.1)
    lora.save_pretrained(folder)
    return folder


def logits(recogniser: Recogniser) -> torch.Tensor:
    """Of the whole transcription prompt for :data:`CLIP`, in float32."""
    prompt = torch.tensor([recogniser.prompts.prompt(1, "en")])
    with torch.inference_mode():
        mel = log_mel(recogniser.processor.feature_extractor, CLIP, recogniser.window)
        embeddings = splice(recogniser.model, prompt, encode(recogniser.model, mel))
        return recogniser.model(inputs_embeds=embeddings).logits[0]


@pytest.fixture(scope="module")
def expected(adapter: Path) -> torch.Tensor:
    return logits(load_recogniser(adapter, device="cpu", dtype=torch.float32))


def as_float32_base(folder: Path) -> Recogniser:
    return load_recogniser(folder, device="cpu", dtype=torch.float32)


TRANSFORMERS_ALONE = """
import json, sys
sys.modules["ownvoice"] = None  # an import of it fails from here on
import numpy, torch
from transformers import VoxtralForConditionalGeneration, VoxtralProcessor
folder, clip, ids, out = sys.argv[1:]
model = VoxtralForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
processor = VoxtralProcessor.from_pretrained(folder)
window = model.config.audio_config.max_source_positions * 2
inputs = processor.apply_transcription_request(
    numpy.load(clip), "any", language="en", sampling_rate=16000, format="WAV",
    audio_kwargs={"pad_to_multiple_of": window * 160, "max_source_positions": window},
)
json.dump(inputs["input_ids"][0].tolist(), open(ids, "w"))
with torch.inference_mode():
    numpy.save(out, model(**inputs).logits[0].numpy())
"""


def test_merged_model_is_read_by_transformers_alone(adapter: Path, expected: torch.Tensor, tmp_path: Path) -> None:
    folder = tmp_path / "merged"
    folder.mkdir()
    merge_run(adapter, folder)
    np.save(tmp_path / "clip.npy", CLIP)
    script = tmp_path / "alone.py"
    script.write_text(TRANSFORMERS_ALONE)
    command = [sys.executable, "-I", script, folder, tmp_path / "clip.npy", tmp_path / "ids.json", tmp_path / "out.npy"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    found = torch.from_numpy(np.load(tmp_path / "out.npy"))
    assert (found - expected).abs().max() < 1e-3
    assert expected.abs().max() > 0.1, "near nothing everything is alike"
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json", "generation_config.json", "model.safetensors", "processor_config.json", "tekken.json",
    ]  # fmt: skip
    assert str(tmp_path.parent) not in "".join(path.read_text() for path in folder.glob("*.json"))


def test_merging_keeps_the_precision_that_was_asked_for(adapter: Path, tmp_path: Path) -> None:
    merge_run(adapter, tmp_path, dtype=torch.bfloat16)
    weights = load_file(tmp_path / "model.safetensors")
    others = [name for name, tensor in weights.items() if tensor.dtype != torch.bfloat16]
    assert others == ["audio_tower.embed_positions.weight"], "which transformers always keeps in float32"
    assert load_recogniser(tmp_path, device="cpu").window.seconds == 0.96


# Names of the modules of vLLM's Voxtral that take an adapter, with the parts of its packed qkv_proj unpacked, and to
# which module of transformers each belongs. Sources, vLLM's repository (main, read 2026-11-22):
#   vllm/model_executor/models/voxtral.py   VoxtralForConditionalGeneration: self.language_model, self.whisper_encoder;
#                                           VoxtralEncoderModel: self.whisper_encoder, mistral_remapping;
#                                           packed_modules_mapping {"qkv_proj": ["q_proj", "k_proj", "v_proj"]}
#   vllm/model_executor/models/llama.py     model.layers.N.self_attn.{qkv_proj,o_proj}
#   vllm/model_executor/models/whisper.py   layers.N.self_attn.{qkv_proj,out_proj}, layers.N.mlp.{fc1,fc2}
#   vllm/lora/utils.py                      parse_fine_tuned_lora_name: "base_model.model." + module + ".lora_A.weight"
VLLM_MODULES = {
    f"language_model.model.layers.{layer}.self_attn.{part}": f"model.language_model.layers.{layer}.self_attn.{part}"
    for layer in range(2)
    for part in ("q_proj", "k_proj", "v_proj", "o_proj")
} | {
    f"whisper_encoder.whisper_encoder.layers.{layer}.{theirs}": f"model.audio_tower.layers.{layer}.{ours}"
    for layer in range(2)
    for theirs, ours in {
        "self_attn.q_proj": "self_attn.q_proj",
        "self_attn.k_proj": "self_attn.k_proj",
        "self_attn.v_proj": "self_attn.v_proj",
        "self_attn.out_proj": "self_attn.out_proj",
        "mlp.fc1": "fc1",
        "mlp.fc2": "fc2",
    }.items()
}


def test_vllm_finds_every_layer_and_hears_what_the_run_hears(
    adapter: Path, small_voxtral: Path, expected: torch.Tensor, tmp_path: Path
) -> None:
    made = export_vllm_adapter(adapter, tmp_path)
    tensors = load_file(tmp_path / "adapter_model.safetensors")
    modules = {re.fullmatch(r"base_model\.model\.(.+)\.lora_[AB]\.weight", name)[1] for name in tensors}  # type: ignore[index]
    assert modules == VLLM_MODULES.keys()

    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert set(config["target_modules"]) == {module.rpartition(".")[2] for module in modules}
    base = as_float32_base(small_voxtral)
    with torch.no_grad():
        for theirs, ours in VLLM_MODULES.items():
            a, b = (tensors[f"base_model.model.{theirs}.lora_{side}.weight"] for side in "AB")
            base.model.get_submodule(ours).weight += config["lora_alpha"] / config["r"] * b @ a
    assert (logits(base) - expected).abs().max() < 1e-3

    command = made.command("me", tmp_path)
    assert f"vllm serve {small_voxtral} --tokenizer-mode mistral" in command
    assert f"--enable-lora --enable-tower-connector-lora --max-lora-rank 8 --lora-modules me={tmp_path}" in command


def test_adapter_of_the_decoder_alone_needs_no_special_flag(small_voxtral: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    made = export_vllm_adapter(make_adapter(small_voxtral, tmp_path / "adapter", "decoder"), tmp_path / "out")
    assert "tower" not in made.command("me", tmp_path)


def test_names_of_older_transformers_are_known() -> None:
    older = "base_model.model.language_model.model.layers.7.self_attn.o_proj.lora_B.weight"
    assert vllm_name(older) == older


def test_what_vllm_would_leave_out_or_misread_is_refused(adapter: Path, small_voxtral: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no adapter to export"):
        export_vllm_adapter(small_voxtral, tmp_path)
    with pytest.raises(ModelError, match="no place for the adapter's tensor"):
        vllm_name("base_model.model.lm_head.lora_A.weight")
    config = json.loads((adapter / "adapter_config.json").read_text())
    spoiled = tmp_path / "spoiled"
    spoiled.mkdir()
    save_file(load_file(adapter / "adapter_model.safetensors"), spoiled / "adapter_model.safetensors")
    (spoiled / "adapter_config.json").write_text(json.dumps(config | {"use_rslora": True}))
    with pytest.raises(ModelError, match="not plain LoRA"):
        export_vllm_adapter(spoiled, tmp_path)


# From transformers' src/transformers/models/voxtral/convert_voxtral_weights_to_hf.py (main, read 2026-11-22).
FROM_MISTRAL = {
    r"^output.weight": r"lm_head.weight",
    r"^norm.weight": r"model.language_model.norm.weight",
    r"^layers.(\d+).attention_norm.weight": r"model.language_model.layers.\1.input_layernorm.weight",
    r"^layers.(\d+).ffn_norm.weight": r"model.language_model.layers.\1.post_attention_layernorm.weight",
    r"^layers.(\d+).attention.w(q|k|v|o).weight": r"model.language_model.layers.\1.self_attn.\2_proj.weight",
    r"^layers.(\d+).feed_forward.w1.weight": r"model.language_model.layers.\1.mlp.gate_proj.weight",
    r"^layers.(\d+).feed_forward.w2.weight": r"model.language_model.layers.\1.mlp.down_proj.weight",
    r"^layers.(\d+).feed_forward.w3.weight": r"model.language_model.layers.\1.mlp.up_proj.weight",
    r"mm_whisper_embeddings.tok_embeddings.weight": r"model.language_model.embed_tokens.weight",
    r"mm_whisper_embeddings.whisper_encoder.conv_layers.0.(weight|bias)": r"model.audio_tower.conv1.\1",
    r"mm_whisper_embeddings.whisper_encoder.conv_layers.1.(weight|bias)": r"model.audio_tower.conv2.\1",
    r"mm_whisper_embeddings.whisper_encoder.transformer.norm.(weight|bias)": r"model.audio_tower.layer_norm.\1",
    r"mm_whisper_embeddings.whisper_encoder.transformer.layers.(\d+).attention.w([qkv]).(weight|bias)":
        r"model.audio_tower.layers.\1.self_attn.\2_proj.\3",
    r"mm_whisper_embeddings.whisper_encoder.transformer.layers.(\d+).attention.wo.(weight|bias)":
        r"model.audio_tower.layers.\1.self_attn.out_proj.\2",
    r"mm_whisper_embeddings.whisper_encoder.transformer.layers.(\d+).attention_norm.(weight|bias)":
        r"model.audio_tower.layers.\1.self_attn_layer_norm.\2",
    r"mm_whisper_embeddings.whisper_encoder.transformer.layers.(\d+).feed_forward.w1.(weight|bias)":
        r"model.audio_tower.layers.\1.fc1.\2",
    r"mm_whisper_embeddings.whisper_encoder.transformer.layers.(\d+).feed_forward.w2.(weight|bias)":
        r"model.audio_tower.layers.\1.fc2.\2",
    r"mm_whisper_embeddings.whisper_encoder.transformer.layers.(\d+).ffn_norm.(weight|bias)":
        r"model.audio_tower.layers.\1.final_layer_norm.\2",
    r"mm_whisper_embeddings.audio_language_projection.0.weight": r"model.multi_modal_projector.linear_1.weight",
    r"mm_whisper_embeddings.audio_language_projection.2.weight": r"model.multi_modal_projector.linear_2.weight",
}  # fmt: skip


def to_hugging_face(name: str, tensor: torch.Tensor, params: dict[str, int]) -> tuple[str, torch.Tensor]:
    """One tensor of Mistral's layout as the converter reads it, rotary pairs taken apart into halves."""
    new = next(re.sub(old, new, name) for old, new in FROM_MISTRAL.items() if re.match(old, name))
    heads = {"q_proj": params["n_heads"], "k_proj": params["n_kv_heads"]}.get(new.split(".")[-2])
    if heads and "audio_tower" not in new:
        rows, columns = tensor.shape
        tensor = tensor.view(heads, rows // heads // 2, 2, columns).transpose(1, 2).reshape(rows, columns)
    return new, tensor


def test_mistral_layout_is_what_transformers_converter_reads(
    adapter: Path, small_voxtral: Path, tmp_path: Path
) -> None:
    model = merged(adapter)
    with pytest.raises(ModelError, match="not Whisper's sinusoids"):  # the miniature's are random
        write_mistral_layout(model, small_voxtral / "tekken.json", tmp_path)

    from transformers.models.whisper.modeling_whisper import sinusoids

    positions = model.model.model.audio_tower.embed_positions.weight
    positions.data = sinusoids(*positions.shape)
    write_mistral_layout(model, small_voxtral / "tekken.json", tmp_path)
    params = json.loads((tmp_path / "params.json").read_text())
    read = dict(
        to_hugging_face(name, tensor, params)
        for name, tensor in load_file(tmp_path / "consolidated.safetensors").items()
    )
    other = as_float32_base(small_voxtral)
    missing, unexpected = other.model.load_state_dict(read, strict=False)
    assert (missing, unexpected) == (["model.audio_tower.embed_positions.weight"], [])
    other.model.model.audio_tower.embed_positions.weight.data = sinusoids(*positions.shape)
    assert (logits(other) - logits(model)).abs().max() < 1e-3
    assert (tmp_path / "tekken.json").read_bytes() == (small_voxtral / "tekken.json").read_bytes()


def test_params_are_those_vllm_reads(adapter: Path, small_voxtral: Path) -> None:
    """The keys ``vllm/transformers_utils/configs/mistral.py`` reads without a default (main, read 2026-11-22)."""
    from ownvoice.model.mistral_layout import mistral_params

    recogniser = as_float32_base(small_voxtral)
    params = mistral_params(recogniser.model.config, recogniser.processor.feature_extractor)
    whisper = params["multimodal"]["whisper_model_args"]
    assert {"dim", "n_layers", "n_heads", "n_kv_heads", "hidden_dim", "head_dim", "norm_eps", "rope_theta"} <= set(
        params
    )
    assert whisper["downsample_args"] == {"downsample_factor": 4}
    assert whisper["encoder_args"]["audio_encoding_args"] == {
        "sampling_rate": 16000, "num_mel_bins": 128, "hop_length": 160, "window_size": 400,
    }  # fmt: skip
    assert {key: whisper["encoder_args"][key] for key in ("dim", "n_layers", "head_dim", "hidden_dim", "n_heads")} == {
        "dim": 64, "n_layers": 2, "head_dim": 16, "hidden_dim": 256, "n_heads": 4,
    }  # fmt: skip
