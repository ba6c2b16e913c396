"""A person's own text as phrases: what is a list, where running text is cut, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ownvoice.data.phrases import phrases_from_file
from ownvoice.errors import SourceError


def phrases(folder: Path, text: str) -> list[str]:
    path = folder / "own.txt"
    path.write_text(text, encoding="utf-8")
    return [phrase.text for phrase in phrases_from_file(path)]


def test_a_list_has_a_phrase_on_each_line(tmp_path: Path) -> None:
    text = "\ufeffHello. How are you?\r\n\r\n  Where is   Siobhán \r\nno full stop here"
    assert phrases(tmp_path, text) == ["Hello. How are you?", "Where is Siobhán", "no full stop here"]


def test_a_phrase_of_the_persons_own_is_numbered_by_its_words(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_text("Call the bank.\nYes\n", encoding="utf-8")
    call, yes = phrases_from_file(path)
    assert (call.text, call.words, call.topic, call.phones) == ("Call the bank.", 3, None, None)
    path.write_text("Good morning\nCALL THE BANK!\n", encoding="utf-8")
    assert phrases_from_file(path)[1].id == call.id != yes.id


def test_running_text_is_parted_at_the_ends_of_sentences(tmp_path: Path) -> None:
    text = (
        "Dear all, thank you for coming today! I know how far some of you had to\n"
        "travel… “Are we late?” asked Mr. Leeson. No!\n"
        "\n"
        "See you soon\n"
        "Anna\n"
    )
    assert phrases(tmp_path, text) == [
        "Dear all, thank you for coming today!",
        "I know how far some of you had to travel…",
        "“Are we late?”",
        "asked Mr. Leeson.",
        "No!",
        "See you soon Anna",
    ]


def test_hindi_sentences_end_with_a_danda(tmp_path: Path) -> None:
    text = "मुझे पानी चाहिए। आज मौसम बहुत अच्छा है और हम सब बाहर बगीचे में चाय पी रहे हैं।"
    assert phrases(tmp_path, text) == [
        "मुझे पानी चाहिए।",
        "आज मौसम बहुत अच्छा है और हम",
        "सब बाहर बगीचे में चाय पी रहे हैं।",
    ]


def test_a_long_sentence_is_cut_at_the_mark_nearest_its_middle(tmp_path: Path) -> None:
    text = "Well, when the train had left the station we went home, and my sister made some soup for everybody."
    assert phrases(tmp_path, text) == [
        "Well, when the train had left the station we went home,",
        "and my sister made some soup for everybody.",
    ]


def test_without_a_mark_a_long_sentence_is_cut_until_it_is_short_enough(tmp_path: Path) -> None:
    words = [f"word{number}" for number in range(30)]
    cut = phrases(tmp_path, " ".join(words))
    assert " ".join(cut).split() == words
    assert all(6 <= len(phrase.split()) <= 12 for phrase in cut)


def test_what_is_written_twice_is_one_phrase(tmp_path: Path) -> None:
    assert phrases(tmp_path, "Good night.\nGood morning.\ngood night\n---\n") == ["Good night.", "Good morning."]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "holds no words"),
        (b"\n - \n", "holds no words"),
        (b"\xff\xfe\x00", "is not plain text"),
        (b"PK\0\x03", "is not plain text"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "own.txt"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=complaint) as caught:
        phrases_from_file(path)
    assert caught.value.where == str(path)
    assert caught.value.mend


def test_what_is_not_there_or_a_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.txt", tmp_path):
        with pytest.raises(SourceError, match="cannot be read"):
            phrases_from_file(path)
