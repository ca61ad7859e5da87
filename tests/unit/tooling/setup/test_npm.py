"""Web assets: npm's own failures, some of which it reports as success, become one line."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.tooling.support import Index, checkout, index, lend_venv
from tooling.places import Places
from tooling.setup import npm
from tooling.trouble import Trouble

pytestmark = pytest.mark.full_run(reason="runs npm itself")


def package() -> bytes:
    """A package as npm packs it, with a file too long to arrive in one piece."""
    buffer = io.BytesIO()
    files = {"package.json": b'{"name": "tiny", "version": "1.0.0"}', "data": bytes(300_000)}
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), compresslevel=0)


GOOD = package()


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = lend_venv(checkout(tmp_path))
    wanted = {"name": "web", "version": "1.0.0", "dependencies": {"tiny": "1.0.0"}}
    hashed = "sha512-" + base64.b64encode(hashlib.sha512(GOOD).digest()).decode()
    packages = {"": wanted, "node_modules/tiny": {"version": "1.0.0", "integrity": hashed}}
    lock = {"name": "web", "version": "1.0.0", "lockfileVersion": 3, "packages": packages}
    (tmp_path / "package.json").write_text(json.dumps(wanted))
    (tmp_path / "package-lock.json").write_text(json.dumps(lock))
    return places


@pytest.fixture
def served(places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    with index() as served:
        served.files["tiny.tgz"] = GOOD
        served.files["tiny"] = describe(served)
        registry(monkeypatch, tmp_path, served.url.removesuffix("simple/"))
        yield served


def describe(served: Index) -> bytes:
    tarball = served.url.replace("/simple/", "/files/tiny.tgz")
    version = {"name": "tiny", "version": "1.0.0", "dist": {"tarball": tarball}}
    return json.dumps({"name": "tiny", "versions": {"1.0.0": version}}).encode()


def registry(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str) -> None:
    settings = {
        "registry": url,
        "cache": str(folder / "npm-cache"),
        "userconfig": str(folder / "none"),
        "globalconfig": str(folder / "none-either"),
        "fetch_retries": "0",
        "noproxy": "127.0.0.1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"npm_config_{name}", value)


def fails(places: Places, words: str) -> None:
    with pytest.raises(Trouble, match=words) as failed:
        npm.ensure(places, types=False)
    assert "\n" not in str(failed.value)
    assert not (places.node_modules / npm.STAMP).exists()


def test_fetches_what_is_locked_and_then_asks_nobody(places: Places, served: Index) -> None:
    npm.ensure(places, types=False)
    assert (places.node_modules / "tiny" / "data").stat().st_size == 300_000
    asked = len(served.asked)
    npm.ensure(places, types=False)
    assert len(served.asked) == asked


def test_the_type_checker_is_added_and_later_not_taken_away(places: Places, served: Index) -> None:
    npm.ensure(places, types=True)
    asked = len(served.asked)
    npm.ensure(places, types=False)
    assert len(served.asked) == asked


def test_nor_is_it_when_another_package_has_changed(places: Places, served: Index) -> None:
    npm.ensure(places, types=True)
    wanted = places.root / "package.json"
    wanted.write_text(wanted.read_text() + "\n")
    npm.ensure(places, types=False)
    asked = len(served.asked)
    npm.ensure(places, types=True)
    assert len(served.asked) == asked, "they had gone"


def test_a_half_made_folder_is_made_anew(places: Places, served: Index) -> None:
    (places.node_modules / "tiny").mkdir(parents=True)
    (places.node_modules / "tiny" / "package.json").write_text("{")
    npm.ensure(places, types=False)
    assert json.loads((places.node_modules / "tiny" / "package.json").read_text())["name"] == "tiny"


def test_a_package_with_a_wrong_hash_is_refused(places: Places, served: Index) -> None:
    served.files["tiny.tgz"] = GOOD[:-1] + b"!"
    fails(places, "does not have the expected hash")


def test_a_cut_download_is_one_line_and_the_next_try_repairs_it(places: Places, served: Index) -> None:
    served.cut = 100_000
    fails(places, "run this again")
    served.cut = None
    npm.ensure(places, types=False)


def test_no_network_although_npm_then_ends_with_success(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry(monkeypatch, tmp_path, "http://127.0.0.1:9/")
    fails(places, "index cannot be reached; check the network")
