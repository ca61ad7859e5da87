"""`.br` files: beside what becomes smaller, true to it, made once for each content."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.unit.tooling.support import lend_venv
from tooling import stamps
from tooling.assets import brotli, dist
from tooling.checks import preflight
from tooling.places import HERE, Places
from tooling.setup import npm
from tooling.trouble import Trouble

pytestmark = pytest.mark.full_run(reason="reads the built dist/, and packs with Node")
BUILT = Path(os.environ.get("MIDSTREAM_DIST", HERE.dist))
TEXT = b"many words and many words more; " * 200
UNPACK = "process.stdout.write(zlib.brotliDecompressSync(fs.readFileSync(process.argv[1])))"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = lend_venv(Places(tmp_path))
    files = {
        "index.html": TEXT,
        "small.js": TEXT[:1000],
        "icon.png": TEXT,
        "config.json": TEXT,
        "engine/pyodide/chance.bin": os.urandom(4000),
        "engine/pyodide/snapshot-1.bin": TEXT * 2,
    }
    for name, data in files.items():
        stamps.write_bytes(places.dist / name, data)
    stamps.write_text(places.dist / dist.STAMP, "the first build")
    return places


def packed(places: Places) -> set[str]:
    return {path.relative_to(places.dist).as_posix() for path in places.dist.rglob("*.br")}


def unpacked(file: Path) -> bytes:
    command = [str(npm.node(HERE)), "-e", UNPACK, str(file)]
    return subprocess.run(command, capture_output=True, check=True).stdout


def test_beside_what_becomes_smaller_by_it(places: Places) -> None:
    brotli.ensure(places)
    assert packed(places) == {"index.html.br", "engine/pyodide/snapshot-1.bin.br"}
    assert unpacked(places.dist / "index.html.br") == TEXT
    assert not list(places.dist.rglob(".*.br"))


def test_made_once_for_each_content(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    brotli.ensure(places)
    before = (places.dist / "index.html.br").read_bytes()
    monkeypatch.setattr(brotli, "_make", lambda *_: pytest.fail("made again"))
    brotli.ensure(places)
    for path in places.dist.rglob("*.br"):
        path.unlink()
    stamps.write_text(places.dist / dist.STAMP, "another build")
    brotli.ensure(places)
    assert (places.dist / "index.html.br").read_bytes() == before


def test_serve_on_the_machine_itself_does_not_wait_for_it(places: Places) -> None:
    brotli.ensure(places, make=False)
    assert packed(places) == set()
    brotli.ensure(places)  # and it does not count as done
    assert packed(places) != set()


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("box", False)],
)
def test_which_hosts_are_the_machine_itself(host: str, own: bool) -> None:
    assert preflight.is_loopback(host) is own


def test_a_failure_is_one_line_and_leaves_no_half_of_a_file(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brotli, "SCRIPT", places.root / "gone.mjs")
    with pytest.raises(Trouble, match=r"compressing failed: .*gone\.mjs"):
        brotli.ensure(places)
    assert packed(places) == set()


def test_everything_large_that_is_built_is_packed() -> None:
    wire = {path.name for path in BUILT.rglob("*.br")}
    assert {"index.html.br", "pyodide.asm.wasm.br", "pyodide.asm.js.br", "style.css.br"} <= wire
    wasm = BUILT / "engine/pyodide/pyodide.asm.wasm"
    assert wasm.with_name(f"{wasm.name}.br").stat().st_size < 0.35 * wasm.stat().st_size
