"""What the site says of the code is what the code says: commands, settings, messages, modules, diagrams."""

from __future__ import annotations

import re

import pytest
from api_reference import PACKAGE, PAGES, as_markdown, modules, page, source_file
from command_reference import command_reference, commands
from diagrams import NAMES, read_diagram
from message_index import messages
from outside_pages import lead_links
from settings_reference import settings_classes, settings_reference
from snippets import ROOT

from ownvoice.cli import VERBS
from ownvoice.config import ServeSettings, TrainingSettings, VoiceSettings, leaf_fields


def test_every_verb_and_option_is_in_the_reference() -> None:
    text = command_reference()
    assert [verb for verb in VERBS if f"\n# ownvoice {verb}\n" not in "\n" + text.replace("##", "#")] == []
    for words, command, context in commands():
        section = text.split(f"# {words}\n", 1)[1].split("\n## ", 1)[0]
        for parameter in command.get_params(context):
            if parameter.param_type_name == "option" and not getattr(parameter, "hidden", False):
                assert parameter.opts[0] in section, f"{words} {parameter.opts[0]}"


def test_every_setting_is_in_the_reference_with_its_default_and_its_sentence() -> None:
    text = settings_reference()
    assert {VoiceSettings, TrainingSettings, ServeSettings} <= set(settings_classes())
    for kind in settings_classes():
        section = text.split(f"## {kind.__name__}\n", 1)[1].split("\n## ", 1)[0]
        for path, field in leaf_fields(kind):
            row = next(line for line in section.splitlines() if line.startswith(f"| `{'.'.join(path)}` |"))
            assert " ".join((field.description or "").split()) in row
            assert field.default is None or str(field.default) in row


def test_every_module_is_on_a_page_of_the_reference() -> None:
    assert {source_file(module) for module in modules()} == set(PACKAGE.rglob("*.py"))
    assert set(modules().values()) == set(PAGES)
    assert "::: ownvoice.data.takes\n" in page("data")


def test_messages_are_those_of_the_code() -> None:
    texts = {message.text: message.mend for message in messages()}
    assert texts["there is no such model"].startswith('Give "tiny"')
    assert texts["…: there is no such setting"] == ""
    assert len(texts) > 150


def test_messages_told_of_in_troubleshooting_are_said_somewhere() -> None:
    quoted = re.findall(r"^\*\*\"([^\"]+)\"", (ROOT / "docs" / "troubleshooting.md").read_text(), re.MULTILINE)
    code = "".join(file.read_text(encoding="utf-8") for file in PACKAGE.rglob("*.py"))
    said = re.sub(r"\"\s*f?\"", "", code).casefold()  # a text written in two pieces is one
    assert [text for text in quoted if text.rstrip(".").casefold() not in said] == []
    assert len(quoted) > 5


@pytest.mark.parametrize("name", NAMES)
def test_what_a_diagram_links_to_exists(name: str) -> None:
    diagram = read_diagram(name)
    assert diagram.links
    assert [path for path in diagram.links.values() if not (ROOT / path).exists()] == []
    assert diagram.words.startswith("## In words\n")
    boxes = set(re.findall(r"^\s*(\w+)[\[({]", diagram.source, re.MULTILINE))
    assert set(diagram.links) <= boxes, "a link of a box that is not there"


@pytest.mark.parametrize("name", NAMES)
def test_drawings_are_those_of_the_sources(name: str) -> None:
    diagram = read_diagram(name)
    assert f"drawn from {diagram.digest}" in diagram.file.read_text(encoding="utf-8"), (
        "run python tools/docs/draw_diagrams.py"
    )


def test_links_out_of_the_docs_are_led_into_the_site() -> None:
    assert lead_links("[x](../README.md#map)", "privacy.md") == "[x](repository/README.md#map)"
    assert lead_links("[x](docs/guide/record.md)", "repository/README.md") == "[x](../guide/record.md)"
    assert lead_links("[x](adr/)", "architecture.md") == "[x](adr/index.md)"
    assert lead_links("```\n[x](../README.md)\n```", "privacy.md") == "```\n[x](../README.md)\n```"


def test_docstrings_marks_become_markdown() -> None:
    assert "optional><code>b</code></autoref> of" in as_markdown("see :func:`~ownvoice.a.b` of it")
    assert as_markdown("a.py     one\nbb.py    two") == "    a.py     one\n    bb.py    two"
    assert as_markdown("a line\nand another") == "a line\nand another"
