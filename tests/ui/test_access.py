"""Who may ask the app, from where, and for which files: every route there is, and addresses that are none."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import anyio
import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from in_browser import free_port
from itsdangerous import TimestampSigner
from starlette.testclient import WebSocketDenialResponse
from starlette.types import ASGIApp, Message

from ownvoice.config import VoiceSettings
from ownvoice.data.new_voice import create_voice
from ownvoice.errors import UsageError
from ownvoice.ui.access import access_for
from ownvoice.ui.app import ROUTERS, build_app
from ownvoice.ui.guard import MAX_BODY_BYTES, Access, Login

pytestmark = pytest.mark.filterwarnings("ignore:'attach_huggingface_oauth' is experimental")

HOME = "http://127.0.0.1:7860"
OURS = {"origin": HOME}
NEW = {"name": "Anna", "language": "en"}


def client(folder: Path, access: Access | None = None, home: str = HOME) -> TestClient:
    return TestClient(build_app(folder / "voices", access), base_url=home, follow_redirects=False)


def ask(app: ASGIApp, method: str, address: str, home: str = HOME) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of what is asked as it stands: clients tidy ``..`` away, and an attacker's does not."""
    path, _, query = address.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(b"host", home.removeprefix("http://").encode()), (b"origin", home.encode())],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 7860), "state": {},
    }  # fmt: skip
    said: list[Message] = []
    to_say: list[Message] = [{"type": "http.request", "body": b"{}", "more_body": False}]

    async def receive() -> Message:
        if not to_say:
            await anyio.sleep_forever()  # the connection stays
        return to_say.pop()

    async def send(message: Message) -> None:
        said.append(message)

    async def run() -> None:
        await app(scope, receive, send)

    with ThreadPoolExecutor(1) as aside:  # a browser test before this one may have left its loop in this thread
        aside.submit(anyio.run, run).result()
    headers = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    return said[0]["status"], headers, b"".join(message.get("body", b"") for message in said[1:]).decode("latin-1")


@pytest.fixture
def local(tmp_path: Path) -> TestClient:
    return client(tmp_path)


ROUTES = [
    (method, route.path)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods)
]
"""Method and path of every route, whichever page it belongs to."""


def filled(path: str, name: str = "x", **values: str) -> str:
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda match: values.get(match[1], name), path)


def test_these_are_all_routes_but_the_static_files(local: TestClient) -> None:
    assert len(local.app.routes) == len(ROUTERS) + 1  # type: ignore[attr-defined]
    assert len(ROUTES) > 10


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "", "localhost."])
def test_names_that_only_lead_here_are_refused(local: TestClient, host: str) -> None:
    answer = local.get("/", headers={"host": host})
    assert (answer.status_code, "not a name of this server" in answer.text) == (421, True)


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1", "[::1]:7860", "LOCALHOST"])
def test_names_of_this_computer_are_fine(local: TestClient, host: str) -> None:
    assert local.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://localhost:7860"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": HOME},
        {"sec-fetch-site": "none", "origin": HOME},
    ],
)
def test_writes_that_are_not_from_our_pages_are_refused_on_every_route(
    local: TestClient, tmp_path: Path, headers: dict[str, str]
) -> None:
    for method, path in ROUTES:
        if method not in ("GET", "HEAD"):
            answer = local.request(method, filled(path), headers=headers, content=b"{}")
            assert (answer.status_code, answer.json()["message"]) == (403, "this came from another page"), path
    assert not (tmp_path / "voices").exists()


@pytest.mark.parametrize("headers", [OURS, {"sec-fetch-site": "same-origin"}])
def test_writes_from_our_pages_are_taken(local: TestClient, tmp_path: Path, headers: dict[str, str]) -> None:
    assert local.post("/voices", json=NEW, headers=headers).status_code == 201
    assert (tmp_path / "voices" / "Anna" / "voice.yaml").is_file()


def test_every_answer_has_the_security_headers(local: TestClient) -> None:
    local.post("/voices", json=NEW, headers=OURS)
    for path in [
        "/",
        "/nothing",
        "/static/app.css",
        "/voices/Anna/session",
        "/voices/Anna/record",
        "/voices/no/record",
    ]:
        headers = local.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cache-control"] == ("no-cache" if path.startswith("/static") else "no-store")
    assert "access-control-allow-origin" not in local.get("/", headers={"origin": "https://evil.example"}).headers


@pytest.mark.parametrize(("accept", "kind"), [("text/html", "text/html"), ("application/json", "application/json")])
def test_a_crash_says_so_in_words_and_the_terminal_says_what_it_was(tmp_path: Path, accept: str, kind: str) -> None:
    app = build_app(tmp_path / "voices")
    app.add_api_route("/crash", lambda: 1 / 0)
    answer = TestClient(app, base_url=HOME, raise_server_exceptions=False).get("/crash", headers={"accept": accept})
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith(kind)
    assert "Something went wrong inside ownvoice" in answer.text
    assert "division" not in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    with pytest.raises(ZeroDivisionError):  # what the server prints
        TestClient(app, base_url=HOME).get("/crash")


def test_api_pages_are_off(local: TestClient) -> None:
    assert {local.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")} == {404}


def test_bodies_are_limited_also_when_they_do_not_say_how_long_they_are(local: TestClient) -> None:
    local.post("/voices", json=NEW, headers=OURS)
    path = "/voices/Anna/room-check?sample_rate=16000"
    assert local.post(path, content=b"\0" * (MAX_BODY_BYTES + 2), headers=OURS).status_code == 413
    endless = (b"\0" * (1 << 20) for _ in range(20))
    assert local.post(path, content=endless, headers=OURS).status_code == 413
    assert local.post(path, content=b"\0" * 32000, headers=OURS).status_code == 200
    for samples in (1, 16000 * 31):  # of a room, too little to say anything of it, and too much to listen to
        assert local.post(path, content=b"\0\0" * samples, headers=OURS).status_code == 422


EVIL = [
    "..",
    "../secret",
    "..%2fsecret",
    "%2e%2e%2fsecret",
    "..%5csecret",
    "/etc",
    "%2fetc",
    ".hidden",
    "secret%00",
    "link",
    "x" * 5000,
]


def test_no_path_leads_out_of_its_folder_on_any_route(tmp_path: Path) -> None:
    """Each parameter of each path is tried with each way out, where the others are as they should be."""
    app = build_app(tmp_path / "voices")
    create_voice(tmp_path / "voices", "Anna", VoiceSettings())
    secret = create_voice(tmp_path, "secret", VoiceSettings(consent="PRIVATE"))
    (secret.path / "take.json").write_text("PRIVATE")
    (tmp_path / "voices" / ".hidden").mkdir()
    (tmp_path / "voices" / "link").symlink_to(secret.path)
    inside = tmp_path / "voices" / "Anna"

    def outside() -> list[Path]:
        return [path for path in sorted(tmp_path.rglob("*")) if inside not in path.parents]

    before = outside()
    tried = 0
    for method, path in ROUTES:
        for parameter in re.findall(r"\{(\w+)(?::\w+)?\}", path):
            for evil in EVIL:
                address = filled(path, **{"voice": "Anna", parameter: evil})
                status, _, text = ask(app, method, address)
                assert "PRIVATE" not in text, address
                refused = (404, 405, 422) if parameter == "voice" else (404, 405, 409, 422)
                harmless = parameter == "phrase_id"  # never a path
                assert status in refused or harmless, f"{method} {address}: {status} {text[:200]}"
                tried += 1
    assert tried > 50
    assert outside() == before


@pytest.mark.parametrize(
    "path", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "..\\app.py", "/etc/passwd", "a/../../app.py"]
)
def test_static_files_are_all_that_is_served_as_files(tmp_path: Path, path: str) -> None:
    app = build_app(tmp_path / "voices")
    assert ask(app, "GET", "/static/app.css")[0] == 200
    assert ask(app, "GET", f"/static/{path}")[0] == 404


@pytest.fixture
def login() -> Login:
    return Login()


@pytest.fixture
def shared(tmp_path: Path, login: Login) -> TestClient:
    """As other computers meet it."""
    return client(tmp_path, Access(hosts=None, login=login), "http://192.168.1.5:7860")


def test_without_the_token_everything_is_401(shared: TestClient) -> None:
    addresses = [(method, filled(path)) for method, path in ROUTES]
    addresses += [("GET", "/static/app.css"), ("GET", "/nothing"), ("POST", "/nothing"), ("OPTIONS", "/voices")]
    for method, path in addresses:
        for query in ("", "?token=", "?token=wrong"):
            answer = shared.request(method, path + query, headers={"origin": "http://192.168.1.5:7860"})
            assert answer.status_code == 401, f"{method} {path}"
            assert "set-cookie" not in answer.headers
    with pytest.raises(WebSocketDenialResponse) as refused, shared.websocket_connect("/any"):
        pass
    assert refused.value.status_code == 401


def test_a_websocket_of_another_page_is_refused(shared: TestClient, login: Login) -> None:
    evil = {"origin": "https://evil.example", "cookie": f"{login.cookie_name}={login.cookie}"}
    with pytest.raises(WebSocketDenialResponse) as refused, shared.websocket_connect("/any", headers=evil):
        pass
    assert refused.value.status_code == 403


def test_the_token_gives_a_cookie_and_leaves_the_address(shared: TestClient, login: Login) -> None:
    answer = shared.get(f"/voices/Anna/record?token={login.token}&x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/voices/Anna/record?x=1")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and login.token not in cookie
    assert shared.get("/").status_code == 200
    assert shared.get("/static/app.css").status_code == 200
    shared.cookies.clear()
    assert shared.get("/", headers={"cookie": f"{login.cookie_name}={login.token}"}).status_code == 401
    home = "http://192.168.1.5:7860"
    assert ask(shared.app, "GET", f"//evil.example?token={login.token}", home)[1]["location"] == "/evil.example"


def test_the_cookie_does_not_open_the_door_for_other_pages(shared: TestClient, login: Login) -> None:
    shared.get(f"/?token={login.token}")
    assert shared.post("/voices", json=NEW, headers={"origin": "https://evil.example"}).status_code == 403
    assert shared.post("/voices", json=NEW, headers={"origin": "http://192.168.1.5:7860"}).status_code == 201


def test_a_secret_shows_in_no_representation() -> None:
    login = Login()
    assert login.token not in repr(Access(hosts=None, login=login))
    assert login.cookie not in repr(login)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.3.2.1", "::1"])
def test_this_computer_alone_needs_no_token(host: str) -> None:
    assert access_for(host, space=None).login is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_any_other_address_needs_one(host: str) -> None:
    assert access_for(host, space=None).login is not None


def test_the_command_prints_the_token_once_and_logs_none(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "ownvoice", "app", "--host", "0.0.0.0", "--port", str(port), "--no-browser"]
    process = subprocess.Popen([*command, "--voices", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert process.stdout is not None
        printed = ""
        while not (found := re.search(r"\?token=(\S+)", printed)):
            printed += process.stdout.readline().decode()
        home = f"http://127.0.0.1:{port}"
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(home, timeout=30)
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(f"{home}/?token={found[1]}", timeout=30) as answer:
            assert (answer.status, answer.url) == (200, home + "/")
        assert found[1] not in Path(f"/proc/{process.pid}/cmdline").read_text()
    finally:
        process.terminate()
        rest = process.communicate(timeout=30)[0].decode()
    assert found[1] not in rest


SPACE = "https://someone-ownvoice.hf.space"


@pytest.fixture
def hosted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """As on a Space that has sign-in turned on."""
    monkeypatch.setenv("SPACE_ID", "someone/ownvoice")
    for name in ("OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OAUTH_SCOPES", "OPENID_PROVIDER_URL"):
        monkeypatch.setattr(f"huggingface_hub.constants.{name}", "https://example.org/of-the-test")
    return client(tmp_path, access_for("0.0.0.0", space="someone/ownvoice"), SPACE)


def signed_in(account: object) -> dict[str, str]:
    """Headers of somebody whom Hugging Face's sign-in let in, with the cookie that its session middleware makes."""
    key = hashlib.sha256(b"https://example.org/of-the-test-v1").hexdigest()
    session = {"oauth_info": {"userinfo": {"sub": account, "preferred_username": "same-name"}}}
    cookie = TimestampSigner(key).sign(base64.b64encode(json.dumps(session).encode())).decode()
    return {"cookie": f"session={cookie}", "origin": SPACE}


def test_on_a_space_nothing_is_shown_to_somebody_who_is_not_signed_in(hosted: TestClient) -> None:
    for method, path in ROUTES:
        answer = hosted.request(method, filled(path), headers={"origin": SPACE})
        assert answer.status_code == 401, f"{method} {path}"
    forged = {"cookie": "session=eyJvYXV0aF9pbmZvIjoge319.x.y", "origin": SPACE}
    assert hosted.get("/", headers=forged).status_code == 401
    page = hosted.get("/", headers={"accept": "text/html"})
    assert page.status_code == 401 and 'href="/oauth/huggingface/login"' in page.text
    assert "https://huggingface.co" in page.headers["content-security-policy"]


def test_on_a_space_each_account_sees_its_own_voices_alone(hosted: TestClient, tmp_path: Path) -> None:
    anna, ben = signed_in("5f0c7466"), signed_in("6a1b2c3d")
    assert hosted.post("/voices", json=NEW, headers=anna).status_code == 201
    assert (tmp_path / "voices" / "5f0c7466" / "Anna" / "voice.yaml").is_file()
    assert hosted.get("/voices/Anna/session", headers=anna).status_code == 200
    assert hosted.get("/voices/Anna/session", headers=ben).status_code == 404
    assert hosted.get("/voices/5f0c7466/session", headers=ben).status_code == 404
    assert "Anna" not in hosted.get("/", headers=ben).text
    assert hosted.post("/voices", json=NEW, headers={**ben, "origin": "https://evil.hf.space"}).status_code == 403


def test_on_a_space_nobody_is_told_of_its_folders_or_that_all_stays_on_their_computer(
    hosted: TestClient, tmp_path: Path
) -> None:
    anna = {**signed_in("5f0c7466"), "accept": "text/html"}
    hosted.post("/voices", json=NEW, headers=anna)
    assert "<p>Everything stays on this computer" not in hosted.get("/voices/Anna/record", headers=anna).text
    (tmp_path / "voices" / "5f0c7466" / "Anna" / "voice.yaml").write_text("language: [")
    broken = hosted.get("/voices/Anna/session", headers=anna)
    assert broken.status_code == 422
    assert "voice.yaml" in broken.text
    for text in (broken.text, *(hosted.get(path, headers=anna).text for path in ("/", "/voices/Anna/settings"))):
        assert str(tmp_path) not in text


@pytest.mark.parametrize("account", ["..", "", None, "a/b", ".trash", 7])
def test_an_account_that_could_be_a_path_is_nobody(hosted: TestClient, account: object) -> None:
    assert hosted.post("/voices", json=NEW, headers=signed_in(account)).status_code == 401


def test_a_space_without_sign_in_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/ownvoice")
    with pytest.raises(UsageError, match="hf_oauth: true"):
        client(tmp_path, access_for("0.0.0.0", space="someone/ownvoice"), SPACE)
