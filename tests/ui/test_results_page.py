"""What a training brought, as its page shows it: words, figures, phrases, warnings; several beside each other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from in_browser import Studio, assert_accessible

from made_up_runs import judge, trained_run
from ownvoice.data.manifest import read_manifest
from ownvoice.data.split import load_split
from ownvoice.rundir import RunFolder, VoiceFolder
from voices import make_voice

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def voice(studio: Studio) -> VoiceFolder:
    return make_voice(studio.voices / "anna", 40)


@pytest.fixture(scope="module")
def judged(voice: VoiceFolder) -> RunFolder:
    """A run whose base wrote nothing but "the"; its tuned model mishears "tea", and then goes on and on."""
    run = trained_run(voice)
    chatter = " and so on and so on and so on"
    judge(
        run,
        base=lambda said: "the",
        tuned=lambda said: said.replace("tea", "key") + (chatter if "tea" in said else ""),
    )
    return run


@pytest.fixture
def result(tab: Page, judged: RunFolder) -> Page:
    tab.goto(f"/voices/anna/runs/{judged.path.name}")
    return tab


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_is_accessible(result: Page, width: int, scheme: str) -> None:
    result.set_viewport_size({"width": width, "height": 800})
    result.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    assert_accessible(result)


def test_figures_are_those_of_the_evaluation(result: Page, judged: RunFolder) -> None:
    evaluation = json.loads(judged.evaluation_json.read_text())
    assert result.locator("#headline").inner_text() == evaluation["headline"]
    shown = [cell.get_attribute("data-rate") for cell in result.locator("td[data-figure=wer]").all()]
    assert [float(rate or "nan") for rate in shown] == [evaluation["base"]["wer"], evaluation["tuned"]["wer"]]
    assert all(label.count("probably between") for label in chart_labels(result))


def test_a_wrong_word_is_marked_in_more_than_colour(result: Page) -> None:
    wrong = result.locator(".tuned .sub", has_text="key").first
    assert wrong.text_content() == "(wrong: key, said was tea)"
    assert "wavy" in wrong.evaluate("(element) => getComputedStyle(element).textDecoration")


def test_phrases_are_chosen_by_keyboard(result: Page, judged: RunFolder) -> None:
    rows = json.loads(judged.evaluation_json.read_text())["phrases"]
    assert result.locator(".phrases li:visible").count() == len(rows)
    result.locator("#show-all").focus()
    for wanted in ("gained", "wrong"):
        result.keyboard.press("ArrowRight")
        assert result.locator(f"#show-{wanted}").is_checked()
    wrong = [row for row in rows if row["tuned"]["wer"]]
    assert 0 < result.locator(".phrases li:visible").count() == len(wrong) < len(rows)


def test_what_is_still_wrong_is_listed_with_a_way_to_record_more(result: Page) -> None:
    assert result.locator(".wrongs li").first.inner_text().startswith("tea wrong")
    result.get_by_role("link", name="Record more of these").click()
    result.wait_for_url("**/record?by=errors")
    result.get_by_role("button", name="Record").first.wait_for()
    usual, chosen = (
        [phrase["text"] for phrase in result.request.get(f"/voices/anna/session?by={by}").json()["phrases"]]
        for by in ("order", "errors")
    )
    assert chosen != usual
    assert chosen[0] in result.locator("main").inner_text()


def test_made_up_words_are_told(result: Page, judged: RunFolder) -> None:
    overlong = json.loads(judged.evaluation_json.read_text())["tuned"]["overlong_phrases"]
    assert overlong > 0
    row = result.locator("tr", has_text="Phrases with far more words than were said")
    assert row.locator("td").nth(1).inner_text().startswith(f"{overlong} of ")
    assert result.get_by_text("made up words").first.is_visible()


def test_each_phrase_plays(result: Page) -> None:
    source = result.locator(".phrases audio").first.get_attribute("src")
    assert source is not None
    answer = result.request.get(source)
    assert (answer.status, answer.headers["content-type"]) == (200, "audio/wav")


def test_the_report_is_there_to_keep(result: Page, judged: RunFolder) -> None:
    judged.evaluation_html.write_text("<p>all of it</p>")
    with result.expect_download() as download:
        result.get_by_role("link", name="The report as one file").click()
    assert download.value.suggested_filename == f"anna-{judged.path.name}.html"
    assert download.value.path().read_text() == "<p>all of it</p>"


def test_several_trainings_stand_side_by_side(tab: Page, voice: VoiceFolder, judged: RunFolder) -> None:
    other = trained_run(voice, seed=1)
    judge(other, base=lambda said: "the", tuned=lambda said: said)
    tab.goto(f"/voices/anna/runs/{judged.path.name}")
    tab.get_by_role("link", name="Compare all trainings").click()
    tab.wait_for_url("**/compare")
    assert tab.locator("tbody tr").count() == 2
    assert tab.locator("tbody", has_text="(same phrases)").count() == 1
    assert len(chart_labels(tab)) == 2
    assert_accessible(tab)


def test_a_learning_curve_answers_and_shows_what_it_rests_on(tab: Page, voice: VoiceFolder, judged: RunFolder) -> None:
    tab.goto(f"/voices/anna/curve?run={judged.path.name}")
    assert tab.get_by_role("button", name="Find out").is_visible()
    assert_accessible(tab)
    split = load_split(judged, read_manifest(voice).utterances)
    parts = []
    for share in (0.25, 0.5):
        part = trained_run(voice, split)
        parts.append({"share": share, "run": part.path.name})
    judge(part, base=lambda said: "the", tuned=lambda said: "nobody knows what that was about")
    voice.learning_curve.write_text(json.dumps({"of": judged.path.name, "parts": parts}))
    tab.reload()
    assert tab.locator("#answer").inner_text().startswith("Yes.")
    assert "not known yet" in tab.locator("tbody tr").first.inner_text()
    assert len(chart_labels(tab)) == 2
    assert_accessible(tab)


def chart_labels(page: Page) -> list[str]:
    return [chart.get_attribute("aria-label") or "" for chart in page.locator(".chart svg[role=img]").all()]
