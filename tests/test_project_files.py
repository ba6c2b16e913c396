"""The files a code host and its people read: each is what its format asks for, and says nothing that is not so."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

import ownvoice
from ownvoice.cli import cli

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FORMS = sorted(file for file in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if file.name != "config.yml")
FOR_PEOPLE = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "CHANGELOG.md")
SEMANTIC = r"(\d+)\.(\d+)\.(\d+)"


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("github-workflows", WORKFLOWS),
        ("github-issue-forms", FORMS),
        ("github-issue-config", [ROOT / ".github/ISSUE_TEMPLATE/config.yml"]),
        ("dependabot", [ROOT / ".github/dependabot.yml"]),
        ("citation-file-format", [ROOT / "CITATION.cff"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_follow_their_schemas(schema: str, files: list[Path]) -> None:
    assert files
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_hooks_are_valid_and_run_what_make_check_runs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-config", str(ROOT / ".pre-commit-config.yaml")]
    subprocess.run(command, check=True, timeout=60, env={"PRE_COMMIT_HOME": str(tmp_path)})
    (repo,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    check = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)
    assert repo["repo"] == "local" and check
    checked = [line.strip().replace("$(BIN)", ".venv/bin").removesuffix(" --check") for line in check[1].splitlines()]
    hooks = [re.sub(r" --\S+", "", hook["entry"]) for hook in repo["hooks"]]
    assert hooks == checked


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_workflows_run_pinned_actions_with_no_right_they_do_not_need(workflow: Path) -> None:
    text = workflow.read_text()
    for action in re.findall(r"uses: (.*)", text):
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    content = yaml.safe_load(text)
    assert content["permissions"] == {"contents": "read"}
    for name, job in content["jobs"].items():
        assert job["timeout-minutes"] <= 90
        assert job.get("permissions", {}) == ({"id-token": "write"} if name == "publish" else {})
    assert "secrets." not in text
    commands = "\n".join(step.get("run", "") for job in content["jobs"].values() for step in job["steps"])
    assert "${{" not in commands, "what the host puts into a command could be a command itself"


def test_every_workflow_runs_the_same_script_as_everybody() -> None:
    for workflow in WORKFLOWS:
        assert "run: bash .ci/run" in workflow.read_text()


@pytest.mark.parametrize("form", FORMS, ids=lambda file: file.name)
def test_issue_forms_ask_for_no_recording(form: Path) -> None:
    first = yaml.safe_load(form.read_text())["body"][0]
    assert first["type"] == "markdown", "what not to send is said before anything is asked"
    assert re.search(r"no\W+recording|not send recordings", first["attributes"]["value"])


@pytest.mark.parametrize("name", [*FOR_PEOPLE, ".github/PULL_REQUEST_TEMPLATE.md"])
def test_links_between_files_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", (ROOT / name).read_text())
    local = [link.split("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in local if not (ROOT / name).parent.joinpath(link).exists()] == []


def test_version_is_told() -> None:
    assert CliRunner().invoke(cli, ["--version"]).stdout == f"ownvoice, version {ownvoice.__version__}\n"


def test_version_is_semantic_and_the_changelog_in_order() -> None:
    now = re.fullmatch(SEMANTIC, ownvoice.__version__)
    assert now
    headings = re.findall(r"^## (.*)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    released = [heading for heading in headings if heading != "[Unreleased]"]
    assert headings in (released, ["[Unreleased]", *released])
    found = [re.fullmatch(rf"\[{SEMANTIC}\] - (\d{{4}}-\d\d-\d\d)", heading) for heading in released]
    assert None not in found, f"write [1.2.3] - YEAR-MONTH-DAY: {released}"
    releases = [(tuple(map(int, match.groups()[:3])), match[4]) for match in found if match]
    assert all(newer > older for newer, older in pairwise(releases))
    assert not releases or releases[0][0] <= tuple(map(int, now.groups()))
