"""Error counts and alignments of cases that can be counted on the fingers."""

from __future__ import annotations

import pytest

from ownvoice.evaluation.wer import CorpusScore, ErrorCounts, WordEdit, score


def one(reference: str, hypothesis: str) -> CorpusScore:
    return score([reference], [hypothesis], "en")


def kinds(result: CorpusScore) -> list[tuple[str, str, str]]:
    return [(edit.kind, edit.reference, edit.hypothesis) for edit in result.utterances[0].edits]


def test_every_kind_of_error_is_counted_and_shown() -> None:
    result = one("Please open the big window tonight", "please hope the window tonight now")
    assert kinds(result) == [
        ("equal", "please", "please"),
        ("substitute", "open", "hope"),
        ("equal", "the", "the"),
        ("delete", "big", ""),
        ("equal", "window", "window"),
        ("equal", "tonight", "tonight"),
        ("insert", "", "now"),
    ]
    assert result.words == ErrorCounts(substitutions=1, deletions=1, insertions=1, length=6)
    assert result.words.hits == 4
    assert result.wer == 3 / 6


def test_a_repetition_is_one_extra_word() -> None:
    assert kinds(one("I want", "I I want")).count(("insert", "", "i")) == 1
    assert one("I want", "I I want").wer == 1 / 2
    assert one("I I want", "I want").wer == 1 / 3  # a verbatim transcript: now the model left one out


def test_more_errors_than_words_give_a_rate_over_one() -> None:
    result = one("yes", "oh guess so then")
    assert result.words.errors == 4
    assert result.wer == 4.0


def test_empty_hypothesis_misses_every_word() -> None:
    result = one("no thank you", "")
    assert result.words == ErrorCounts(0, 3, 0, 3)
    assert (result.wer, result.cer) == (1.0, 1.0)


def test_empty_reference_counts_what_was_added_against_all_words() -> None:
    result = score(["...", "one two three four"], ["oh dear", "one two three four"], "en")
    assert result.words == ErrorCounts(0, 0, 2, 4)
    assert result.wer == 2 / 4


def test_only_empty_references() -> None:
    assert score(["", "—"], ["", "."], "en").wer == 0.0
    assert score(["", "—"], ["", "thank you"], "en").wer == 2.0
    assert score(["", "—"], ["", "thank you"], "en").cer == 9.0


def test_rates_are_of_the_corpus_and_not_means_of_phrases() -> None:
    result = score(["a", "b c d"], ["x", "b c d"], "en")
    assert result.wer == 1 / 4  # the mean over phrases would be 1/2


def test_characters_count_spaces() -> None:
    result = one("no way", "noway")
    assert result.characters == ErrorCounts(0, 1, 0, 6)
    assert result.wer == 1.0


def test_accents_count_until_folded() -> None:
    result = score(["¿Dónde está el niño?"], ["donde esta el niño"], "es")
    assert result.wer == 2 / 4
    assert result.accent_folded().wer == 0.0
    assert score(["माँ"], ["माँ"], "hi").accent_folded().wer == 0.0
    assert score(["की"], ["कि"], "hi").accent_folded().wer == 1.0


def test_both_sides_are_normalised_by_language() -> None:
    assert score(["L'eau"], ["l’eau"], "fr").utterances[0].edits == (
        WordEdit("equal", "l", "l"),
        WordEdit("equal", "eau", "eau"),
    )


def test_no_utterance_is_no_error() -> None:
    assert score([], [], "en").wer == 0.0


def test_a_missing_hypothesis_is_refused() -> None:
    with pytest.raises(ValueError, match="2 references against 1"):
        score(["a", "b"], ["a"], "en")
