"""What tests of the service worker do with its cache, from a page of the app."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.browser.screen_support import Screen, Site
from tests.browser.together import WEB
from tests.browser.worker.worker_support import UNTIL
from tests.support.patience import PATIENCE_MS

READY = ("data-shell", "offline-ready")


def stored(screen: Screen) -> list[str]:
    """Paths in the cache, without the hashes."""
    urls: list[str] = screen.page.evaluate(
        """async () => {
          const names = await caches.keys();
          const keys = await Promise.all(names.map(async name => (await caches.open(name)).keys()));
          return keys.flat().map(request => request.url.split('?')[0]);
        }"""
    )
    return sorted(url.removeprefix(screen.site.url) for url in urls)


def damage(screen: Screen, path: str, body: str | None) -> None:
    """What is stored of this file has another body from now on, or is gone."""
    screen.page.evaluate(
        """async ([path, body]) => {
          const cache = await caches.open((await caches.keys())[0]);
          for (const key of await cache.keys()) {
            if (!key.url.endsWith(path) && !key.url.split('?')[0].endsWith(path)) continue;
            const old = await cache.match(key);
            if (body === null) await cache.delete(key);
            else await cache.put(key, new Response(body, {headers: old.headers}));
          }
        }""",
        [path, body],
    )


def until(screen: Screen, look: str) -> Any:
    """What the function gives, which may be a promise, once that is true."""
    return screen.page.evaluate(UNTIL.replace("LOOK", look).replace("PATIENCE", str(PATIENCE_MS)), None)


def offline_ready(screen: Screen) -> None:
    screen.goto()
    expect(screen.html).to_have_attribute("data-engine", "ready")
    expect(screen.html).to_have_attribute(*READY)


def update(shell_site: Site) -> None:
    shell_site.files["style.css"] = (WEB / "style.css").read_bytes() + b"\nbody { --version: 2; }"
    shell_site.build("2")


def clear_http_cache(screen: Screen) -> None:
    """The browser's own, beside the service worker's."""
    session = screen.context.new_cdp_session(screen.page)
    session.send("Network.clearBrowserCache")
    session.detach()


def restart_worker(screen: Screen) -> None:
    """As the browser does whenever it likes: what the worker had in its memory is gone."""
    session = screen.context.new_cdp_session(screen.page)
    session.send("ServiceWorker.enable")
    session.send("ServiceWorker.stopAllWorkers")
    session.detach()


def hand_over(screen: Screen) -> None:
    """As the browser does when the worker in charge is idle, which none is under a debugger.

    It is stopped, and the one that waits takes over; again and again, since a question of the page
    starts it once more. The new one is left alone: stopped in the middle of its activation it would
    be in charge without having done its work.
    """
    states: dict[str, str] = {}
    session = screen.context.new_cdp_session(screen.page)
    session.on(
        "ServiceWorker.workerVersionUpdated",
        lambda told: states.update({each["versionId"]: each["status"] for each in told["versions"]}),
    )
    session.send("ServiceWorker.enable")
    while not states or "installed" in states.values():
        for name in [name for name, state in states.items() if state == "activated"]:
            session.send("ServiceWorker.stopWorker", {"versionId": name})
        screen.page.evaluate("new Promise(requestAnimationFrame)")  # events come while one waits
    session.detach()


def version(screen: Screen) -> str:
    """Of the style that the page shows; "" is the first one."""
    style = "getComputedStyle(document.body).getPropertyValue('--version')"
    return str(screen.page.evaluate(style))
