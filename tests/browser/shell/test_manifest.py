"""The manifest: what it says is true of the files, and browsers read it as it is meant."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import QUICK
from tests.browser.home import EMPTY
from tests.browser.screen_support import Screen, Site
from tests.browser.together import WEB
from tests.support.processes import Serve

BASE = "https://example.org/deep/app/"
# Required members with their types; a list of allowed values in the place of a type.
ICON = {"src": str, "sizes": str, "type": ["image/png", "image/svg+xml"]}
SHAPE: dict[str, Any] = {
    "id": str,
    "name": str,
    "short_name": str,
    "description": str,
    "lang": ["en"],
    "dir": ["ltr"],
    "start_url": str,
    "scope": str,
    "display": ["standalone"],
    "display_override": [{"": ["standalone", "minimal-ui"]}],
    "orientation": ["any"],
    "background_color": str,
    "theme_color": str,
    "categories": [{"": ["productivity", "utilities"]}],
    "icons": [{**ICON, "purpose": ["any", "maskable", "monochrome"]}],
    "screenshots": [
        {"src": str, "sizes": str, "type": ["image/webp"], "form_factor": ["wide", "narrow"], "label": str}
    ],
    "shortcuts": [{"name": str, "description": str, "url": str, "icons": [ICON]}],
    "share_target": {
        "action": str,
        "method": ["GET"],
        "enctype": ["application/x-www-form-urlencoded"],
        "params": {"title": str, "text": str, "url": str},
    },
    "protocol_handlers": [{"protocol": str, "url": str}],
    "file_handlers": [{"action": str, "accept": dict, "launch_type": ["single-client"]}],
    "launch_handler": {"client_mode": [{"": ["focus-existing", "auto"]}]},
}  # fmt: skip
PIXELS = """
async ([url, size]) => {
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = new OffscreenCanvas(size || image.naturalWidth, size || image.naturalHeight);
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let text = ''; // a million numbers in a list would take seconds on their way
  for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192));
  return [canvas.width, btoa(text)];
}
"""
SIZE = """
async (url) => {
  const bitmap = await createImageBitmap(await (await fetch(url)).blob());
  return [bitmap.width, bitmap.height];
}
"""


@pytest.fixture
def empty(page: Page, app: Serve) -> Page:
    """A page of the same origin that runs nothing."""
    page.goto(app.url + EMPTY)
    return page


def pixels_of(page: Page, url: str, size: int = 0) -> tuple[int, list[bytes]]:
    """The width, and red, green, blue and opacity of each pixel."""
    width, text = page.evaluate(PIXELS, [url, size])
    data = base64.b64decode(text)
    return width, [data[at : at + 4] for at in range(0, len(data), 4)]


def differences(value: Any, shape: Any, place: str = "manifest") -> list[str]:
    """Where `value` is not of the `shape`; a member that is not named there is one too."""
    if isinstance(shape, type):
        return [] if isinstance(value, shape) and value else [f"{place}: {value!r}"]
    if isinstance(shape, dict):
        if not isinstance(value, dict) or set(value) != set(shape):
            return [f"{place}: {sorted(set(value) ^ set(shape))}"]
        return [d for key in shape for d in differences(value[key], shape[key], f"{place}.{key}")]
    if isinstance(shape[0], dict):  # a list of such things
        (one,) = shape
        if not isinstance(value, list) or not value:
            return [f"{place}: {value!r}"]
        one = one.get("", one)
        return [d for n, each in enumerate(value) for d in differences(each, one, f"{place}[{n}]")]
    return [] if value in shape else [f"{place}: {value!r}"]


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((WEB / "manifest.json").read_text())
    return found


def test_every_member_is_there_and_of_its_type(manifest: dict[str, Any]) -> None:
    assert differences(manifest, SHAPE) == []
    broken = manifest | {"lang": "xx", "icons": [{"src": ""}], "scopes": "./"}
    assert len(differences(broken, SHAPE)) == 1  # the test can fail: an unknown member
    del broken["scopes"]
    assert len(differences(broken, SHAPE)) == 2


def test_addresses_stay_below_the_app_wherever_it_is_hosted(manifest: dict[str, Any]) -> None:
    share, (protocol,), (file,) = (
        manifest[f"{name}"] for name in ("share_target", "protocol_handlers", "file_handlers")
    )
    urls = [manifest["start_url"], manifest["scope"], share["action"], protocol["url"], file["action"]]  # fmt: skip
    urls += [each["url"] for each in manifest["shortcuts"]]
    pictures = manifest["icons"] + manifest["screenshots"]
    pictures += [icon for each in manifest["shortcuts"] for icon in each["icons"]]
    urls += [picture["src"] for picture in pictures]
    assert [url for url in urls if not urljoin(BASE, url).startswith(BASE)] == []
    assert protocol["protocol"].startswith("web+") and protocol["url"].count("%s") == 1
    assert parse_qs(urlsplit(protocol["url"]).query) == {"c": ["new"], "link": ["%s"]}


def test_its_colours_are_those_of_the_page(manifest: dict[str, Any]) -> None:
    style, page = (WEB / "style.css").read_text(), (WEB / "index.html").read_text()
    assert f"--paper: light-dark({manifest['background_color']}," in style
    assert f'<meta name="theme-color" content="{manifest["theme_color"]}"' in page
    assert f"--rail: light-dark({manifest['theme_color']}," in style


# Pictures


def test_icons_have_the_sizes_that_they_say(empty: Page, app: Serve, manifest: Any) -> None:
    icons = manifest["icons"] + manifest["shortcuts"][0]["icons"]
    for icon in icons:
        if icon["type"] == "image/png":
            width, height = empty.evaluate(SIZE, app.url + icon["src"])
            assert f"{width}x{height}" == icon["sizes"]
    shapes = {(icon["purpose"], icon["sizes"]) for icon in manifest["icons"]}
    sizes = ("192x192", "512x512")
    assert shapes >= {(purpose, size) for purpose in ("any", "maskable") for size in sizes}
    assert {("any", "any"), ("monochrome", "any")} <= shapes


@pytest.mark.parametrize("name", ["maskable-192.png", "maskable-512.png", "apple-touch-icon.png"])
def test_an_icon_that_is_cut_is_opaque_and_has_its_mark_in_the_safe_zone(empty: Page, app: Serve, name: str) -> None:
    """The safe zone: a circle of 40 % of the width around the middle."""
    width, pixels = pixels_of(empty, f"{app.url}icons/{name}")
    assert name != "apple-touch-icon.png" or width == 180
    assert {pixel[3] for pixel in pixels} == {255}
    ground, middle = pixels[0], (width - 1) / 2
    marked = [n for n, pixel in enumerate(pixels) if pixel != ground]
    distance = max((n % width - middle) ** 2 + (n // width - middle) ** 2 for n in marked) ** 0.5
    assert 0.3 * width < distance <= 0.4 * width


def test_the_monochrome_icon_is_a_shape(empty: Page, app: Serve) -> None:
    _, pixels = pixels_of(empty, f"{app.url}icons/monochrome.svg", 96)
    opaque = sum(pixel[3] == 255 for pixel in pixels) / (96 * 96)
    assert 0.1 < opaque < 0.5 and pixels[0][3] == 0


def test_screenshots_are_as_install_dialogs_want_them(empty: Page, app: Serve, manifest: Any) -> None:
    forms: dict[str, set[tuple[int, int]]] = {}
    for each in manifest["screenshots"]:
        width, height = empty.evaluate(SIZE, app.url + each["src"])
        assert f"{width}x{height}" == each["sizes"]
        assert min(width, height) >= 320 and max(width, height) <= 3840
        assert max(width, height) <= 2.3 * min(width, height)
        assert (width > height) == (each["form_factor"] == "wide")
        forms.setdefault(each["form_factor"], set()).add((width, height))
        assert (WEB / each["src"]).stat().st_size < 60_000
    assert {name: len(sizes) for name, sizes in forms.items()} == {"wide": 1, "narrow": 1}


def test_files_are_in_the_build_and_icons_work_offline(dist: Path, manifest: Any) -> None:
    """Of the pictures only icons are kept by the service worker: no page shows the others."""
    lists = (dist / "sw.js").read_text()
    linked = re.findall(r'<link rel="[a-z-]*icon" href="([^"]+)"', (WEB / "index.html").read_text())
    assert len(linked) == 2
    icons = [icon["src"] for icon in manifest["icons"] + manifest["shortcuts"][0]["icons"]]
    for name in [*linked, *icons]:
        assert (dist / name).is_file() and f'"{name}"' in lists
    for picture in manifest["screenshots"]:
        assert (dist / picture["src"]).is_file() and picture["src"] not in lists


# What the browser makes of it


def test_chromium_reads_it_and_would_install_it(
    playwright: Any, chromium_path: str | None, tmp_path: Path, app: Serve, manifest: Any
) -> None:
    """In a profile: the tests' other contexts are private windows, where nothing can be installed."""
    context = playwright.chromium.launch_persistent_context(tmp_path, executable_path=chromium_path, args=QUICK)
    page = context.pages[0]
    page.goto(app.url)
    session = context.new_cdp_session(page)
    assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
    assert session.send("Page.getAppId")["appId"] == app.url + "midstream"
    answer = session.send("Page.getAppManifest")
    assert answer["errors"] == []
    read = answer["manifest"]
    assert read["id"] == app.url + manifest["id"]
    assert (read["scope"], read["startUrl"]) == (app.url, app.url)
    assert read["launchHandler"] == {"clientMode": "kFocusExisting"}
    assert [each["url"] for each in read["shortcuts"]] == [f"{app.url}?c=new"]
    assert read["shareTarget"]["action"] == app.url
    assert read["shareTarget"]["method"] == "kGet"
    assert len(read["icons"]) == len(manifest["icons"])
    assert len(read["screenshots"]) == len(manifest["screenshots"])
    assert read["protocolHandlers"][0]["protocol"] == "web+midstream"
    assert read["displayOverrides"]
    context.close()


def test_under_a_sub_path(browser: Browser) -> None:
    site = Site("/deep/app/")
    site.mock_engine()
    screen = Screen(browser, site).goto()
    session = screen.context.new_cdp_session(screen.page)
    answer = session.send("Page.getAppManifest")
    assert answer["errors"] == []
    assert answer["manifest"]["scope"] == answer["manifest"]["startUrl"] == site.url
    assert answer["manifest"]["shareTarget"]["action"] == site.url
    screen.close()
    site.stop()
