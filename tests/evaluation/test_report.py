"""The page as a file: everything in it, nothing outside it, nothing of a stranger's taken for markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from made_up_results import judge

from ownvoice.errors import AudioError, TrainingError
from ownvoice.evaluation.charts import group_by_length, scale_to
from ownvoice.evaluation.report import percent, write_report
from ownvoice.events import EventLog, Windows
from ownvoice.rundir import RunFolder

ROWS = [
    ("Open the window, please.", "hope in the winter please", "Open the window, please."),
    ("I want tea", "", "I I want tea"),
    ("Yes", "yes yes I will see you then", "Yes."),
    ("It is cold", "it is cold", "it is old"),
]


class Tags(HTMLParser):
    """Every element of a page with its attributes, and the text outside style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements[-1:] and self.elements[-1][0] != "style":
            self.text += " " + data

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


def page_of(run: RunFolder) -> str:
    return run.evaluation_html.read_text(encoding="utf-8")


def test_figures_phrases_and_marks_are_there(run: RunFolder) -> None:
    evaluation = judge(run, ROWS, silence=[("Thank you", ""), ("", "")], names=["Ann"])
    write_report(run, evaluation)
    words = Tags(page_of(run)).words
    assert evaluation.headline.text in words
    assert evaluation.difference.sentence in words
    assert "Only 4 phrases were judged" in words
    assert "(wrong: winter , said was window)" in words
    assert "(missing: tea )" in words
    assert "(extra: i )" in words
    assert "made up words" in words
    assert "Before, in silence it wrote: thank you ." in words
    assert "None of your names is in these phrases" in words
    assert "Before: tiny . Now: the same after training (small adapters, encoder and decoder)" in words


def test_it_says_in_which_windows_the_model_was_trained_and_why(run: RunFolder) -> None:
    evaluation = judge(run, ROWS)
    write_report(run, evaluation)
    assert "windows" not in Tags(page_of(run)).words
    why = "the base model hears the dev set no worse in them (WER 48.5% in short windows, at most +0.21)"
    EventLog(run.events).emit(Windows("short", 0.5, 0.485, 1.7, 1.71, 0.1, 0.01, 0.21, why))
    write_report(run, evaluation)
    assert f"Short windows are used: {why}." in Tags(page_of(run)).words


def test_most_improved_first_and_worse_last(run: RunFolder) -> None:
    write_report(run, judge(run, ROWS))
    places = [int(number) for number in re.findall(r'id="phrase-(\d+)"', page_of(run))]
    assert places == [3, 1, 2, 4]
    assert re.findall(r'<p class="change [^"]*">([^<]*)<', page_of(run)) == [
        "now right",
        "now right",
        "better",
        "worse",
    ]


def test_nothing_is_asked_of_any_other_file_or_server(run: RunFolder) -> None:
    write_report(run, judge(run, ROWS))
    page = page_of(run)
    tags = Tags(page)
    assert "script" not in {tag for tag, _ in tags.elements}
    for tag, attributes in tags.elements:
        for name in ("src", "href", "srcset", "poster", "action", "data"):
            address = attributes.get(name)
            assert address is None or address.startswith(("data:", "#")), f"<{tag} {name}={address}>"
    assert not re.search(r"url\(|@import|https?:", page)
    assert sum(tag == "audio" for tag, _ in tags.elements) == len(ROWS)
    policy = next(attributes["content"] for tag, attributes in tags.elements if "http-equiv" in attributes)
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_whatever_a_person_or_a_model_wrote_is_text(run: RunFolder) -> None:
    evil = "<script>alert('x')</script>"
    rows = [(evil, evil, evil), ("a & b </style>", "\"><img src=x onerror='y'>", "c"), ("{{ 7*7 }}", "{% x %}", "y")]
    write_report(run, judge(run, rows, silence=[(evil, evil)], names=["<b>Script</b>"]))
    page = page_of(run)
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in page
    assert "{{ 7*7 }}" in page
    assert {"script", "img", "b-"}.isdisjoint(tag for tag, _ in Tags(page).elements)
    assert "onerror" not in {name for _, attributes in Tags(page).elements for name in attributes}
    assert "&lt;b&gt;Script&lt;/b&gt;" in page


def test_texts_carry_their_language_and_find_their_direction(run: RunFolder) -> None:
    write_report(run, judge(run, [("¿Dónde está?", "donde", "¿Dónde está?")], names=["محمد"], language="es"))
    page = page_of(run)
    assert '<span dir="auto" lang="es">¿Dónde está?</span>' in page
    assert "<bdi>מרים</bdi>" in page
    assert "<bdi>محمد</bdi>" in page
    assert "rules for Spanish" in Tags(page).words.replace("\n", " ")


def test_it_says_that_it_holds_recordings(run: RunFolder) -> None:
    write_report(run, judge(run, ROWS))
    assert "This page contains recordings of a person's voice." in Tags(page_of(run)).words


def test_recordings_left_out_are_counted(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ownvoice.evaluation.report.MAX_BYTES", 8000)  # each clip is about 3000
    write_report(run, judge(run, ROWS))
    assert "The recordings of 2 phrases were left out" in Tags(page_of(run)).words
    assert page_of(run).count("<audio") == 2


def test_a_lost_recording_leaves_the_old_page(run: RunFolder) -> None:
    evaluation = judge(run, ROWS)
    write_report(run, evaluation)
    before = page_of(run)
    (run.voice.wavs / "0002.wav").unlink()
    with pytest.raises(AudioError, match=r"0002\.wav"):
        write_report(run, evaluation)
    assert page_of(run) == before


def test_no_run_no_page(run: RunFolder) -> None:
    evaluation = judge(run, ROWS)
    run.config.unlink()
    with pytest.raises(TrainingError, match="not a training run"):
        write_report(run, evaluation)


def test_groups_by_length(run: RunFolder) -> None:
    rows = [("a " * words, "a " * words, "") for words in (1, 3, 4, 9, 15, 40)]
    groups = group_by_length(judge(run, [*rows, ("...", "hm", "")]))
    assert [(group.label, group.phrases) for group in groups] == [
        ("Up to 3 words", 3),
        ("4 to 6 words", 1),
        ("7 to 9 words", 1),
        ("15 words or more", 2),
    ]
    assert [group.base.errors for group in groups] == [1, 0, 0, 0]
    assert [group.tuned.rate for group in groups] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("largest", "ticks"),
    [
        (0.0, (0, 0.01, 0.02, 0.03, 0.04, 0.05)),
        (0.42, (0, 0.1, 0.2, 0.3, 0.4, 0.5)),
        (0.5, (0, 0.1, 0.2, 0.3, 0.4, 0.5)),
        (1.2, (0, 0.5, 1.0, 1.5)),
        (17.0, (0, 5, 10, 15, 20)),
    ],
)
def test_axis_has_round_numbers(largest: float, ticks: tuple[float, ...]) -> None:
    scale = scale_to(largest)
    assert scale.ticks == pytest.approx(ticks)
    assert scale.position(scale.top / 4) == 25


@pytest.mark.parametrize(
    ("rate", "text"), [(0, "0%"), (0.046, "4.6%"), (0.05, "5%"), (0.0996, "10%"), (0.462, "46%"), (1.25, "125%")]
)
def test_rates_as_people_write_them(rate: float, text: str) -> None:
    assert percent(rate) == text
