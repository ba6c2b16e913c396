"""Loads a Voxtral, with its adapter if it has one, into a :class:`Recogniser`.

Only safetensors are read and no code of a repository is ever run. Everything that can be wrong with a model ends in a
:class:`~ownvoice.errors.ModelError`. Where the files come from is :mod:`ownvoice.model.source`'s business.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open

from ownvoice.errors import MemoryShortageError, ModelError, is_memory_shortage
from ownvoice.model.adapters import quiet_peft
from ownvoice.model.device import choose_device, computing_dtype, describe_device
from ownvoice.model.features import Window
from ownvoice.model.prompt import Prompts
from ownvoice.model.quantised import keep_narrow, keep_scales, quantisation_config
from ownvoice.model.source import find_model

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import VoxtralForConditionalGeneration, VoxtralProcessor


@dataclass
class Recogniser:
    """A loaded Voxtral and what belongs to it."""

    model: VoxtralForConditionalGeneration
    """The network; where there is an adapter, its layers are in place and active."""
    processor: VoxtralProcessor
    window: Window
    prompts: Prompts
    name: str
    """What was asked for: "tiny", a folder, a Hub id."""
    base_name: str
    """What to ask for to get the model without its adapter; the same as ``name`` where there is none."""
    language: str | None = None
    """Language the model was tuned with; None when it was not tuned here, or to detect the language."""
    adapter: PeftModel | None = None
    short_windows: bool = False
    """Whether clips are heard in windows that end soon after the sound rather than in whole ones."""
    computes_in: torch.dtype = torch.float32
    """What the device computes this model in; weights that are trained themselves are kept more precisely."""

    @property
    def device(self) -> torch.device:
        """Where the decoder is; the encoder may rest elsewhere while nothing is encoded."""
        return self.model.lm_head.weight.device  # type: ignore[no-any-return]

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the weights."""
        return self.model.dtype  # type: ignore[no-any-return]

    @property
    def description(self) -> str:
        """One line for a person: what is loaded, where, in which precision."""
        return f"{self.name} on {describe_device(self.device)}, {str(self.dtype).removeprefix('torch.')}"

    @contextlib.contextmanager
    def as_base(self) -> Iterator[Recogniser]:
        """Within the block the adapter is silent: the model answers as its base, and in whole windows.

        Raises
        ------
        ModelError
            when there is no adapter; load ``base_name`` instead.
        """
        if self.adapter is None:
            raise ModelError("this model has no adapter that could be switched off", where=self.name)
        short, self.short_windows = self.short_windows, False
        try:
            with self.adapter.disable_adapter():
                yield self
        finally:
            self.short_windows = short

    def speak_as(self, name: str) -> None:
        """From here on the adapter that was added under ``name`` speaks, and no other.

        Raises
        ------
        ModelError
            when there is no adapter.
        """
        if self.adapter is None:
            raise ModelError("this model has no adapter", where=self.name)
        self.adapter.set_adapter(name, inference_mode=True)


def load_recogniser(
    source: str | Path, *, device: str | None = None, dtype: torch.dtype | None = None, quantised: bool = False
) -> Recogniser:
    """Load a model for use.

    Parameters
    ----------
    source
        ``"tiny"``, a folder with a full model, an adapter (its base is loaded with it), a training run, or a Hub id.
    device
        "cpu", "cuda" or "mps"; left out, the best there is.
    dtype
        Precision of the weights; left out, :func:`~ownvoice.model.device.computing_dtype`'s choice.
    quantised
        Whether the base's linear layers are held in 4 bits (see :mod:`ownvoice.model.quantised`).

    Raises
    ------
    ModelError
        when the model is not there, cannot be had, is damaged, or is no Voxtral; or is to be quantised without
        bitsandbytes.
    MemoryShortageError
        when there is too little memory for it.
    """
    found = find_model(source)
    place = choose_device(device)
    computes_in = computing_dtype(place, kept_dtype(found.base))
    model = load_weights(found.base, place, dtype or computes_in, quantised=quantised)
    processor = load_processor(found.base)
    window = Window.of(model.config, processor.feature_extractor)
    recogniser = Recogniser(
        model=model.eval(),
        processor=processor,
        window=window,
        prompts=Prompts(processor, window),
        name=found.name,
        base_name=found.base_name,
        language=found.language,
        short_windows=found.short_windows,
        computes_in=computes_in,
    )
    if found.adapter is not None:
        recogniser.adapter = _put_on(model, found.adapter, found.base_name)
    return recogniser


def add_voice(recogniser: Recogniser, adapter: Path, name: str) -> None:
    """Put one more adapter onto a loaded base, under a name; :meth:`Recogniser.speak_as` lets it speak.

    Raises
    ------
    ModelError
        when the adapter is damaged or does not fit.
    MemoryShortageError
        when there is too little memory for it.
    """
    recogniser.adapter = _put_on(recogniser.adapter or recogniser.model, adapter, recogniser.base_name, name)


def load_weights(
    folder: Path, device: torch.device, dtype: torch.dtype, *, quantised: bool = False
) -> VoxtralForConditionalGeneration:
    """The network with the weights of ``folder``, on ``device``, put there tensor by tensor and never twice in memory.

    Raises
    ------
    ModelError
        when a file is damaged, or a weight is missing (which would otherwise be left random).
    MemoryShortageError
        when there is too little memory for them.
    """
    from huggingface_hub.errors import StrictDataclassError
    from transformers import VoxtralForConditionalGeneration
    from transformers.utils import logging

    logging.disable_progress_bar()  # what a person should see of the progress is ownvoice's to say
    try:
        with _enough_memory(folder, None if quantised else _weights_bytes(folder, dtype)):
            model, report = VoxtralForConditionalGeneration.from_pretrained(
                folder,
                dtype=dtype,
                device_map={"": device},
                quantization_config=quantisation_config("nf4", dtype) if quantised else None,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
            )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError, StrictDataclassError) as error:
        raise ModelError(
            f"the model cannot be loaded, its files are damaged or do not fit together ({_first_line(error)})",
            where=folder,
            mend="Copy or download it again.",
        ) from error
    wrong = sorted({*report["missing_keys"], *(str(key) for key in report["mismatched_keys"])})
    if wrong:
        raise ModelError(
            f"the weights do not belong to this configuration: {len(wrong)} are missing or of another shape, "
            f"for example {wrong[0]}",
            where=folder,
        )
    if quantised:
        keep_scales(model)
        keep_narrow(model)
    return model


def kept_dtype(folder: Path) -> torch.dtype:
    """The precision in which a model's files hold its weights; float32 where they do not say."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    name = config.get("dtype") or config.get("torch_dtype")  # the second before transformers 5
    return {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(name, torch.float32)


def load_processor(folder: Path) -> VoxtralProcessor:
    """The tokenizer and feature extractor of a full model's folder.

    Raises
    ------
    ModelError
        when they cannot be read.
    MemoryShortageError
        when there is too little memory for them.
    """
    from transformers import VoxtralProcessor
    from transformers.tokenization_mistral_common import MistralCommonBackend

    try:
        with _enough_memory(folder):
            processor = VoxtralProcessor.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        raise ModelError(
            f"the tokenizer or the processor cannot be read ({_first_line(error)})", where=folder
        ) from error
    if not isinstance(processor.tokenizer, MistralCommonBackend):
        # transformers falls back to another class, with other tokens, where it cannot tell which model this is
        raise ModelError("the tokenizer is not Mistral's (tekken.json)", where=folder)
    return processor


def _put_on(
    model: VoxtralForConditionalGeneration | PeftModel, folder: Path, base_name: str, name: str = "default"
) -> PeftModel:
    """Add the adapter in ``folder`` to ``model``; a tensor too many or too few is an error."""
    from peft import PeftModel, get_peft_model_state_dict

    try:
        with _enough_memory(folder), quiet_peft():
            if isinstance(model, PeftModel):
                adapter = model
                adapter.load_adapter(folder, adapter_name=name)
            else:
                adapter = PeftModel.from_pretrained(model, folder, adapter_name=name)
        with safe_open(folder / "adapter_model.safetensors", "pt") as file:
            stored = set(file.keys())
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
        raise ModelError(
            f"the adapter cannot be put onto {base_name} ({_first_line(error)})",
            where=folder,
            mend="The adapter is damaged or was trained for another model.",
        ) from error
    expected: dict[str, Any] = get_peft_model_state_dict(
        adapter,
        adapter_name=name,
        save_embedding_layers=False,  # "auto" would ask the Hub for the base
    )
    if stored != set(expected):
        name = sorted(stored ^ set(expected))[0]
        raise ModelError(f"the adapter does not fit {base_name}: {name} has no counterpart", where=folder)
    return adapter.eval()


@contextlib.contextmanager
def _enough_memory(folder: Path, needed: int | None = None) -> Iterator[None]:
    """Tells memory that runs out in this block as that, and not as files that cannot be read.

    ``needed`` is how many bytes are to be loaded, where that is known.
    """
    try:
        yield
    except (MemoryError, OSError, RuntimeError, ImportError) as error:
        if not is_memory_shortage(error):
            raise
        takes = f": its weights take {math.ceil(needed / 1e8) / 10} GB" if needed is not None else ""
        raise MemoryShortageError(
            f"there is too little memory to load this model{takes}",
            where=folder,
            mend="Close other programs, or choose a smaller model.",
        ) from error


def _weights_bytes(folder: Path, dtype: torch.dtype) -> int:
    """What the weights take in memory in this precision."""
    stored = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    return stored * dtype.itemsize // kept_dtype(folder).itemsize


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
