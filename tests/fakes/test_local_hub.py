"""The local Hub answers the real client as the Hub does: what the other tests lean on is checked here."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.hub.app import Hub, Token, client_environment, running_hub

CLIENT = """
import json, sys
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, GatedRepoError
api = HfApi()
def say(value): print(json.dumps(value))
def refusal(call):
    try:
        call()
    except HfHubHTTPError as error:
        return type(error).__name__, error.response.status_code
"""


def client(hub: Hub, home: Path, program: str, token: str = "hf_write") -> list[Any]:
    """What ``program``, run by the real client in a process of its own, says."""
    done = subprocess.run(
        [sys.executable, "-c", CLIENT + program],
        env=client_environment(hub, home, token),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with running_hub(tmp_path / "hub") as hub:
        hub.add_token(Token("hf_write", "anna"))
        hub.add_token(Token("hf_read", "anna", "read"))
        hub.add_token(Token("hf_fine", "anna", "fineGrained", writes=("anna/mine",)))
        hub.add_token(Token("hf_other", "ben"))
        yield hub


WRITE_AND_READ = """
api.create_repo("anna/voice", repo_type="dataset", private=True)
adds = [
    CommitOperationAdd("README.md", b"---\\nlicense: mit\\n---\\nhello"),
    CommitOperationAdd("data/a.wav", b"RIFF" + b"\\0" * 1000),
    CommitOperationAdd("big.bin", b"x" * 5_500_000),
]
first = api.create_commit("anna/voice", repo_type="dataset", operations=adds, commit_message="one")
again = [CommitOperationAdd("data/a.wav", b"RIFF" + b"\\0" * 1000), CommitOperationDelete("big.bin")]
second = api.create_commit(
    "anna/voice", repo_type="dataset", operations=again, commit_message="two", parent_commit=first.oid
)
say([entry.path for entry in api.list_repo_tree("anna/voice", repo_type="dataset", recursive=True)])
say([info.size for info in api.get_paths_info("anna/voice", ["data/a.wav", "none"], repo_type="dataset")])
say([commit.title for commit in api.list_repo_commits("anna/voice", repo_type="dataset")])
say(open(hf_hub_download("anna/voice", "README.md", repo_type="dataset")).read())
say(api.dataset_info("anna/voice", revision=first.oid).sha == first.oid)
stale = lambda: api.create_commit(
    "anna/voice", repo_type="dataset", operations=[CommitOperationAdd("b", b"b")], commit_message="x",
    parent_commit=first.oid)
say(refusal(stale))
api.delete_repo("anna/voice", repo_type="dataset")
say(api.repo_exists("anna/voice", repo_type="dataset"))
"""


@pytest.mark.slow
def test_the_real_client_writes_and_reads(hub: Hub, tmp_path: Path) -> None:
    tree, sizes, titles, readme, has_old, stale, exists = client(hub, tmp_path / "home", WRITE_AND_READ)
    assert tree == ["data", ".gitattributes", "README.md", "data/a.wav"]
    assert sizes == [1004]
    assert titles == ["two", "one", "initial commit"]
    assert readme.endswith("hello")
    assert has_old and not exists
    assert stale == ["HfHubHTTPError", 412]
    assert [seen.bytes for seen in hub.requests("/storage/", "PUT")].count(1004) == 1
    assert sorted(seen.bytes for seen in hub.requests(r"/storage/\w+/\d", "PUT")) == [1_500_000, 2_000_000, 2_000_000]


ROLES = """
say(api.whoami()["auth"]["accessToken"]["role"])
say(refusal(lambda: api.create_repo("anna/new")))
say(refusal(lambda: api.create_repo("anna/mine")))
say(refusal(lambda: api.model_info("anna/private")))
say(refusal(lambda: hf_hub_download("ben/gated", "f")))
"""


@pytest.mark.slow
def test_tokens_may_do_what_their_role_says(hub: Hub, tmp_path: Path) -> None:
    refused = ["HfHubHTTPError", 403]
    client(hub, tmp_path / "home", 'api.create_repo("anna/private", private=True)')
    client(hub, tmp_path / "home", 'api.create_repo("ben/gated", private=False)', "hf_other")
    hub.repo("model", "ben/gated").gated = True
    gated = ["GatedRepoError", 403]
    assert client(hub, tmp_path / "home", ROLES, "hf_read") == ["read", refused, refused, None, gated]
    fine = client(hub, tmp_path / "home", ROLES, "hf_fine")
    assert fine == ["fineGrained", refused, None, None, gated]
    missing = ["RepositoryNotFoundError", 404]
    assert client(hub, tmp_path / "home", ROLES, "hf_other") == ["write", refused, refused, missing, gated]


FAULTY = """
import time, huggingface_hub.utils._http as http
http.time.sleep = lambda seconds: None
api.create_repo("anna/model")
def push(text):
    adds = [CommitOperationAdd("model.safetensors", text)]
    return api.create_commit("anna/model", operations=adds, commit_message="push").oid
push(b"one" * 100)
say(refusal(lambda: push(b"two" * 100)))
say(len(api.list_repo_commits("anna/model")))
try:
    push(b"three" * 100)
except Exception as error:
    say(type(error).__name__)
say(len(api.list_repo_commits("anna/model")))
"""


@pytest.mark.slow
def test_faults_strike_when_they_should(hub: Hub, tmp_path: Path) -> None:
    cut = hub.fail("PUT", "/storage/", "cut")
    hub.fail("POST", "/commit/", 500, first=2)
    hub.fail("POST", "/commit/", "lose", first=3)
    status, commits, lost, after = client(hub, tmp_path / "home", FAULTY)
    assert cut.met >= 2, "the client tries a cut upload again"
    assert status == ["HfHubHTTPError", 500] and commits == 2
    assert lost == "ReadError" or lost == "RemoteProtocolError"
    assert after == 3, "what was asked was done, though the answer was lost"


SPACE = """
api.create_repo("anna/demo", repo_type="space", space_sdk="gradio", private=True)
api.add_space_secret("anna/demo", "HF_TOKEN", "hf_read_only")
api.add_space_variable("anna/demo", "MODEL", "anna/model")
say([secret.key for secret in api.get_space_secrets("anna/demo").values()])
say({name: variable.value for name, variable in api.get_space_variables("anna/demo").items()})
say(api.request_space_hardware("anna/demo", "t4-small").requested_hardware)
say([api.get_space_runtime("anna/demo").stage for _ in range(4)])
say(list(api.fetch_space_logs("anna/demo", build=True)))
"""


@pytest.mark.slow
def test_a_space_keeps_its_secrets_and_builds(hub: Hub, tmp_path: Path) -> None:
    secrets, variables, hardware, stages, log = client(hub, tmp_path / "home", SPACE)
    assert (secrets, variables, hardware) == (["HF_TOKEN"], {"MODEL": "anna/model"}, "t4-small")
    assert stages == ["BUILDING", "APP_STARTING", "RUNNING", "RUNNING"]
    assert log == ["Building...", "Done."]
    assert hub.repo("space", "anna/demo").secrets == {"HF_TOKEN": "hf_read_only"}


JOBS = """
def run(script, **options):
    return api.run_job(image="python:3.12", command=["bash", "-c", script], flavor="cpu-basic", **options)
good = run("echo one; echo $WORD; echo $KEY | wc -c", env={"WORD": "two"}, secrets={"KEY": "1234"}, labels={"a": "b"})
say(list(api.fetch_job_logs(job_id=good.id, follow=True)))
say(api.inspect_job(job_id=good.id).status.stage)
bad, slow, stopped = run("echo oh; exit 3"), run("sleep 60", timeout=1), run("sleep 60")
api.cancel_job(job_id=stopped.id)
say([api.wait_for_job(job.id).status.message for job in (bad, slow, stopped)])
say(sorted(job.status.stage for job in api.list_jobs()))
say(api.inspect_job(job_id=good.id).secrets)
"""


@pytest.mark.slow
def test_jobs_run_as_processes_and_end_as_they_end(hub: Hub, tmp_path: Path) -> None:
    log, stage, messages, stages, secrets = client(hub, tmp_path / "home", JOBS)
    assert log == ["one", "two", "5"]
    assert stage == "COMPLETED"
    assert messages == [
        "Job failed with exit code: 3",
        "Job timeout: its time limit was reached",
        "Canceled by the user",
    ]
    assert stages == ["CANCELED", "COMPLETED", "ERROR", "ERROR"]
    assert secrets == {"KEY": ""}
