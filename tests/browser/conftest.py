"""The browser of all browser tests: Debian's Chromium, with nothing that phones home."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for the whole session: two Playwrights in one thread do not work."""
    path = os.environ.get("MIDSTREAM_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


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


@pytest.fixture(scope="package")
def app(upstream: Replay, dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    store = tmp_path_factory.mktemp("log") / "runs.sqlite"
    options = ["--upstream", upstream.url, "--store", f"sqlite:{store}", "--dist", str(dist)]
    with serve(*options) as running:
        yield running
