"""The scenarios of the promise, each as what a person does and what happens to them.

A play opens its servers and tabs on a stage and returns when the last answer has ended; scoring is not its business.
Those with a long cut have two parts: `begin` returns when the connection is cut, so that others can be played
meanwhile.
"""

from __future__ import annotations

import contextlib

from playwright.sync_api import TimeoutError

from tests.browser.scenarios.stage import (
    DIRECT,
    GATEWAY,
    PROMPT,
    Builds,
    Stage,
    Tab,
    text_in_the_log,
)
from tests.support.processes import Replay, free_port

NO_RESUME = "the connection of a plain endpoint is gone for good, and Continue brings the rest"


def nothing(stage: Stage) -> None:
    pass


def complete(*tabs: Tab) -> None:
    for tab in tabs:
        state = tab.until_ended()
        assert state == "complete", f"the answer ended as {state}: {tab.answer.inner_text()[-200:]}"


def continued(tab: Tab) -> None:
    """What is left is said, and Continue brings the rest."""
    assert tab.until_state("interrupted", "complete") == "interrupted"
    tab.press("continue")
    tab.until("() => !document.querySelector('article[data-state=interrupted]')")
    complete(tab)


def refresh(stage: Stage) -> None:
    model = stage.model()
    model.gate.allow(20)
    tab = stage.tab(stage.open_servers(model)).start()
    for seq in (2, 80, 160):
        model.gate.allow(seq + 20)  # some more of it comes while the page is away
        tab.until_seq(seq)
        tab.refreshed()
    model.gate.open()
    complete(tab)
    model.asked_once()


class Cut:
    """The TCP connections are reset and refused for a time while the answer is being written."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def begin(self, stage: Stage) -> None:
        model = stage.model()
        model.gate.allow(60)
        tab = stage.tab(stage.open_servers(model)).start()
        tab.until_seq(15)
        stage.cut()
        model.gate.open()
        tab.until_state("reconnecting" if stage.kind == GATEWAY else "interrupted")

    def play(self, stage: Stage) -> None:
        stage.heal(after=self.seconds)
        (tab,) = stage.tabs
        if stage.kind == GATEWAY:
            return complete(tab)
        stage.notes.append(NO_RESUME)
        continued(tab)


def frozen(stage: Stage) -> None:
    """The browser stops the tab's every script and timer; with the gateway the network loses its connections, too."""
    model = stage.model()
    model.gate.allow(80)
    tab = stage.tab(stage.open_servers(model)).start()
    tab.until_seq(60)
    session = tab.page.context.new_cdp_session(tab.page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    if stage.kind == GATEWAY:
        stage.cut()
        stage.heal()
    model.gate.open()
    model.asked_once()
    session.send("Page.setWebLifecycleState", {"state": "active"})
    complete(tab)


def offline_reload(stage: Stage) -> None:
    model = stage.model()
    model.gate.allow(80)
    tab = stage.tab(stage.open_servers(model)).open()
    tab.shell("offline-ready")
    tab.send(PROMPT)
    tab.until_seq(60)
    stage.cut()
    lost = "reconnecting" if stage.kind == GATEWAY else "interrupted"
    tab.until_state(lost)
    tab.refreshed()
    tab.until_state(lost)
    model.gate.open()
    stage.heal()
    if stage.kind == GATEWAY:
        return complete(tab)
    stage.notes.append(NO_RESUME)
    continued(tab)


def offline_prompt(stage: Stage) -> None:
    model = stage.model()
    model.gate.open()
    tab = stage.tab(stage.open_servers(model)).open()
    tab.shell("offline-ready")
    stage.cut()
    tab.online(False)
    tab.send(PROMPT)
    tab.until_state("queued")
    tab.refreshed()
    tab.until_state("queued")
    stage.heal()
    tab.online(True)
    complete(tab)
    assert tab.page.locator("article[data-author=user]").count() == 1
    model.asked_once()


def second_tab(stage: Stage) -> None:
    """Both tabs show the answer as it comes; then the one that writes it is closed."""
    model = stage.model()
    model.gate.allow(60)
    first = stage.tab(stage.open_servers(model)).start()
    second = stage.tab(first.page.url).open()
    second.until_state("streaming")
    model.gate.allow(140)
    for tab in (first, second):
        tab.until_seq(120)
    stage.closed(first)
    model.gate.open()
    complete(second)
    model.asked_once()


def second_device(stage: Stage) -> None:
    """One device finds the running answer in its list, another one by its address."""
    model = stage.model()
    model.gate.allow(60)
    url = stage.open_servers(model)
    first = stage.tab(url).start()
    address = first.page.url
    listed = stage.tab(url, context=stage.context()).open()
    listed.page.click(f"nav [data-conversation='{address.partition('?c=')[2]}']")
    addressed = stage.tab(address, context=stage.context()).open()
    for tab in (listed, addressed):
        tab.until_state("streaming")
        assert tab.page.locator("button[name=stop]").is_visible()
    model.gate.open()
    complete(first, listed, addressed)
    model.asked_once()


def stop_after_reload(stage: Stage) -> None:
    upstream = stage.own_upstream()
    url = stage.open_servers(upstream)
    tab = stage.tab(url).start()
    tab.until_seq(20)
    tab.refreshed()
    stopped(stage, url, upstream, tab)
    tab.refreshed()
    assert tab.state() == "stopped"


def stop_elsewhere(stage: Stage) -> None:
    """The answer that one device has asked for is stopped by another one."""
    upstream = stage.own_upstream()
    url = stage.open_servers(upstream)
    first = stage.tab(url).start()
    other = stage.tab(first.page.url, context=stage.context()).open()
    stopped(stage, url, upstream, other)
    assert first.until_ended() == "stopped"


def stopped(stage: Stage, url: str, upstream: Replay, tab: Tab) -> None:
    tab.until_state("streaming")
    tab.page.click("button[name=stop]")
    assert tab.until_ended() == "stopped"
    upstream.until(lambda: upstream.events("abort"))
    # Everything that the server had written before the stop is the answer now.
    stage.expected = text_in_the_log(url) if stage.kind == GATEWAY else tab.text()


def gateway_killed(stage: Stage) -> None:
    """SIGKILL, and the same again on the same run log. The model's connection has gone with the process."""
    model, port = stage.model(), free_port()
    model.gate.allow(100)
    proxy = stage.proxy(port)
    with stage.server(port, model) as first:
        tab = stage.tab(proxy.url).start()
        tab.until_seq(80)
        first.kill()
    tab.until_state("reconnecting")
    model.gate.open()
    with stage.server(port, model):
        continued(tab)
    stage.notes.append("the gateway's connection to the model is gone, and Continue brings the rest")


def renderer_crash(stage: Stage) -> None:
    model = stage.model()
    model.gate.allow(80)
    url = stage.open_servers(model)
    tab = stage.tab(url).start()
    tab.until_seq(60)
    session = tab.page.context.new_cdp_session(tab.page)
    with tab.page.expect_event("crash"), contextlib.suppress(TimeoutError):
        session.send("Page.crash", timeout=100)  # nobody is left to answer
    again = stage.tab(url, instead_of=tab).open()
    model.gate.open()
    if stage.kind == DIRECT and again.until_ended() == "interrupted":
        # The service worker may live in the process of the page that was there first.
        stage.notes.append("the service worker crashed with the page, and Continue brings the rest")
        return continued(again)
    complete(again)
    model.asked_once()


def update(stage: Stage) -> None:
    """A new version is deployed while an answer is being written: it waits until the answer is there and the person
    agrees. A reload meanwhile brings the version that runs."""
    model = stage.model()
    model.gate.allow(60)
    builds = Builds(stage.house.dist, stage.folder)
    tab = stage.tab(stage.open_servers(model, builds.folder)).open()
    tab.shell("offline-ready")
    tab.send(PROMPT)
    tab.until_seq(20)
    builds.switch()
    tab.page.evaluate("navigator.serviceWorker.getRegistration().then((it) => it.update())")
    tab.shell("update-ready")
    assert tab.state() == "streaming", "the answer was over before the update was ready"
    assert tab.page.locator("[data-part=update]").is_hidden()
    tab.refreshed()
    tab.shell("update-ready")
    model.gate.open()
    complete(tab)
    assert builds.mark not in style(tab)
    with tab.page.expect_navigation(wait_until="commit"):
        tab.page.click("button[name=update]")
    tab.until_ready()
    assert builds.mark in style(tab)
    complete(tab)
    model.asked_once()


def style(tab: Tab) -> str:
    """The style sheet of the version that runs."""
    return str(tab.page.evaluate("fetch('style.css').then((answer) => answer.text())"))
