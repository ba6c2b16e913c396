"""Real clients against a real server: OpenAI's for every format and for events, and Mistral's own."""

from __future__ import annotations

import json
import time
from pathlib import Path

import openai
import pytest
from mistralai.client import Mistral

from live_server import CLIPS, Server, serving
from ownvoice.data.audio import load_audio, write_wav
from ownvoice.model.load import load_recogniser
from ownvoice.model.recording import transcribe_long


@pytest.fixture(scope="module")
def client(server: Server) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="none needed here", max_retries=0)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A recording of several windows, and what the model writes of it."""
    import numpy as np

    path = tmp_path_factory.mktemp("long") / "long.wav"
    pause = np.zeros(8000, np.float32)
    samples = np.concatenate([part for clip in CLIPS[:8] for part in (load_audio(clip), pause)])
    write_wav(path, samples)
    return path, transcribe_long(load_recogniser("tiny"), load_audio(path), "en").text


def test_models_are_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["tiny"]
    assert client.models.retrieve("tiny").id == "tiny"
    with pytest.raises(openai.NotFoundError, match="there are: tiny"):
        client.models.retrieve("whisper-1")


def test_what_another_program_asks_for_is_said(server: Server) -> None:
    until = time.monotonic() + 10
    while len(server.said) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    assert server.said[0] == "Model: tiny\n" and server.said[1].startswith("Key: none is needed")


def test_every_format(client: openai.OpenAI, long: tuple[Path, str]) -> None:
    path, words = long

    def asked(response_format: str) -> object:
        return client.audio.transcriptions.create(
            file=path, model="tiny", language="en", response_format=response_format, temperature=0
        )

    assert asked("json").text == words
    assert asked("text").strip() == words
    verbose = asked("verbose_json")
    assert (verbose.text, verbose.language) == (words, "english")
    assert " ".join(segment.text for segment in verbose.segments if segment.text) == words
    assert verbose.segments[-1].end == pytest.approx(verbose.duration)
    assert asked("vtt").startswith("WEBVTT\n\n00:00:00.000 --> ")
    assert asked("srt").startswith("1\n00:00:00,000 --> ")


def test_events_add_up_to_the_whole(client: openai.OpenAI, long: tuple[Path, str]) -> None:
    path, words = long
    events = list(client.audio.transcriptions.create(file=path, model="tiny", language="en", stream=True))
    *deltas, done = events
    assert {event.type for event in deltas} == {"transcript.text.delta"}
    assert "".join(event.delta for event in deltas) == words
    assert (done.type, done.text) == ("transcript.text.done", words)


def test_what_cannot_be_had_is_said(client: openai.OpenAI, tmp_path: Path) -> None:
    def asked(**changes: object) -> None:
        client.audio.transcriptions.create(**{"file": CLIPS[0], "model": "tiny"} | changes)

    with pytest.raises(openai.NotFoundError, match="no model 'gpt-4o-transcribe' here; there are: tiny"):
        asked(model="gpt-4o-transcribe")
    with pytest.raises(openai.NotFoundError, match="no POST /v1/audio/translations here; there are: POST /v1/audio/tr"):
        client.post("/audio/translations", cast_to=str)
    with pytest.raises(openai.APIStatusError, match="no DELETE /v1/models/tiny here; there are:"):
        client.delete("/models/tiny", cast_to=str)
    with pytest.raises(openai.BadRequestError, match="no times of single words"):
        asked(response_format="verbose_json", timestamp_granularities=["word"])
    with pytest.raises(openai.BadRequestError, match="no log probabilities"):
        asked(include=["logprobs"])
    with pytest.raises(openai.BadRequestError, match="two-letter"):
        asked(language="English")
    with pytest.raises(openai.BadRequestError, match="response_format"):
        asked(response_format="diarized_json")
    (tmp_path / "no.wav").write_bytes(b"no sound")
    with pytest.raises(openai.BadRequestError, match="is not an audio file") as caught:
        asked(file=tmp_path / "no.wav")
    assert "/tmp" not in str(caught.value), "no path of the server"


def test_mistrals_own_client(server: Server, long: tuple[Path, str]) -> None:
    path, words = long
    with Mistral(api_key="none", server_url=server.url) as mistral, path.open("rb") as file:
        answer = mistral.audio.transcriptions.complete(
            model="tiny", file={"content": file, "file_name": path.name}, language="en"
        )
    assert (answer.text, answer.model, answer.language) == (words, "tiny", "en")


def test_each_voice_answers_for_itself(three_voices: dict[str, Path]) -> None:
    """Asked all at once, mixed, every answer is from the voice that was asked for; the base is heard as itself."""
    from concurrent.futures import ThreadPoolExecutor

    samples = load_audio(CLIPS[1])
    models = three_voices | {"plain": "tiny"}
    alone = {name: transcribe_long(load_recogniser(model), samples, "en").text for name, model in models.items()}
    assert len(set(alone.values())) == 4, "the voices differ, so that a wrong one would show"
    with serving(*three_voices.values(), "plain=tiny") as running:
        client = openai.OpenAI(base_url=f"{running.url}/v1", api_key="none", max_retries=0)
        assert [model.id for model in client.models.list()] == ["ana", "ben", "cem", "plain"]

        def ask(name: str) -> tuple[str, str]:
            answer = client.audio.transcriptions.create(file=CLIPS[1], model=name, language="en")
            return name, answer.text

        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(ask, ["ana", "ben", "cem", "plain"] * 10))
    assert {(name, text) for name, text in answers} == set(alone.items())


def test_key_keeps_others_out() -> None:
    with serving("tiny", key="correct horse", options=("--host", "0.0.0.0")) as running:
        url = running.url.replace("0.0.0.0", "127.0.0.1")
        good = openai.OpenAI(base_url=f"{url}/v1", api_key="correct horse", max_retries=0)
        assert good.audio.transcriptions.create(file=CLIPS[0], model="tiny").text
        bad = openai.OpenAI(base_url=f"{url}/v1", api_key="wrong", max_retries=0)
        with pytest.raises(openai.AuthenticationError, match="API key is missing or wrong"):
            bad.audio.transcriptions.create(file=CLIPS[0], model="tiny")
        with pytest.raises(openai.AuthenticationError):
            bad.models.list()
        assert "correct horse" not in " ".join(running.process.args)  # type: ignore[arg-type]
        assert json.loads(good.get("/../health", cast_to=str)) == {"status": "ok"}
