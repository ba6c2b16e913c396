"""Builds the wheel and tries it as somebody who installs it would: alone, in an environment that holds nothing else.

    python tools/try_wheel.py

Into ``dist/`` go the source archive and the wheel. What the wheel asks for is installed in a new environment, in the
versions of requirements.lock, so a dependency that pyproject.toml forgot is missed here. Then, from an empty folder:
``ownvoice --version``, the whole ``ownvoice demo``, and ``ownvoice app``, whose first page has to answer.
"""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"

BUILD_SECONDS = 120.0
INSTALL_SECONDS = 900.0
"""Nearly all of it is torch, of which a machine with a graphics card fetches gigabytes."""
DEMO_SECONDS = 1200.0
"""Five times what it takes on two cores."""
START_SECONDS = 60.0
STOP_SECONDS = 15.0


def main() -> None:
    """Build, install, try; ends at the first thing that is wrong."""
    wheel = build()
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB")
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty"
        empty.mkdir()
        with timed("installed"):
            ownvoice = install(wheel, Path(folder) / "environment")
        said = run([str(ownvoice), "--version"], START_SECONDS, empty)
        require(wheel.name.split("-")[1] in said, f"{wheel.name} says it is {said}")
        with timed("app"):
            try_app(ownvoice, empty)
        with timed("demo"):
            try_demo(ownvoice, empty)


def build() -> Path:
    """The wheel, alone in ``dist/`` with the source archive."""
    run([sys.executable, "-m", "hatchling", "build", "--clean", "-d", str(DIST)], BUILD_SECONDS, ROOT)
    (wheel,) = DIST.glob("*.whl")
    return wheel


def install(wheel: Path, environment: Path) -> Path:
    """The ``ownvoice`` command of a new environment with the wheel and what it asks for, and no more."""
    venv.create(environment, with_pip=True)
    python, lock = environment / "bin" / "python", ROOT / "requirements.lock"
    install = [str(python), "-m", "pip", "install", "-qq", "--no-compile", "--constraint", str(lock), str(wheel)]
    run(install, INSTALL_SECONDS, environment)
    run([str(python), "-m", "pip", "check"], START_SECONDS, environment)
    return environment / "bin" / "ownvoice"


def try_demo(ownvoice: Path, folder: Path) -> None:
    """The whole way; the tuned model has to be surely better than the base."""
    made = json.loads(run([str(ownvoice), "demo", "--json"], DEMO_SECONDS, folder))
    base, tuned = made["evaluation"]["base"], made["evaluation"]["tuned"]
    print(f"word error rate {base['wer']:.1%} before, {tuned['wer']:.1%} after")
    require(tuned["wer_high"] < base["wer_low"], "the demo taught the model nothing")
    require((folder / made["report"]).is_file(), "the demo left no report")


def try_app(ownvoice: Path, folder: Path) -> None:
    """The first page, its style and one of its scripts."""
    with app(ownvoice, folder) as url:
        page = fetch(url)
        require("ownvoice" in page, "the first page is another")
        parts = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', page)
        require(bool(parts), "the first page has no style")
        for part in parts:
            require(bool(fetch(url.rstrip("/") + part)), f"{part} is empty")


@contextmanager
def app(ownvoice: Path, folder: Path) -> Iterator[str]:
    """The address of an app on a free port, which is ended afterwards."""
    command = [str(ownvoice), "app", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=clean_environment(), stderr=subprocess.PIPE, bufsize=0) as process:
        try:
            ready, _, _ = select.select([process.stderr], [], [], START_SECONDS)
            line = process.stderr.readline().decode() if ready and process.stderr else ""
            found = re.search(r"http://\S+", line)
            if found is None:
                sys.exit(f"try_wheel: the app said {line!r}")
            yield found[0]
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def fetch(url: str) -> str:
    """What an address answers; waits for a server that is only just starting."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=START_SECONDS) as answer:  # noqa: S310 - an address of ours
                return str(answer.read().decode())
        except ConnectionError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def clean_environment() -> dict[str, str]:
    """This process's environment without what would let Python look outside the new one."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


def run(command: list[str], seconds: float, folder: Path) -> str:
    """What a command prints on its standard output; an exception where it fails or takes too long."""
    done = subprocess.run(
        command, cwd=folder, env=clean_environment(), stdout=subprocess.PIPE, text=True, check=True, timeout=seconds
    )
    return done.stdout


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Print how long the block took."""
    began = time.monotonic()
    yield
    print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)


def require(holds: bool, complaint: str) -> None:
    """End with ``complaint`` unless it holds."""
    if not holds:
        sys.exit(f"try_wheel: {complaint}")


if __name__ == "__main__":
    main()
