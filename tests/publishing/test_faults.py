"""Whatever fails on the way: it goes on by itself to the same end, or says what to do, and the next try succeeds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.hub.app import Hub as LocalHub
from ownvoice.errors import HubError
from ownvoice.publishing.files import RepoFile
from ownvoice.publishing.hub import Hub
from ownvoice.publishing.push import push
from ownvoice.publishing.refusals import hub_refusals

Connect = Callable[..., Hub]

FILES = (
    RepoFile("README.md", b"---\nlicense: mit\n---\nhello"),
    RepoFile("data/train/a.wav", b"RIFF" + bytes(30_000)),
    RepoFile("data/train/metadata.jsonl", b'{"file_name": "a.wav"}\n'),
)
ROUTES = {
    "whoami": ("GET", "/whoami-v2"),
    "look": ("GET", "/api/datasets/anna/voice$"),
    "create": ("POST", "/repos/create"),
    "list": ("GET", "/tree/"),
    "card": ("POST", "/validate-yaml"),
    "preupload": ("POST", "/preupload/"),
    "batch": ("POST", "/objects/batch"),
    "put": ("PUT", "/storage/"),
    "verify": ("POST", "/lfs/verify"),
    "commit": ("POST", "/commit/"),
    "squash": ("POST", "/super-squash/"),
    "settings": ("PUT", "/settings"),
}


TRIED_BY_THE_CLIENT = {"list", "preupload", "batch", "put", "verify"}


@pytest.fixture(autouse=True)
def client_without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client waits a second before each try of its own."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def publish(hub: Hub) -> None:
    """All that publishing a public data set asks of the Hub."""
    hub.writable_name(hub.identity(), "voice")
    state = hub.ensure_repo("dataset", "anna/voice", public=True)
    ours = "data/".__le__
    push(hub, "dataset", "anna/voice", FILES, "Publish", ours=ours)
    hub.forget_history("dataset", "anna/voice")
    if not state.public:
        hub.make_public("dataset", "anna/voice")


def assert_done(local_hub: LocalHub) -> None:
    repo = local_hub.repo("dataset", "anna/voice")
    assert not repo.private
    assert len(repo.commits) == 1
    there = {path: local_hub.content(file.sha256) for path, file in repo.files.items() if path != ".gitattributes"}
    assert there == {file.path: file.content for file in FILES}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("action", [500, "cut", "lose"])
def test_a_passing_fault_is_met_with_another_try(
    connect: Connect, local_hub: LocalHub, said: list[str], route: str, action: int | str
) -> None:
    fault = local_hub.fail(*ROUTES[route], action)
    publish(connect())
    assert fault.met > 1 or action == "lose", "it was tried again, unless it turned out to be done"
    assert_done(local_hub)
    assert any("Trying again" in line for line in said) == (route not in TRIED_BY_THE_CLIENT)


@pytest.mark.parametrize(("route", "action"), [("verify", 422), ("put", 400), ("commit", 409), ("commit", 412)])
def test_damage_and_conflicts_are_met_with_another_try(
    connect: Connect, local_hub: LocalHub, route: str, action: int
) -> None:
    local_hub.fail(*ROUTES[route], action)
    if action == 400:  # storage refuses for good what it was told wrongly
        with pytest.raises(HubError, match="does not accept what was sent"):
            publish(connect())
    publish(connect())
    assert_done(local_hub)


@pytest.mark.parametrize(
    ("route", "action", "says", "mend"),
    [
        ("commit", 401, "does not accept this access token", "hf auth login"),
        ("create", 402, "asks for payment", "billing"),
        ("create", 403, "may not do that", "role 'write'"),
        ("settings", 403, "may not do that", "role 'write'"),
        ("commit", 404, "no such thing", "Check the name"),
        ("commit", 413, "larger than this account may store", "publish less"),
        ("put", 500, "a fault of its own", "Run the same command again"),
        ("verify", 422, "did not arrive whole", "Run the same command again"),
        ("commit", 409, "somebody else changed", "Run the same command again"),
        ("commit", 429, "too many requests", "Wait a few minutes"),
        ("commit", "cut", "connection to the Hub broke", "Run the same command again"),
        ("settings", "cut", "connection to the Hub broke", "Run the same command again"),
    ],
)
def test_a_lasting_fault_says_what_to_do_and_leaves_nothing_half_done(
    connect: Connect, local_hub: LocalHub, route: str, action: int | str, says: str, mend: str
) -> None:
    fault = local_hub.fail(*ROUTES[route], action, times=99)
    with pytest.raises(HubError, match=says) as refusal:
        publish(connect())
    assert mend in str(refusal.value)
    assert "hf_write" not in str(refusal.value)
    if route == "create":
        assert not local_hub.repos
    else:
        repo = local_hub.repo("dataset", "anna/voice")
        assert repo.private, "nothing is public before all of it is there"
        assert set(repo.files) in ({".gitattributes"}, {".gitattributes", *(file.path for file in FILES)})
    local_hub.faults.remove(fault)
    publish(connect())
    assert_done(local_hub)


def test_it_waits_as_long_as_the_hub_asks_within_reason(
    connect: Connect, local_hub: LocalHub, said: list[str], waited: list[float]
) -> None:
    local_hub.fail(*ROUTES["commit"], 429, headers={"Retry-After": "42"})
    publish(connect())
    assert waited == [42.0]
    assert said == ["The Hub asks to wait: too many requests came from this account (429). Trying again in 42 s."]

    local_hub.fail(*ROUTES["look"], 429, headers={"Retry-After": "3600"})
    with pytest.raises(HubError, match="asks to wait"):
        publish(connect())
    assert waited == [42.0]


def test_a_file_of_this_computer_that_fails_is_not_laid_to_the_hub(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), hub_refusals("anna/voice"):
        (tmp_path / "gone.wav").read_bytes()
    refused = r"the request failed \(the storage does not know this token\)"
    with pytest.raises(HubError, match=refused), hub_refusals("anna/voice"):
        raise PermissionError("the storage does not know this token")  # as hf_xet does


def test_a_hub_that_is_gone(connect: Connect, local_hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubError, match="connection to the Hub broke or could not be made"):
        connect().identity()
