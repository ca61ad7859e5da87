"""A real Chromium and the built app, for every test in this folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.browser.home import Home, furnished
from tests.browser.screen_support import Screen, Site
from tests.support.gate import Model
from tests.support.patience import PATIENCE_MS
from tests.support.processes import Replay, Serve, replay, serve

PROJECT = Path(__file__).parents[2]
# The address bar of every window has two pages for its suggestions, each with a process of its own: as costly as the
# page under test, and no test opens them. The last list counts alone, so the rest is what Playwright switches off.
OFF = """
    WebUIOmniboxPopup WebUIOmniboxAimPopup WebUIOmniboxFullPopup PreloadTopChromeWebUI

    AvoidUnnecessaryBeforeUnloadCheckSync DestroyProfileOnBrowserClose HttpsUpgrades HttpsFirstBalancedModeAutoEnable
    LensOverlay MediaRouter PaintHolding ThirdPartyStoragePartitioning AvoidCorsURLLoaderRestartOnRedirect
    OptimizationHints NetworkTimeServiceQuerying AimEnabled PreconnectToSearch
"""
# Without the others, Chromium looks for its maker's servers at every start.
FLAGS = [
    f"--disable-features={','.join(OFF.split())}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Python is compiled once, quickly: compiling it again for speed costs more than a test gains in its few seconds. Not
# for figures, which are measured with the flags above.
COMPILED_ONCE = "--js-flags=--wasm-tiering-budget=500000000"
QUICK = [*FLAGS, COMPILED_ONCE]
WORDS = 240  # of the numbered answer
expect.set_options(timeout=PATIENCE_MS)  # its own 5 s are too few on a busy machine


# The loop of Playwright's synchronous API runs until it is stopped, and asyncio.run of the other tests would refuse to
# start beside it: so it lives for this folder, not for the session.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def chromium_path() -> str | None:
    """The system's Chromium; None lets Playwright use the one it has downloaded."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


# The same engine without the windows around it, which cost as much as a small page. What the windows bring (installing,
# files and links that open the app, the lifetimes of processes) is tested in `chromium`, and so are the scenarios.
@pytest.fixture(scope="package")
def browser(playwright: Playwright, chromium_path: str | None) -> Iterator[Browser]:
    yield from launched(playwright, shutil.which("chromium-headless-shell") or chromium_path)


@pytest.fixture(scope="package")
def chromium(playwright: Playwright, chromium_path: str | None) -> Iterator[Browser]:
    """The browser that a person has."""
    yield from launched(playwright, chromium_path)


def launched(playwright: Playwright, path: str | None) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=path, args=QUICK)
    yield browser
    browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture(scope="package")
def furniture(browser: Browser, dist: Path) -> Iterator[Home]:
    with furnished(browser, dist, PATIENCE_MS) as home:
        yield home


@pytest.fixture
def home(furniture: Home) -> Iterator[Home]:
    """For tests that are not about a first visit: a `context` in which the app is at home already."""
    yield furniture
    furniture.tidy()


@pytest.fixture(scope="package")
def dist() -> Path:
    """The built static site, made by build.py before the tests."""
    path = Path(os.environ.get("MIDSTREAM_DIST", PROJECT / "dist"))
    if not (path / "index.html").exists():
        pytest.fail("dist/ is not built: run `python3 build.py test`, or `python3 build.py` first")
    return path


def numbered_answer() -> str:
    """Markdown of many kinds in which every word is different: a lost or repeated one shows."""
    counter = iter(range(1, WORDS + 1))

    def some(count: int) -> str:
        return " ".join(f"w{next(counter)}" for _ in range(count))

    return f"""# {some(3)}

{some(20)} **{some(4)}** {some(6)} *{some(3)}* and `{some(2)}` {some(12)}.

1. {some(10)}
2. {some(10)}
   - {some(8)}
   - {some(8)}
3. {some(12)}

| {some(1)} | {some(1)} | {some(1)} |
|:--|:-:|--:|
| {some(2)} | {some(2)} | {some(2)} |
| {some(2)} | {some(2)} | {some(2)} |

> {some(15)}

```python
{some(8)}
{some(8)}
```

{some(WORDS - 145)}
"""


@pytest.fixture(scope="package")
def answer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("answer") / "answer.md"
    path.write_text(numbered_answer())
    return path


@pytest.fixture(scope="package")
def upstream(answer_file: Path) -> Iterator[Replay]:
    with replay(answer_file, rate=60, chunk=6) as running:
        yield running


@pytest.fixture
def model(answer_file: Path) -> Iterator[Model]:
    """Holds its answer back until the test lets more of it through; what passes comes fast."""
    with replay(answer_file, rate=200, chunk=6) as running, ExitStack() as stack:
        yield Model(running, stack)


@pytest.fixture
def crawling(answer_file: Path) -> Iterator[Replay]:
    """Is at work on its answer for longer than any test: for tests of what becomes of a model that is at work."""
    with replay(answer_file, rate=4, chunk=6) as running:
        yield running


@pytest.fixture(scope="package")
def app(upstream: Replay, dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    store = tmp_path_factory.mktemp("log") / "runs.sqlite"
    options = ["--upstream", upstream.url, "--store", f"sqlite:{store}", "--dist", str(dist)]
    with serve(*options, "--allow-host", "127.0.0.1") as running:  # also behind another address
        yield running


@pytest.fixture
def screen_site() -> Iterator[Site]:
    """web/ with the mock engine."""
    site = Site()
    site.mock_engine()
    yield site
    site.stop()


@pytest.fixture
def screen(browser: Browser, screen_site: Site) -> Iterator[Screen]:
    """A page with the mock engine behind it. Its console must stay clean, unless a test empties `problems` itself."""
    screen = Screen(browser, screen_site)
    yield screen
    problems = list(screen.problems)
    screen.close()
    assert problems == []


@pytest.fixture
def shell_site() -> Iterator[Site]:
    """web/ with its own engine document and service worker, and a mock in the place of PyScript."""
    site = Site()
    site.mock_pyscript()
    yield site
    site.stop()
