"""Greedy decoding, against transformers' own, on a small random model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import GenerationConfig

from ownvoice.model.features import encode, log_mel, splice
from ownvoice.model.greedy import write_greedily
from ownvoice.model.load import Recogniser, load_recogniser
from small_voxtral import murmur

BOUND = 24
NEVER = 639
"""An id that the model does not come to write."""


@pytest.fixture(scope="module")
def recogniser(small_voxtral: Path) -> Recogniser:
    return load_recogniser(small_voxtral, device="cpu", dtype=torch.float32)


@pytest.fixture(scope="module")
def prompts(recogniser: Recogniser) -> torch.Tensor:
    """Four clips, ready to be answered."""
    clips = [murmur(0.5, seed=seed) for seed in range(4)]
    mels = [log_mel(recogniser.processor.feature_extractor, clip, recogniser.window) for clip in clips]
    ids = torch.tensor([recogniser.prompts.prompt(1, "en")] * len(clips))
    with torch.inference_mode():
        return splice(recogniser.model, ids, encode(recogniser.model, torch.cat(mels)))


def generated(recogniser: Recogniser, prompts: torch.Tensor, end_id: int) -> list[list[int]]:
    """What transformers' ``generate`` answers, up to the end of each."""
    config = GenerationConfig(do_sample=False, max_new_tokens=BOUND, eos_token_id=end_id, pad_token_id=11)
    with torch.inference_mode():
        written = recogniser.model.generate(
            inputs_embeds=prompts, attention_mask=torch.ones(prompts.shape[:2]), generation_config=config
        ).tolist()
    return [row[: row.index(end_id) + 1] if end_id in row else row for row in written]


def end_of_some(answers: list[list[int]]) -> int:
    """A token that some answers come to early and others never."""
    for token in answers[0][:6]:
        if 0 < sum(token in answer for answer in answers) < len(answers):
            return token
    pytest.fail("the answers are too much alike to end at different places")


def test_answers_are_those_of_generate(recogniser: Recogniser, prompts: torch.Tensor) -> None:
    endless = generated(recogniser, prompts, NEVER)
    assert write_greedily(recogniser.model, prompts, [BOUND] * 4, NEVER) == endless
    end = end_of_some(endless)
    assert write_greedily(recogniser.model, prompts, [BOUND] * 4, end) == generated(recogniser, prompts, end)


def test_an_answer_that_ended_leaves_the_batch(recogniser: Recogniser, prompts: torch.Tensor) -> None:
    heights: list[int] = []
    hook = recogniser.model.model.language_model.register_forward_hook(
        lambda module, args, result: heights.append(result.last_hidden_state.shape[0])
    )
    try:
        answers = write_greedily(recogniser.model, prompts, [1, 5, 3, 9], NEVER)
    finally:
        hook.remove()
    assert [len(answer) for answer in answers] == [1, 5, 3, 9]
    assert heights == [4, 3, 3, 2, 2, 1, 1, 1, 1], "none but the answers that go on are worked on"
    whole = write_greedily(recogniser.model, prompts, [9] * 4, NEVER)
    assert answers == [answer[:length] for answer, length in zip(whole, [1, 5, 3, 9], strict=True)]
