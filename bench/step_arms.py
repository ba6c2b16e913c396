"""What bench/train_step.py lets take turns: the reference path, ours, and the steps between them, on one base model.

Ours is the package's own code: :class:`ExampleMaker`, :class:`LabelLoss` and :class:`StepGradients`, as
:mod:`ownvoice.training.loop` uses them. Each arm has adapters and an optimiser of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

import torch
from accelerate import Accelerator
from accelerate.utils import AutocastKwargs
from peft import LoraConfig
from reference_path import ALPHA, RANK, collate, full_logits_loss, reference_adapters, reference_loss
from step_changes import Change, during
from transformers import VoxtralConfig, VoxtralForConditionalGeneration

from ownvoice.config import LoraSettings, TrainingSettings
from ownvoice.data.audio import write_wav
from ownvoice.model.adapters import Scope, add_lora, lora_pattern, trained_tensors
from ownvoice.model.cache import FeatureStore
from ownvoice.model.features import Window
from ownvoice.model.load import Recogniser, load_processor
from ownvoice.model.loss import LabelLoss
from ownvoice.model.prompt import Prompts
from ownvoice.training.examples import Clip, Example, ExampleMaker
from ownvoice.training.plan import Step
from ownvoice.training.processes import ALONE
from ownvoice.training.step import StepGradients
from small_voxtral import murmur, write_processor

SCALES = {
    # A sixteenth of Voxtral-Mini's widths, an eighth of its depths: 1500 frames, 375 audio tokens, 4 heads to a key's.
    "cpu": {
        "audio_config": {
            "hidden_size": 80, "intermediate_size": 320, "num_hidden_layers": 4, "num_attention_heads": 4,
        },
        "text_config": {
            "hidden_size": 192, "intermediate_size": 512, "num_hidden_layers": 4, "num_attention_heads": 4,
            "num_key_value_heads": 1, "head_dim": 64,
        },
    },
    "mini-3b": {"audio_config": {}, "text_config": {}},
}  # fmt: skip
SPECIAL_TOKENS = 1000
T = TypeVar("T", Clip, Example)
CLIPS_A_STEP, REFERENCE_BATCH = 8, 2
CLIP_SECONDS = 4.0
LEARNING_RATE = 1e-3
TEXTS = [
    "could you please close the window before it gets cold", "I would like a cup of tea and a biscuit",
    "my sister is coming to see me on Sunday afternoon", "please call the doctor and ask for an appointment",
    "the music is too loud I cannot hear the television", "where did you put my glasses this morning",
    "tomorrow we are going to the market by the river", "turn the heating down a little it is too warm",
]  # fmt: skip


@dataclass(frozen=True)
class Arm:
    """A way to take training steps."""

    adapters: Literal["everywhere", "decoder", "own"]
    """Beside q/k/v/o wherever they occur, of the decoder alone, or beside what the scope adapts in the package."""
    features: Literal["audio", "mel", "embeddings"]
    """What a step begins with: recordings, spectrograms kept, or audio embeddings kept."""
    labels_alone: bool = False
    """Whether the head runs on label positions alone, which is the package's own path."""
    short: tuple[bool, ...] = (False,)
    """For each step of a round, whether it hears short windows."""
    every: int = 1
    """Measured in each so many rounds."""
    change: Change | None = None
    """What else is tried in it (:mod:`step_changes`)."""


def arms_of(scope: Scope, short: tuple[bool, ...], *, shares: bool, changes: Sequence[Change] = ()) -> dict[str, Arm]:
    """``reference`` and ``ownvoice``, with what lies between them and the other windows where ``shares`` is set.

    Ours is there once more for each of ``changes``.
    """
    if scope == "decoder":
        exact = Arm("decoder", "embeddings", labels_alone=True)
        between = {
            "adapters in the decoder alone": Arm("decoder", "audio"),
            "and spectrograms kept": Arm("decoder", "mel", every=8),
            "and audio embeddings kept": Arm("decoder", "embeddings", every=8),
        }
    else:
        exact = Arm("everywhere" if scope == "both" else "own", "mel", labels_alone=True)
        between = {"spectrograms kept": Arm(exact.adapters, "mel", every=8)}
        if scope == "both":
            between["ownvoice, with its own adapters"] = Arm("own", "mel", labels_alone=True, every=8)
    # Next to an arm that has the same adapters as ours, and so its losses, the reference is seen often enough.
    reference = Arm("everywhere", "audio", every=4 if shares and scope == "decoder" else 1)
    arms = {"reference": reference, "ownvoice": replace(exact, short=short)}
    arms |= {f"ownvoice, {change}": replace(arms["ownvoice"], change=change) for change in changes}
    if shares:
        windows = {"short windows in 75 % of steps": (True, True, True, False), "short windows": (True,)}
        arms |= between | {name: replace(exact, short=which, every=8) for name, which in windows.items()}
    return arms


class Workbench:
    """A base model with random weights, clips of four seconds, and features of them."""

    def __init__(self, scale: str, scope: Scope, vocabulary: int, batch: int, folder: Path) -> None:
        self.scope, self._batch = scope, batch
        self.recogniser = _build(scale, vocabulary, folder)
        self.clips = _record(folder)
        self._own = add_lora(
            self.recogniser.model, scope, LoraSettings(rank=RANK, alpha=ALPHA, dropout=0), seed=0, base_name="bench"
        )
        self._makers = {
            kind: ExampleMaker(
                self.recogniser, FeatureStore(folder / "cache"),
                TrainingSettings(scope=which, window="short", language="en", batch_size=batch),
            )
            for kind, which in (("mel", "both"), ("embeddings", "decoder"))
            if kind == "mel" or scope == "decoder"
        }  # fmt: skip
        self._examples = {kind: maker.prepare(self.clips, None, lambda: None) for kind, maker in self._makers.items()}
        self.labels = sum(len(example.target) for example in self._examples["mel"]) / len(self.clips)

    def runner(self, name: str, arm: Arm) -> Callable[[int, bool], float]:
        """A function that takes one step, by its number and whether its windows are short, and returns its loss."""
        adapter = f"arm-{name}".replace(".", "")
        configs: dict[str, LoraConfig] = {
            "everywhere": reference_adapters(),
            "decoder": reference_adapters(decoder_alone=True),
            "own": LoraConfig(r=RANK, lora_alpha=ALPHA, lora_dropout=0.0, target_modules=lora_pattern(self.scope)),
        }
        with torch.random.fork_rng():
            torch.manual_seed(0)  # arms with adapters in the same places begin with the same ones
            self._own.add_adapter(adapter, configs[arm.adapters])
        self._own.set_adapter(adapter)
        optimiser = torch.optim.AdamW(trained_tensors(self.recogniser.model).values(), lr=LEARNING_RATE, fused=True)
        gradients = self._ours(arm, optimiser) if arm.labels_alone else self._theirs(arm)

        def step(number: int, short: bool) -> float:
            self._own.set_adapter(adapter)
            self.recogniser.model.train()
            loss = gradients(number, short)
            torch.nn.utils.clip_grad_norm_(trained_tensors(self.recogniser.model).values(), 1.0)
            optimiser.step()
            optimiser.zero_grad()
            return loss

        return step

    def _ours(self, arm: Arm, optimiser: torch.optim.Optimizer) -> Callable[[int, bool], float]:
        maker, examples = self._makers[arm.features], self._examples[arm.features]
        cuda = self.recogniser.device.type == "cuda"
        accelerator = Accelerator(
            mixed_precision="bf16" if cuda else "no",
            cpu=not cuda,
            kwargs_handlers=[AutocastKwargs(cache_enabled=False)],  # as in the training loop
        )
        loss = accelerator.prepare_model(LabelLoss(self.recogniser.model), evaluation_mode=True)
        if arm.change == "compiled":
            loss.compile()
        changed = during(arm.change, self.recogniser.model)
        prepared = accelerator.prepare_optimizer(optimiser)
        settings = TrainingSettings(batch_size=self._batch, window="short")
        gradients = StepGradients(
            settings, maker, loss, prepared, accelerator, ALONE,
            before_pass=lambda: None, tell=lambda sentence: print(sentence, file=sys.stderr),
        )  # fmt: skip

        def step(number: int, short: bool) -> float:
            maker.read_ahead(_chosen(examples, number + 1), 0, short=short)
            chosen = _chosen(examples, number)
            batches = [chosen[start : start + self._batch] for start in range(0, len(chosen), self._batch)]
            with changed():
                return gradients.gather(Step(number, 0, (), short), batches).loss

        return step

    def _theirs(self, arm: Arm) -> Callable[[int, bool], float]:
        model, device = self.recogniser.model, self.recogniser.device

        def step(number: int, short: bool) -> float:
            labels = sum(len(example.target) for example in _chosen(self._examples["mel"], number))
            total = torch.zeros((), device=device)
            for start in range(0, CLIPS_A_STEP, REFERENCE_BATCH):
                with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                    if arm.features == "audio":
                        clips = _chosen(self.clips, number)[start : start + REFERENCE_BATCH]
                        inputs = collate(self.recogniser, clips, "en")
                        loss = reference_loss(model, {name: value.to(device) for name, value in inputs.items()})
                    else:
                        examples = _chosen(self._examples[arm.features], number)[start : start + REFERENCE_BATCH]
                        batch = self._makers[arm.features].batch(examples, 0).to(device)
                        loss = full_logits_loss(model, batch)
                (loss / labels).backward()
                total += loss.detach() / labels
            return total.item()

        return step


def _chosen(all_of_them: list[T], number: int) -> list[T]:
    """The clips of a step: all of them in turn."""
    return [all_of_them[(number * CLIPS_A_STEP + place) % len(all_of_them)] for place in range(CLIPS_A_STEP)]


def _record(folder: Path) -> list[Clip]:
    clips = []
    for number in range(2 * CLIPS_A_STEP):
        path = folder / f"{number:02}.wav"
        write_wav(path, murmur(CLIP_SECONDS, seed=number))
        clips.append(Clip(path.stem, path, TEXTS[number % len(TEXTS)]))
    return clips


def _build(scale: str, vocabulary: int, folder: Path) -> Recogniser:
    """A Voxtral of a scale, its weights drawn where it is to compute."""
    sizes = SCALES[scale]
    config = VoxtralConfig(
        audio_token_id=24,
        audio_config=sizes["audio_config"],
        text_config={**sizes["text_config"], "vocab_size": vocabulary},
    )
    config.save_pretrained(folder)
    write_processor(folder, ranks=vocabulary - SPECIAL_TOKENS, specials=SPECIAL_TOKENS, seconds=30)
    processor = load_processor(folder)
    window = Window.of(config, processor.feature_extractor)
    torch.manual_seed(0)
    with torch.device("cuda" if scale == "mini-3b" else "cpu"):
        torch.set_default_dtype(torch.bfloat16 if scale == "mini-3b" else torch.float32)
        model = VoxtralForConditionalGeneration(config)
        torch.set_default_dtype(torch.float32)
    return Recogniser(model, processor, window, Prompts(processor, window), name=scale, base_name=scale)
