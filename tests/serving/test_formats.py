"""Transcripts in other programs' formats, read back by their rules."""

from __future__ import annotations

import re

from ownvoice.model.recording import Segment, Transcript
from ownvoice.serving.formats import to_openai, to_openai_verbose, to_row, to_srt, to_text, to_tsv, to_vtt

TRANSCRIPT = Transcript(
    (
        Segment(0.0, 61.5, "one --> <two> & three"),
        Segment(61.5, 70.0, "", silent=True, speech=0.02),
        Segment(70.0, 3725.0625, "four\nfive"),
    ),
    3725.0625,
    "es",
)


def test_text_is_the_words_alone() -> None:
    assert to_text(TRANSCRIPT) == "one --> <two> & three four\nfive\n"


def test_srt_numbers_what_is_spoken_and_keeps_cues_apart() -> None:
    cues = to_srt(TRANSCRIPT).strip().split("\n\n")
    assert cues == [
        "1\n00:00:00,000 --> 00:01:01,500\none -> <two> & three",
        "2\n00:01:10,000 --> 01:02:05,062\nfour five",
    ]


def test_vtt_escapes_what_would_be_markup() -> None:
    header, *cues = to_vtt(TRANSCRIPT).strip().split("\n\n")
    assert header == "WEBVTT"
    assert cues[0] == "00:00:00.000 --> 00:01:01.500\none -&gt; &lt;two&gt; &amp; three"
    assert all(re.match(r"\d\d:\d\d:\d\d\.\d{3} --> \d\d:\d\d:\d\d\.\d{3}\n", cue) for cue in cues)


def test_tsv_has_milliseconds() -> None:
    assert to_tsv(TRANSCRIPT).splitlines() == [
        "start\tend\ttext", "0\t61500\tone -> <two> & three", "70000\t3725062\tfour five",
    ]  # fmt: skip


def test_json_keeps_its_keys() -> None:
    row = to_row("a.wav", TRANSCRIPT)
    assert {"audio", "text", "seconds", "segments"} <= row.keys()
    assert {"start", "end", "text", "cut_in_speech"} <= row["segments"][0].keys()


def test_openai_kinds() -> None:
    assert to_openai(TRANSCRIPT, "me").items() >= {"text": TRANSCRIPT.text, "model": "me", "language": "es"}.items()
    verbose = to_openai_verbose(TRANSCRIPT)
    assert (verbose["language"], verbose["duration"]) == ("spanish", 3725.0625)
    assert [segment["no_speech_prob"] for segment in verbose["segments"]] == [0.0, 0.98, 0.0]
