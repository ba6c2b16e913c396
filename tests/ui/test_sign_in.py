"""Signing in with Hugging Face: each browser for itself, this computer's login for who sits at it, no token back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from fakes.hub.app import Hub
from ownvoice.ui.app import build_app
from ownvoice.ui.guard import LOOPBACK_HOSTS, Access, Login

HOME = "http://127.0.0.1:7860"
Open = Callable[[], TestClient]


@pytest.fixture
def browsers(tmp_path: Path, local_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens one browser after the other on one server of a computer where nobody is logged in."""
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    app = build_app(tmp_path / "voices")
    return lambda: TestClient(app, base_url=HOME, headers={"origin": HOME})


def test_a_token_stays_with_the_browser_it_was_given_in(browsers: Open) -> None:
    anna, other = browsers(), browsers()
    nobody = {"name": None, "places": [], "own_login": False}
    assert anna.get("/account").json() == nobody
    answer = anna.post("/account", json={"token": "hf_write"})
    assert answer.json() == {"name": "anna", "places": ["anna", "clinic"]}
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "samesite=strict" in cookie.lower() and "hf_write" not in cookie
    assert anna.get("/account").json()["name"] == "anna" and "hf_write" not in anna.get("/account").text
    assert other.get("/account").json() == nobody
    refused = other.get("/account/machines?purpose=jobs")
    assert refused.status_code == 401 and "nobody is signed in" in refused.json()["message"]
    assert {row["name"] for row in anna.get("/account/machines?purpose=jobs").json()} >= {"cpu-basic", "t4-small"}
    anna.delete("/account")
    assert anna.get("/account").json() == nobody


def test_what_the_hub_refuses_has_a_kind(browsers: Open) -> None:
    anna = browsers()
    refused = anna.post("/account", json={"token": "hf_mistyped"})
    assert (refused.status_code, refused.json()["fault"]) == (422, "token")
    assert "hf_mistyped" not in refused.text
    assert "nobody is logged in" in anna.post("/account", json={}).json()["message"]
    too_long = anna.post("/account", json={"token": "hf_secret" * 100})
    assert too_long.status_code == 422 and "hf_secret" not in too_long.text


def test_the_computers_own_login_is_for_who_sits_at_it(
    browsers: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_write")
    anna = browsers()
    assert anna.get("/account").json()["own_login"]
    assert anna.post("/account", json={}).json()["name"] == "anna"

    login = Login()
    app = build_app(tmp_path / "voices", Access(hosts=LOOPBACK_HOSTS, login=login))
    away = TestClient(app, base_url=HOME, headers={"origin": HOME}, cookies={login.cookie_name: login.cookie})
    assert not away.get("/account").json()["own_login"]
    refused = away.post("/account", json={})
    assert refused.status_code == 403 and "anna" not in refused.text
    assert away.post("/account", json={"token": "hf_read"}).json() == {"name": "anna", "places": []}
