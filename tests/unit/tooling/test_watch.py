"""`serve --watch`: a change is seen, made again in a moment, and served by the same server or by a new one."""

from __future__ import annotations

import signal
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.tooling.support import checkout, lend_venv
from tests.unit.tooling.test_dist import parts, worker_lists
from tooling import stamps, watch
from tooling.assets import dist, sbom
from tooling.parts import diagrams, pygments_zip, runtime
from tooling.places import HERE, Places
from tooling.setup import wheels
from tooling.trouble import Trouble


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = checkout(tmp_path, "web", "package-lock.json")
    places.node_modules.symlink_to(HERE.node_modules)
    stamps.write_text(places.root / "py/midstream/engine/app.py", "PAGE = 1\n")
    stamps.write_text(places.root / "py/midstream/session.py", "BOTH = 1\n")
    stamps.write_text(places.root / "py/midstream/cli.py", "SERVER = 1\n")
    return lend_venv(places)


def zipped(file: Path, members: dict[str, str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)


@pytest.fixture
def built(places: Places, monkeypatch: pytest.MonkeyPatch) -> runtime.Runtime:
    """As after a build of sources of which session.py has changed since, with stand-ins for what takes long."""
    made = parts(places.cache)
    sources = {"midstream/engine/app.py": "PAGE = 1\n", "midstream/session.py": "BOTH = 0\n"}
    zipped(made.folder / runtime.COMPILED_FROM, {**sources, "midstream/gone.py": ""})
    compiled = {f"{name}c": "compiled" for name in (*sources, "midstream/gone.py", "mistletoe/a.py")}
    zipped(made.app, compiled)
    monkeypatch.setattr(wheels, "vendored", lambda _: made.wheels)
    monkeypatch.setattr(runtime, "_stdlib", lambda _: made.stdlib)
    monkeypatch.setattr(pygments_zip, "ensure", lambda *_: made.pygments)
    monkeypatch.setattr(diagrams, "ensure", lambda _: made.mermaid)
    return made


def test_a_draft_has_the_sources_of_what_changed_and_no_snapshot(places: Places, built: runtime.Runtime) -> None:
    draft = runtime.draft(places)
    with zipfile.ZipFile(draft.app) as archive:
        assert set(archive.namelist()) == {
            "midstream/engine/app.pyc",
            "midstream/session.py",
            "mistletoe/a.pyc",
        }
        assert archive.read("midstream/session.py") == b"BOTH = 1\n"
    assert draft.snapshot.read_bytes() == b""
    assert draft.stdlib.read_bytes() == built.stdlib.read_bytes()
    assert runtime.draft(places).folder == draft.folder
    stamps.write_text(places.root / "py/midstream/session.py", "BOTH = 2\n")
    assert runtime.draft(places).folder != draft.folder and not draft.folder.exists()


def test_no_file_of_it_is_kept_by_the_service_worker_and_a_build_makes_it_anew(
    places: Places, built: runtime.Runtime
) -> None:
    checkout(places.root, "py/midstream/gateway/http/policies.py", "py/midstream/problem_texts.py")
    checkout(places.root, "package-lock.json", *(f"requirements/{lock}.txt" for lock in sbom.PYTHON_LOCKS))
    watch.make(places)
    assert set(map(len, list(worker_lists(places.dist).values())[:-1])) == {0}
    dist.ensure(places, runtime.draft(places))
    assert worker_lists(places.dist)["shell"]


def test_a_change_is_a_file_made_written_or_removed(places: Places) -> None:
    seen = watch.state(places)
    assert watch.state(places) == seen
    changes: list[Callable[[Path], object]] = [
        lambda file: file.write_text("PAGE = 2\n"),
        Path.unlink,
        Path.touch,
    ]
    for change in changes:
        change(places.root / "py/midstream/engine/app.py")
        now = watch.state(places)
        assert {name for name, _ in now ^ seen} == {"py/midstream/engine/app.py"}
        seen = now


class Served:
    """A server that notes each of its starts and lives until it is ended."""

    def __init__(self, folder: Path) -> None:
        self.notes = folder / "starts"
        note = f"open({str(self.notes)!r}, 'a').write('x')"
        self.command = [sys.executable, "-c", f"{note}; import time; time.sleep(600)"]
        self.made: list[str] = []
        self.made_once = threading.Event()

    def starts(self) -> int:
        return len(self.notes.read_text()) if self.notes.exists() else 0

    def until_started(self, count: int) -> None:
        while self.starts() < count:
            self.made_once.wait(0.01)


class Over(Exception):
    """The person has pressed Ctrl-C."""


@pytest.fixture
def served(places: Places, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    served = Served(places.root)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(watch, "make", lambda _: served.made.append("made"))
    yield served


def steps(monkeypatch: pytest.MonkeyPatch, *each: Callable[[], object]) -> None:
    """What happens between one look and the next; then the person ends it."""
    left = iter(each)

    def sleep(_: float) -> None:
        step = next(left, None)
        if step is None:
            raise Over
        step()

    monkeypatch.setattr(time, "sleep", sleep)


def test_a_server_is_started_anew_only_for_what_it_runs_itself(
    places: Places, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = stamps.write_text
    steps(
        monkeypatch,
        lambda: served.until_started(1),
        lambda: write(places.root / "web/style.css", "body { color: red }"),
        lambda: write(places.root / "py/midstream/engine/app.py", "PAGE = 2\n"),
        lambda: None,
        lambda: write(places.root / "py/midstream/session.py", "BOTH = 2\n"),
        lambda: served.until_started(2),
    )
    with pytest.raises(Over):
        watch.serve(places, served.command, {})
    assert len(served.made) == 3 and served.starts() == 2


def test_a_mistake_is_said_and_the_next_change_tries_again(
    places: Places,
    served: Served,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_: Places) -> None:
        served.made.append("failed")
        raise Trouble("line 3 of main.js cannot be read")

    monkeypatch.setattr(watch, "make", fail)
    write = stamps.write_text
    steps(
        monkeypatch,
        lambda: served.until_started(1),
        lambda: write(places.root / "py/midstream/session.py", "BOTH = 2\n"),
        lambda: write(places.root / "py/midstream/session.py", "BOTH = 3\n"),
    )
    with pytest.raises(Over):
        watch.serve(places, served.command, {})
    assert served.made == ["failed", "failed"] and served.starts() == 1
    assert capsys.readouterr().out.count("not built: line 3 of main.js cannot be read") == 2


def test_it_ends_with_its_server(places: Places, served: Served) -> None:
    assert watch.serve(places, [sys.executable, "-c", "raise SystemExit(3)"], {}) == 3
