"""dist/: the same from the same inputs, complete in its lists, nothing foreign, swapped in one step."""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from pathlib import Path

import pytest

from midstream.gateway.http.policies import PAGES
from tests.unit.tooling.support import checkout, lend_venv
from tooling import commands, stamps
from tooling.assets import dist, filling
from tooling.parts import runtime
from tooling.places import HERE, Places
from tooling.setup import npm
from tooling.trouble import Trouble

pytestmark = pytest.mark.full_run(reason="reads the built dist/, and builds it anew")
BUILT = Path(os.environ.get("MIDSTREAM_DIST", HERE.dist))
SHELL_LIMIT = 150_000  # bytes on the wire: what a first visit loads before it counts as installed
# Third-party code names its makers' servers; that none of them is asked is shown in a browser.
THIRD_PARTY = (
    "pyscript/",
    "engine/pyodide/pyodide.",
    "engine/pyodide/python_stdlib",
    "wheels/",
    "late/mermaid/",
)
TEXT = (".html", ".js", ".mjs", ".css", ".json", ".svg", ".py")


def parts(folder: Path) -> runtime.Runtime:
    """Stand-ins for the parts that take long to make."""
    for name in ("stdlib.zip", "rest.zip", "app.zip", "snapshot.bin"):
        stamps.write_text(folder / "parts-2" / name, f"contents of {name}")
    stamps.write_text(folder / "parts-2" / "rest.json", '["late"]')
    wheel = folder / "wheels-3" / "midstream-0.1.0-py3-none-any.whl"
    stamps.write_text(wheel, "a wheel")
    late = folder / "late-4" / "pygments.zip"
    stamps.write_text(late, "a library")
    mermaid = folder / "mermaid-5"
    stamps.write_text(mermaid / "mermaid.js", "export default null;")
    return runtime.Runtime(folder / "parts-2", [wheel], late, mermaid)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = checkout(tmp_path / "one", "web", "py", "requirements", "package-lock.json")
    places.node_modules.symlink_to(HERE.node_modules)
    return lend_venv(places)


def made(places: Places) -> Path:
    dist.ensure(places, parts(places.cache))
    return places.dist


def worker_lists(folder: Path) -> dict[str, list[dict[str, str]]]:
    text = (folder / "sw.js").read_text(encoding="utf-8").split(filling.MARKER)[1]
    found: dict[str, list[dict[str, str]]] = json.loads(text)
    return found


def test_same_inputs_same_bytes_wherever_the_checkout_is(places: Places, tmp_path: Path) -> None:
    other = Places(tmp_path / "another place")
    shutil.copytree(places.root, other.root, symlinks=True)
    assert stamps.digest(made(places)) == stamps.digest(made(other))


def test_is_made_again_only_when_an_input_changed(places: Places) -> None:
    first = made(places).stat().st_ino
    assert made(places).stat().st_ino == first
    (places.root / "web" / "style.css").write_text("body { color: red }")
    assert made(places).stat().st_ino != first
    assert (places.dist / "style.css").read_text() == "body { color: red }"
    assert not list(places.root.glob("dist.*"))


ANOTHER = {".css": "/* another */\n", ".js": 'console.info("another");\n'}


@pytest.mark.parametrize("changed", ["style.css", "sw.js", "worker/spool.js"])
def test_a_new_version_has_another_name(places: Places, changed: str) -> None:
    version = worker_lists(made(places))["version"]
    with (places.root / "web" / changed).open("a") as file:
        file.write(ANOTHER[Path(changed).suffix])
    assert worker_lists(made(places))["version"] != version


def test_leftovers_of_a_killed_build_do_no_harm(places: Places) -> None:
    for name in ("dist.new", "dist.old"):
        (places.root / name).mkdir()
        (places.root / name / "half").touch()
    assert not (made(places) / "half").exists()
    assert not list(places.root.glob("dist.*"))


def test_a_file_without_its_place_for_the_build_is_refused(places: Places) -> None:
    (places.root / "web/engine/pyodide/parts.mjs").write_text("export {}")
    with pytest.raises(Trouble, match=r"parts\.mjs must have exactly one"):
        made(places)
    assert not places.dist.exists()


def test_incomplete_web_assets_are_said(places: Places) -> None:
    places.node_modules.unlink()
    with pytest.raises(Trouble, match="delete node_modules and run this again"):
        made(places)


def test_readers_never_miss_a_file_while_it_is_swapped(tmp_path: Path) -> None:
    target, missed, over = tmp_path / "dist", [], threading.Event()

    def read() -> None:
        while not over.is_set():
            try:
                (target / "index.html").read_bytes()
            except FileNotFoundError as error:
                missed.append(error)

    def put(number: int) -> None:
        fresh = tmp_path / "dist.new"
        stamps.write_text(fresh / "index.html", str(number))
        dist.swap(fresh, target)
        stamps.remove(fresh)

    put(0)
    reader = threading.Thread(target=read)
    reader.start()
    for number in range(300):
        put(number)
    over.set()
    reader.join()
    assert (target / "index.html").read_text() == "299"
    assert missed == []


def test_where_folders_cannot_be_exchanged_they_are_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dist, "_exchange", lambda *_: False)
    target, fresh = tmp_path / "dist", tmp_path / "dist.new"
    stamps.write_text(target / "index.html", "old")
    stamps.write_text(fresh / "index.html", "new")
    dist.swap(fresh, target)
    assert (target / "index.html").read_text() == "new"


# The built one


@pytest.mark.parametrize(
    "script",
    [
        "screen/main.js",
        "engine/engine.js",
        "engine/pyodide/boot.js",
        "engine/pyodide/reader.js",
        "sw.js",
    ],
)
def test_what_is_loaded_together_is_in_one_file(script: str) -> None:
    """Beside it there is only what another script of the same page needs too, and that is named in the page."""
    others = modules(script) - {script}
    assert len(others) == (1 if script == "screen/main.js" else 0)
    page = (BUILT / "index.html").read_text()
    assert all(f'<link rel="modulepreload" href="{name}">' in page for name in others)


def test_no_module_is_left_over_and_none_is_named_that_is_not_there() -> None:
    scripts = {path.relative_to(BUILT).as_posix() for path in BUILT.rglob("*.js")}
    own = {name for name in scripts if not name.startswith(("pyscript/", "late/"))}
    shared = {name for name in own if name.startswith("screen/shared-")}
    assert own - shared == {
        *(
            "screen/page/pre_paint.js",
            "screen/preload.js",
            "screen/main.js",
            "engine/engine.js",
            "sw.js",
            "sw-off.js",
            "shared/storage_limit.js",  # for the maker of the snapshot, which is not put together
        ),
        *(f"engine/pyodide/{name}.js" for name in ("boot", "reader", "snapshot_maker")),
        *(f"engine/pyodide/{name}.js" for name in ("compiled_code", "snapshot_store", "memory", "parts")),
        *(f"engine/pyodide/{name}.js" for name in ("pyodide", "pyodide.asm")),
    }
    for page in ("index.html", "engine.html"):
        named = re.findall(r' (?:src|href)="([^"]+\.js)"', (BUILT / page).read_text())
        assert named and set(named) <= scripts


def modules(url: str) -> set[str]:
    """The module and all that it imports, as paths in dist/."""
    found: set[str] = set()
    waiting = [BUILT / url]
    while waiting:
        file = waiting.pop()
        name = file.relative_to(BUILT).as_posix()
        if name in found:
            continue
        found.add(name)
        text = file.read_text(encoding="utf-8")
        names = re.findall(r"""(?:^|;)import[^;()]*["'](\.[^"']*)["']""", text, re.MULTILINE)
        waiting += [(file.parent / each).resolve() for each in names]
    return found


def built_text() -> list[Path]:
    return [
        path
        for path in stamps.files_in(BUILT)
        if path.suffix in TEXT and not path.relative_to(BUILT).as_posix().startswith(THIRD_PARTY)
    ]


def test_the_service_workers_lists_are_complete_and_true() -> None:
    lists = worker_lists(BUILT)
    kept = [*lists["shell"], *lists["runtime"], *lists["late"]]
    entries = {entry["url"]: entry["hash"] for entry in kept}
    late = {entry["url"] for entry in lists["late"]}
    drawing = {url for url in late if url.startswith("late/mermaid/")}
    assert "late/mermaid/mermaid.js" in drawing
    others = {path.name for path in (HERE.root / "web/late").iterdir()} | {"pygments.zip", "temml.js"}
    assert late - drawing == {f"late/{name}" for name in others}
    files = {path.relative_to(BUILT).as_posix(): path for path in stamps.files_in(BUILT)}
    assert set(entries) == {url for url in files if dist.is_stored(url)}
    assert {"sw.js", "config.json"} <= set(files) - set(entries)
    for url, expected in entries.items():
        assert filling.integrity(files[url].read_bytes()) == expected, url
    shell = {entry["url"] for entry in lists["shell"]}
    assert {"index.html", "engine.html", "style.css", "manifest.json"} <= shell
    assert not any(url.startswith(dist.RUNTIME_FOLDERS) for url in shell)
    sent = [files.get(f"{url}.br", files[url]) for url in shell]
    assert sum(file.stat().st_size for file in sent) < SHELL_LIMIT


@pytest.mark.parametrize("path", built_text(), ids=lambda path: path.name)
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    loads = r"""(?:\b(?:src|href|action|poster|data)\s*=\s*["']?|import\s*\(?\s*["'`]|from\s+["']"""
    loads += r"""|url\(\s*["']?|@import\s+["']|fetch\(\s*["'`]|"(?:url|src|interpreter)":\s*")"""
    assert re.findall(loads + r"((?:https?:)?//[^\s\"'`)>]+)", text) == []


def test_no_file_has_a_name_that_many_hosts_do_not_know() -> None:
    """Nor is one asked for: the names inside of the files have been changed too."""
    assert [path for path in stamps.files_in(BUILT) if path.suffix == ".mjs"] == []
    # The parts of Mermaid name only where they were put together from, in their notices.
    texts = [path for path in stamps.files_in(BUILT) if path.suffix in TEXT and path.parent.name != "mermaid"]
    foreign = {name for path in texts for name in re.findall(r"[\w.]+\.mjs", path.read_text(encoding="utf-8"))}
    # What PyScript would load for scripts of types that this app has none of, and a script of the build.
    assert foreign <= {"pyodide.mjs", "micropython.mjs", ".mjs", "runtime.mjs"}
    assert ".mjs" not in (BUILT / "engine/pyodide/pyodide.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_each_page_has_its_policy(name: str) -> None:
    """As a meta tag, for hosts that send no headers."""
    page = (BUILT / name).read_text()
    assert '<meta name="referrer" content="no-referrer">' in page
    tags = re.findall(r'<meta http-equiv="([^"]+)" content="([^"]+)">', page)
    assert tags == [("Content-Security-Policy", PAGES[name])]


def test_pyscript_is_told_where_the_interpreter_is_and_to_load_no_plugin() -> None:
    page = (BUILT / "engine.html").read_text()
    found = re.findall(r"<(m?py)-config>(.*)</", page)
    configs = {name: json.loads(text) for name, text in found}
    assert configs["py"].pop("interpreter") == "./engine/pyodide/boot.js"
    assert configs["py"] == configs["mpy"]  # the second one for the interpreter that is not used
    # With a list of packages PyScript would load micropip.
    assert configs["py"].keys() == {"plugins"}
    assert all(name.startswith("!") for name in configs["py"]["plugins"])


def test_the_snapshot_comes_out_the_same_again(tmp_path: Path) -> None:
    """Chance, clock and paths of this machine must not be in it; this makes it once more."""
    places = Places(tmp_path / "elsewhere")
    checkout(places.root, "py", "package-lock.json", "pyproject.toml", "LICENSE", "requirements")
    lend_venv(places)
    places.node_modules.symlink_to(HERE.node_modules)
    shutil.copytree(HERE.cache, places.cache, ignore=shutil.ignore_patterns("parts*", "models"))
    again = runtime.ensure(places)
    with commands.alone(HERE):
        here = runtime.ensure(HERE)
    assert stamps.digest(again.app.read_bytes()) == stamps.digest(here.app.read_bytes())
    assert stamps.digest(again.snapshot.read_bytes()) == stamps.digest(here.snapshot.read_bytes())
    assert str(tmp_path).encode() not in again.snapshot.read_bytes()
    assert npm.node(places).exists()
