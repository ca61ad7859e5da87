"""Diagrams on the screen: blocks as the engine brings them, and what can be seen of a drawing."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.screen_support import Ops, Screen

FLOW = "flowchart LR\n  A[Moon] -->|pulls| B[Sea]\n"
SEQUENCE = "sequenceDiagram\n  title Asking\n  You->>Model: why?\n  Model-->>You: so\n"


def closed(text: str, id: int) -> list[list[Any]]:
    """A complete block."""
    return [*opened(text, id), [7, id]]


def opened(text: str, id: int) -> list[list[Any]]:
    """One that is still being written."""
    code = id + 1
    return [
        [0, 0, "pre", id],
        [0, id, "code", code],
        [2, code, "data-language", "mermaid"],
        [1, code, text],
    ]


def button(screen: Screen, number: int = 1) -> Locator:
    name = f"Diagram of Code block {number}, mermaid"
    return screen.content().get_by_role("button", name=name, exact=True)


def block(screen: Screen, number: int = 0) -> Locator:
    return screen.content().locator("pre").nth(number)


def shown(place: Locator) -> None:
    """The drawing is there, as an image that has been loaded."""
    image = place.locator("[data-part=diagram] img")
    expect(image).to_be_visible()
    assert image.evaluate("e => e.complete && e.naturalWidth > 0 && e.naturalHeight > 0")
    expect(place.locator("button[data-do=diagram]")).to_have_attribute("aria-pressed", "true")


def asked_for(requests: list[str]) -> list[str]:
    """Those of the requests that are for a diagram."""
    return [path for path in requests if "mermaid" in path or "late/diagram" in path]


def text(*nodes: Any) -> list[list[Any]]:
    return Ops().of(*nodes)
