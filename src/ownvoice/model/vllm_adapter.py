"""Renames a trained adapter so that vLLM's Voxtral finds each of its layers, and says how to serve it.

vLLM builds Voxtral from modules of its own and looks an adapter's layers up by their names; a layer whose name it does
not find it leaves out without an error, so every name is checked here. The names are those of vLLM's
``model_executor/models/voxtral.py`` (``language_model``, ``whisper_encoder.whisper_encoder``) with the layers of its
``llama.py`` and ``whisper.py``; tests/model/test_export.py has them written down. vLLM is not run here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from ownvoice.errors import ModelError
from ownvoice.model.source import find_model
from ownvoice.rundir import write_atomically

_RENAMES = (
    (
        r"base_model\.model\.(?:model\.language_model|language_model\.model)\.layers\.(\d+)\.self_attn\.([qkvo]_proj)",
        r"base_model.model.language_model.model.layers.\1.self_attn.\2",
    ),
    (
        r"base_model\.model\.(?:model\.)?audio_tower\.layers\.(\d+)\.self_attn\.([qkv]_proj|out_proj)",
        r"base_model.model.whisper_encoder.whisper_encoder.layers.\1.self_attn.\2",
    ),
    (
        r"base_model\.model\.(?:model\.)?audio_tower\.layers\.(\d+)\.(fc[12])",
        r"base_model.model.whisper_encoder.whisper_encoder.layers.\1.mlp.\2",
    ),
)
"""From PEFT's names (both orders transformers has had) to vLLM's, up to ``.lora_A.weight``."""

_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""What ``vllm serve --max-lora-rank`` may be told (vllm/config/lora.py, MaxLoRARanks)."""


@dataclass(frozen=True)
class VllmAdapter:
    """What an exported adapter needs from vLLM."""

    base: str
    """Hub id of the model it belongs to, or the folder of one."""
    rank: int
    adapts_encoder: bool

    def command(self, name: str, folder: Path) -> str:
        """The shell command that serves the adapter under ``name``; more voices are more NAME=FOLDER at its end."""
        rank = min(rank for rank in _RANKS if rank >= self.rank)
        encoder = " --enable-tower-connector-lora" if self.adapts_encoder else ""
        return (
            f"vllm serve {self.base} --tokenizer-mode mistral --config-format mistral --load-format mistral "
            f"--enable-lora{encoder} --max-lora-rank {rank} --lora-modules {name}={folder}"
        )


def export_vllm_adapter(source: str | Path, folder: Path) -> VllmAdapter:
    """Write the adapter of a run into the empty folder ``folder``, under the names vLLM looks for.

    The values are not touched: vLLM turns Mistral's order of rotary pairs into Hugging Face's while it loads the base.

    Raises
    ------
    ModelError
        when ``source`` has no adapter, the adapter has a layer vLLM has no place for, or its kind is not plain LoRA.
    """
    from safetensors.torch import load_file, save_file

    found = find_model(source)
    if found.adapter is None:
        raise ModelError(
            "there is no adapter to export: the whole model was trained",
            where=source,
            mend="Export it with --format mistral, and serve that folder with vLLM.",
        )
    config = json.loads((found.adapter / "adapter_config.json").read_text(encoding="utf-8"))
    _refuse_special_kinds(config, found.adapter)
    tensors = {
        vllm_name(name): tensor for name, tensor in load_file(found.adapter / "adapter_model.safetensors").items()
    }
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "adapter_model.safetensors")
    layers = {name.removesuffix(".lora_A.weight") for name in tensors if name.endswith(".lora_A.weight")}
    plain = {
        "peft_type": "LORA",
        "task_type": None,
        "base_model_name_or_path": found.base_name,
        "r": config["r"],
        "lora_alpha": config["lora_alpha"],
        "lora_dropout": 0.0,
        "bias": "none",
        "inference_mode": True,
        "target_modules": sorted({layer.rpartition(".")[2] for layer in layers}),
    }
    write_atomically(folder / "adapter_config.json", json.dumps(plain, indent=2) + "\n")
    return VllmAdapter(found.base_name, int(config["r"]), any(".whisper_encoder." in layer for layer in layers))


def vllm_name(name: str) -> str:
    """The name under which vLLM looks for a tensor that PEFT calls ``name``.

    Raises
    ------
    ModelError
        when vLLM has no such layer, or does not adapt it.
    """
    layer, kind = re.fullmatch(r"(.*?)(\.lora_[AB]\.weight)?", name).groups()  # type: ignore[union-attr]
    for pattern, replacement in _RENAMES:
        renamed, hits = re.subn(f"^{pattern}$", replacement, layer)
        if hits and kind:
            return renamed + kind
    raise ModelError(f"vLLM's Voxtral has no place for the adapter's tensor {name}")


def _refuse_special_kinds(config: dict[str, object], folder: Path) -> None:
    """Only what is scaled by alpha / rank everywhere, and nothing else, is the same in vLLM."""
    special = ["use_dora", "use_rslora", "rank_pattern", "alpha_pattern", "modules_to_save", "fan_in_fan_out"]
    used = [name for name in special if config.get(name)]
    if used or config.get("bias", "none") != "none":
        raise ModelError(
            f"the adapter is not plain LoRA ({', '.join(used) or 'bias'}), which vLLM would read wrongly",
            where=folder,
            mend="Export it with --format merged or --format mistral.",
        )
