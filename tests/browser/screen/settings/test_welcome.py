"""The first page without any model: the demo that is refreshed in the middle, and the ways to a model."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.screen_support import Ops, Screen, Site, answer, asked
from tests.support.processes import serve


def test_the_three_ways_to_a_model(screen: Screen) -> None:
    screen.goto().ready()
    screen.post({"type": "conversation", "id": "", "title": "", "turns": []})
    screen.post({"type": "endpoint", "name": "Demo", "kind": "demo", "model": "", "note": ""})
    expect(screen.part("first")).to_be_visible()
    expect(screen.part("suggestions")).to_be_hidden()
    for button, preset, field in (
        ("I have a server", "Ollama", "url"),
        ("I have an API key", "OpenRouter", "key"),
    ):
        screen.page.get_by_role("button", name=button).click()
        expect(screen.page.locator("select[name=preset]")).to_have_value(preset)
        expect(screen.page.locator(f"input[name=endpoint-{field}]")).to_be_focused()
        screen.page.keyboard.press("Escape")
    screen.post({"type": "endpoint", "name": "Gateway", "kind": "gateway", "model": "m", "note": ""})
    expect(screen.part("first")).to_be_hidden()
    expect(screen.part("suggestions")).to_be_visible()


def test_it_is_read_from_its_beginning(browser: Browser, screen_site: Site) -> None:
    screen = Screen(browser, screen_site, viewport={"width": 320, "height": 400})
    screen.goto().ready()
    screen.post({"type": "endpoint", "name": "Demo", "kind": "demo", "model": "", "note": ""})
    expect(screen.part("first")).to_be_visible()
    expect(screen.page.get_by_role("heading", name="Answers that stay")).to_be_in_viewport()
    screen.conversation(asked(), answer("complete"))
    screen.patch(1, *Ops().of(*[("p", f"Paragraph {n}.") for n in range(40)]))
    expect(screen.content().locator("p").last).to_be_in_viewport()
    screen.post({"type": "conversation", "id": "", "title": "", "turns": []})
    expect(screen.page.get_by_role("heading", name="Answers that stay")).to_be_in_viewport()
    screen.close()


def test_the_demo_goes_on_after_a_refresh_in_the_middle(page: Page, dist: Path) -> None:
    """A static site, no model anywhere."""
    with serve("--static-only", "--dist", str(dist)) as app:
        page.goto(app.url)
        page.get_by_role("button", name="Show me").click()
        content = page.locator("article[data-author=assistant] [data-part=content]")
        expect(content).to_contain_text("words you have")
        before = content.inner_text()
        page.reload()
        expect(content).to_contain_text("words you have")
        assert content.inner_text().startswith(before[:-20])  # less than a word is under way
        page.locator("article[data-author=assistant][data-state=complete]").wait_for()
        assert content.inner_text().count("words you have") == 1
