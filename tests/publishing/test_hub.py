"""What is sent, to whom it belongs and who can read it, through the real client and a Hub on loopback."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from fakes.hub.app import Hub as LocalHub
from fakes.hub.app import add_repo
from ownvoice.errors import HubError, UsageError
from ownvoice.publishing.files import RepoFile
from ownvoice.publishing.hub import Hub
from ownvoice.publishing.push import push as push_files
from ownvoice.publishing.repository import Pushed

Connect = Callable[..., Hub]

CARD = RepoFile("README.md", b"---\nlicense: mit\n---\nhello")
SOUND = RepoFile("data/train/a.wav", b"RIFF" + bytes(3000))
TABLE = RepoFile("data/train/metadata.jsonl", b'{"file_name": "a.wav"}\n')


def push(hub: Hub, *files: RepoFile, repo: str = "anna/voice", public: bool = False) -> Pushed:
    hub.ensure_repo("dataset", repo, public=public)
    return push_files(hub, "dataset", repo, files, "Publish", ours=lambda path: path.startswith("data/"))


def contents(local_hub: LocalHub, repo: str = "anna/voice", kind: str = "dataset") -> dict[str, bytes]:
    files = local_hub.repo(kind, repo).files
    return {path: local_hub.content(file.sha256) for path, file in files.items() if path != ".gitattributes"}


@pytest.mark.parametrize(
    ("token", "sentence", "may", "may_not"),
    [
        ("hf_write", "may write to: anna, clinic.", ["anna/x", "clinic/x"], ["ben/x"]),
        ("hf_read", "may only read.", [], ["anna/x", "anna/mine"]),
        ("hf_fine", "may write to: anna/mine.", ["anna/mine"], ["anna/x"]),
    ],
)
def test_who_it_is_and_what_the_token_may_do(
    connect: Connect, token: str, sentence: str, may: list[str], may_not: list[str]
) -> None:
    hub = connect(token)
    identity = hub.identity()
    assert identity.sentence == f"Logged in as anna. This access token {sentence}"
    assert [hub.writable_name(identity, repo) for repo in may] == may
    for repo in may_not:
        with pytest.raises(HubError, match="may not write there"):
            hub.writable_name(identity, repo)


def test_a_bare_name_is_the_persons_own(connect: Connect) -> None:
    hub = connect()
    assert hub.writable_name(hub.identity(), "voice") == "anna/voice"
    for name in ("a b", "x/y/z", "-x", "a/" + "b" * 200):
        with pytest.raises(UsageError):
            hub.writable_name(hub.identity(), name)


def test_a_repository_is_private_and_in_one_commit(connect: Connect, local_hub: LocalHub) -> None:
    pushed = push(connect(), CARD, SOUND, TABLE)
    repo = local_hub.repo("dataset", "anna/voice")
    assert repo.private
    assert [commit.title for commit in repo.commits] == ["initial commit", "Publish"]
    assert pushed.commit == repo.commits[-1].oid
    assert pushed.url == f"{local_hub.url}/datasets/anna/voice"
    assert contents(local_hub) == {file.path: file.content for file in (CARD, SOUND, TABLE)}


def test_nothing_private_goes_where_everybody_reads(connect: Connect, local_hub: LocalHub) -> None:
    add_repo(local_hub, "dataset", "anna/voice", {"README.md": b"before"})
    with pytest.raises(HubError, match="is public already"):
        push(connect(), CARD)
    assert contents(local_hub) == {"README.md": b"before"}
    push(connect(), CARD, public=True)
    assert contents(local_hub)["README.md"] == CARD.content


def test_a_second_push_sends_only_what_changed(connect: Connect, local_hub: LocalHub) -> None:
    many = [RepoFile(f"data/train/{number}.wav", b"RIFF" + bytes([number]) * 40_000) for number in range(20)]
    push(connect(), CARD, TABLE, *many)
    everything = local_hub.received()
    assert everything > 800_000
    local_hub.seen.clear()
    assert push(connect(), CARD, TABLE, *many).sent == ()
    assert local_hub.received() < 300  # asking for the repository, which is there

    local_hub.seen.clear()
    changed = RepoFile("data/train/3.wav", b"RIFF" + b"new" * 5000)
    pushed = push(connect(), CARD, TABLE, *many[:3], changed, *many[4:])
    assert pushed.sent == ("data/train/3.wav",)
    assert local_hub.received("/storage/") == len(b"RIFF" + b"new" * 5000)
    assert local_hub.received() < 15_004 + 3000


def test_only_files_of_ours_are_removed(connect: Connect, local_hub: LocalHub) -> None:
    add_repo(local_hub, "dataset", "anna/voice", {"mine.txt": b"by hand", "data/old.wav": b"RIFF"}, private=True)
    pushed = push(connect(), CARD, SOUND)
    assert pushed.removed == ("data/old.wav",)
    assert set(contents(local_hub)) == {"mine.txt", "README.md", "data/train/a.wav"}


def test_large_files_go_in_parts_and_only_the_missing_ones_again(connect: Connect, local_hub: LocalHub) -> None:
    local_hub.multipart_from, local_hub.part_size = 100_000, 40_000
    weights = RepoFile("data/model.safetensors", hashlib.sha256(b"seed").digest() * 4000)
    other = RepoFile("data/other.safetensors", b"\0" * 150_000)
    local_hub.fail("POST", "/commit/", 403)
    with pytest.raises(HubError, match="may not do that"):
        push(connect(), weights, other)
    assert local_hub.received(r"/storage/\w+/\d", "PUT") == 128_000 + 150_000
    local_hub.seen.clear()
    push(connect(), weights, other)
    assert local_hub.received("/storage/") == 0, "both are there already"
    assert contents(local_hub) == {weights.path: weights.content, other.path: other.content}


def test_history_can_be_forgotten(connect: Connect, local_hub: LocalHub) -> None:
    push(connect(), SOUND)
    push(connect(), TABLE)
    head = connect().forget_history("dataset", "anna/voice")
    (only,) = local_hub.repo("dataset", "anna/voice").commits
    assert (only.oid, set(only.files)) == (head, {".gitattributes", TABLE.path})


def test_a_card_that_is_refused_is_found_before_anything_is_sent(connect: Connect, local_hub: LocalHub) -> None:
    with pytest.raises(HubError, match=r"does not accept the card .*license") as refusal:
        push(connect(), SOUND, RepoFile("README.md", b"---\nlicense: mine\n---\nhello"))
    assert "--licence" in str(refusal.value)
    assert not local_hub.requests("/storage/")


def test_deleting_what_is_not_there_is_no_success(connect: Connect, local_hub: LocalHub) -> None:
    push(connect(), SOUND)
    connect().delete("dataset", "anna/voice")
    assert ("dataset", "anna/voice") not in local_hub.repos
    with pytest.raises(HubError, match="no such thing"):
        connect().delete("dataset", "anna/voice")


def test_a_repository_that_holds_something_else_in_the_end_is_no_success(connect: Connect, local_hub: LocalHub) -> None:
    """Somebody's commit falls between ours and the look at it, on a Hub that then shows only the latest state."""
    push(connect(), SOUND)
    repo = local_hub.repo("dataset", "anna/voice")
    latest = repo.add

    def add_and_lose(title: str, files: dict[str, object]) -> object:
        return latest(title, {path: file for path, file in files.items() if path != TABLE.path})  # type: ignore[dict-item]

    repo.add = add_and_lose  # type: ignore[method-assign, assignment]
    with pytest.raises(HubError, match=r"holds something else than was sent, in 1 file, for example data/train/meta"):
        push(connect(), SOUND, TABLE)
