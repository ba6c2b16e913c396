"""What to record next follows from what a model got wrong, and from nothing that was recorded or put aside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ownvoice.config import VOXTRAL_LANGUAGES, TrainingSettings
from ownvoice.data.manifest import append_utterances
from ownvoice.data.phrases import Phrase, load_bank
from ownvoice.data.phrases.adaptive import HeardWord, find_weaknesses, order_by_weakness
from ownvoice.data.phrases.bank import load_lexicon
from ownvoice.data.phrases.next_up import next_phrases
from ownvoice.data.split import fold_text
from ownvoice.data.utterance import Utterance
from ownvoice.errors import ManifestError, TooLittleDataError
from ownvoice.rundir import RunFolder, VoiceFolder

LEXICON = {"ship": "ʃ ɪ p", "shop": "ʃ ɑː p", "cat": "k æ t", "boat": "b oʊ t", "wash": "w ɑː ʃ", "ten": "t ɛ n"}


def heard(text: str) -> list[HeardWord]:
    """Words marked with a star were not written."""
    return [HeardWord(word.strip("*"), not word.startswith("*")) for word in text.split()]


def phrases(*texts: str) -> list[Phrase]:
    return [Phrase(text, text, None, len(text.split()), None) for text in texts]


def test_rates_are_errors_drawn_towards_the_mean_of_the_voice() -> None:
    found = find_weaknesses([heard("*ship cat"), heard("*shop boat ten")], LEXICON)
    assert (found.said, found.wrong) == (5, 2)
    assert found.rate(("phone", "ʃ")) == pytest.approx((2 + 3 * 0.4) / (2 + 3))
    assert found.rate(("word", "cat")) == pytest.approx(3 * 0.4 / (1 + 3))
    assert found.rate(("phone", "ʒ")) == pytest.approx(0.4)
    assert found.worst("phone", 2) == [("phone", "p"), ("phone", "ʃ")]
    assert found.worst("word", 9) == [("word", "ship"), ("word", "shop")]


def test_phrases_with_the_failing_sound_come_first_also_in_words_never_heard() -> None:
    failing = [heard("*ship cat boat"), heard("*shop ten cat"), heard("boat *ship ten")]
    candidates = phrases("ten boat cat", "wash ten boat", "cat ten ten")
    order = order_by_weakness(candidates, find_weaknesses(failing, LEXICON), LEXICON)
    assert order[0].text == "wash ten boat"
    assert len(order) == 3 and order_by_weakness(candidates, find_weaknesses([], {}), {}, count=2)


def test_a_failing_word_counts_also_where_its_sounds_are_not_known() -> None:
    candidates = phrases("the dentist came", "the neighbour came")
    found = find_weaknesses([heard("ask the *neighbour now"), heard("the dentist now")], {})
    assert order_by_weakness(candidates, found, {})[0].text == "the neighbour came"


def test_what_was_chosen_once_counts_less_the_next_time() -> None:
    candidates = phrases("ship shop", "shop ship", "wash cat")
    found = find_weaknesses([heard("*ship *shop boat"), heard("*wash boat")], LEXICON)
    first, second, _ = order_by_weakness(candidates, found, LEXICON)
    assert (first.text, second.text) == ("ship shop", "wash cat")


@pytest.mark.parametrize("language", VOXTRAL_LANGUAGES)
def test_the_lexicon_knows_nearly_every_word_of_its_bank(language: str) -> None:
    lexicon = load_lexicon(language)
    words = [word for phrase in load_bank(language) for word in fold_text(phrase.text).split()]
    assert sum(word in lexicon for word in words) > 0.97 * len(words)
    assert load_lexicon("pl") == load_lexicon(None) == {}


@pytest.fixture
def judged(tmp_path: Path) -> VoiceFolder:
    """A voice with one recording, whose only run gets every word with "th" wrong."""
    voice = VoiceFolder(tmp_path / "voice")
    append_utterances(voice, [Utterance("wavs/1.wav", "I think so.", phrase_id="own-1")])
    run = voice.new_run()
    TrainingSettings().save(run.config)
    write_evaluation(run, [fold_text(phrase.text) for phrase in load_bank("en")[200:240]])
    return voice


def write_evaluation(run: RunFolder, texts: list[str]) -> None:
    edits = [[{"kind": "delete" if "th" in word else "equal", "reference": word} for word in t.split()] for t in texts]
    phrases = [{"text": text, "tuned": {"edits": one}} for text, one in zip(texts, edits, strict=True)]
    run.evaluation_json.write_text(json.dumps({"phrases": phrases}), encoding="utf-8")


def test_the_latest_evaluation_chooses_what_is_next(judged: VoiceFolder) -> None:
    bank = load_bank("en")
    found = next_phrases(judged, bank, "en", 20, by_errors=True)
    assert found.run == judged.latest_run()

    def with_th(phrases: tuple[Phrase, ...]) -> float:
        return sum(" θ " in f" {one.phones} " or " ð " in f" {one.phones} " for one in phrases) / len(phrases)

    assert with_th(found.phrases) > 1.3 * with_th(bank)
    in_order = next_phrases(judged, bank, "en", 20, by_errors=False)
    assert (in_order.phrases, in_order.run) == (bank[:20], None)


def test_what_is_recorded_is_not_asked_for_again_whatever_it_was_called(judged: VoiceFolder) -> None:
    first, second, third = load_bank("en")[:3]
    again = Utterance("wavs/3.wav", second.text.upper())
    gone = Utterance("wavs/4.wav", third.text, phrase_id=third.id, excluded=True)
    append_utterances(judged, [Utterance("wavs/2.wav", "edited", phrase_id=first.id), again, gone])
    assert next_phrases(judged, load_bank("en"), "en", 1, by_errors=False).phrases == (third,)


def test_without_an_evaluation_errors_are_not_known(tmp_path: Path, judged: VoiceFolder) -> None:
    with pytest.raises(TooLittleDataError, match="no model of this voice was judged yet"):
        next_phrases(VoiceFolder(tmp_path), load_bank("en"), "en", 5, by_errors=True)
    run = judged.latest_run()
    assert run is not None
    run.evaluation_json.write_text("{}", encoding="utf-8")
    with pytest.raises(ManifestError, match="is no evaluation"):
        next_phrases(judged, load_bank("en"), "en", 5, by_errors=True)
