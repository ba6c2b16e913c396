"""The last look before files leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from ownvoice.errors import HubError
from ownvoice.publishing.files import RepoFile, refuse_traces


def test_folders_and_tokens_are_found_in_every_text(tmp_path: Path) -> None:
    on_disk = tmp_path / "table.jsonl"
    on_disk.write_text(f'{{"text": "{tmp_path}/a"}}\n')
    refuse_traces([RepoFile("README.md", b"fine"), RepoFile("a.wav", str(tmp_path).encode())], [tmp_path])
    with pytest.raises(HubError, match=r"data/table\.jsonl: holds the name of a folder"):
        refuse_traces([RepoFile("data/table.jsonl", on_disk)], [tmp_path])
    token = b"hf_" + b"a1B2" * 8
    with pytest.raises(HubError, match=r"README\.md: holds what looks like an access token") as refusal:
        refuse_traces([RepoFile("README.md", b"key: " + token)], [])
    assert token.decode() not in str(refusal.value)


def test_the_home_folder_is_always_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "home" / "anna"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    with pytest.raises(HubError, match="name of a folder"):
        refuse_traces([RepoFile("config.json", f'"{home}/model"'.encode())], [])
