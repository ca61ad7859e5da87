"""Diagrams that want more than to be seen: nothing runs, nothing is asked for, and what is left of them shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Frame, Request, expect

from tests.browser.screen.answer.diagram_support import FLOW, block, button, closed, shown
from tests.browser.screen_support import Screen, Site, answer, asked

EVIL = "https://evil.example/x"  # in the texts by its name
HOSTILE = {
    "click": """flowchart LR
  A --> B
  click A call alert(1)
  click B "javascript:alert(1)" "tip"
  click A href "EVIL"
""",
    "callback": """flowchart LR
  A --> B
  click A alert
""",
    "script": """flowchart LR
  A["<script>alert(1)</script>"] --> B["<img src=x onerror=alert(1)>"]
""",
    "foreign": """flowchart LR
  A["<iframe src=javascript:alert(1)></iframe>"]
  B["<svg onload=alert(1)><a href=javascript:alert(1)>x</a><image href=EVIL></svg>"]
""",
    "loose": """%%{init: {"securityLevel": "loose", "htmlLabels": true, "secure": []}}%%
%%{init: {"flowchart": {"htmlLabels": true}}}%%
flowchart LR
  A["<img src=x onerror=alert(1)>"] --> B
  click A call alert(1)
""",
    "frontmatter": """---
config:
  securityLevel: loose
  htmlLabels: true
  theme: dark
---
flowchart LR
  A["<b onmouseover=alert(1)>x</b>"] --> B
""",
    "css": """%%{init: {"themeCSS": "svg{background:url(EVIL)} @import url(EVIL);"}}%%
%%{init: {"fontFamily": "x;} * {background:url(EVIL)}"}}%%
flowchart LR
  A --> B
""",
    "purify": """%%{init: {"dompurifyConfig": {"ADD_TAGS": ["script", "iframe"], "ADD_ATTR": ["onerror"]}}}%%
flowchart LR
  A["<iframe src=x onerror=alert(1)>"]
""",
    "prototype": """%%{init: {"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}}%%
flowchart LR
  A --> B
""",
    "sequence": """sequenceDiagram
  participant A as <img src=x onerror=alert(1)>
  A->>A: <script>alert(1)</script>
  link A: x @ javascript:alert(1)
  link A: y @ EVIL
""",
    "class": """classDiagram
  class A["<img src=x onerror=alert(1)>"]
  click A href "EVIL"
  A : +<svg onload=alert(1)>
""",
    "state": """stateDiagram-v2
  s1: <img src=x onerror=alert(1)>
  [*] --> s1 : <script>alert(1)</script>
""",
    "gantt": """gantt
  dateFormat YYYY-MM-DD
  section <img src=x onerror=alert(1)>
  One :a, 2026-01-01, 3d
  click a href "EVIL"
""",
    "pie": """pie title <img src=x onerror=alert(1)>
  "<script>alert(1)</script>" : 3
  "b" : 4
""",
    "mindmap": """mindmap
  root((<img src=x onerror=alert 1>))
    <script>alert 1</script>
    b
""",
    "git": """gitGraph
  commit id: "<img src=x onerror=alert(1)>"
  commit tag: "<script>alert(1)</script>"
""",
    "c4": """C4Context
  Person(a, "<img src=x onerror=alert(1)>", $link="javascript:alert(1)", $sprite="EVIL")
""",
    "formula": """flowchart LR
  A["$$\\href{javascript:alert(1)}{x}\\includegraphics{EVIL}$$"] --> B
""",
}
# Would have been drawn with a request: they stay as their source.
REFUSED = {
    "picture": """flowchart LR
  A@{ img: "EVIL.png", label: "x", w: 60, h: 60 }
""",
    "style": """flowchart LR
  A --> B
  style A fill:url(EVIL)
""",
}
# Instead of being given to the screen only: what an image of that text would be made of.
KEEP = """
(() => {
  window.drawn = [];
  const original = URL.createObjectURL;
  URL.createObjectURL = (blob) => (drawn.push(blob), original.call(URL, blob));
})()
"""
# The image as what it is: nothing in it may act, or lead out of it.
FOUND = """async () => {
  const found = [];
  for (const blob of drawn) {
    const text = await blob.text();
    const svg = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
    if (svg.localName !== 'svg') found.push(text.slice(0, 200));
    for (const each of [svg, ...svg.querySelectorAll('*')]) {
      if (each.namespaceURI !== 'http://www.w3.org/2000/svg') found.push(each.localName);
      if (/^(script|foreignObject|a|animate|set|iframe|embed)$/i.test(each.localName)) found.push(each.localName);
      if (each.localName === 'style' && /evil|@import/.test(each.textContent)) found.push(each.textContent);
      for (const { name, value } of each.attributes) {
        if (/^on/i.test(name) || /javascript:|evil/i.test(value)) found.push(`${name}=${value}`);
      }
    }
  }
  return found;
}"""


class Watched(Screen):
    """A screen with ears for everything that a diagram must not be able to do."""

    def __init__(self, browser: Browser, site: Site) -> None:
        super().__init__(browser, site, bypass_csp=False)
        self.asked: list[Request] = []
        self.alarms: list[str] = []
        self.context.on("request", lambda request: self.asked.append(request))
        self.context.on("page", lambda page: self.alarms.append(f"a window: {page.url}"))
        self.page.on("dialog", self._dialog)
        self.page.add_init_script(KEEP)

    def _dialog(self, dialog: Any) -> None:
        self.alarms.append(f"{dialog.type}: {dialog.message}")
        dialog.dismiss()

    def foreign(self) -> list[str]:
        """Requests that have left the browser; those that a policy has stopped are told too."""
        own = urlsplit(self.site.url).netloc
        left = [request.url for request in self.asked if request.failure != "csp"]
        return [url for url in left if url.startswith("http") and urlsplit(url).netloc != own]


@pytest.fixture
def watched(browser: Browser, screen_site: Site) -> Iterator[Watched]:
    screen = Watched(browser, screen_site)
    screen.goto("?c=c1").ready()
    screen.conversation(asked(), answer())
    yield screen
    screen.close()


def drawer(screen: Screen) -> Frame:
    """The hidden document."""
    frame = screen.page.locator("[data-part=drawer]").element_handle().content_frame()
    assert frame is not None
    return frame


def sandbox(screen: Screen) -> Frame:
    """The frame in it that draws."""
    (frame,) = drawer(screen).child_frames
    return frame


@pytest.mark.parametrize("name", [*HOSTILE, *REFUSED])
def test_nothing_of_it_acts(watched: Watched, name: str) -> None:
    """After it an honest one is drawn by the same document, so whatever it has left behind had its time."""
    watched.patch(1, *closed((HOSTILE | REFUSED)[name].replace("EVIL", EVIL), 1), *closed(FLOW, 3))
    button(watched).click()
    shown(block(watched, 1))
    if name in REFUSED:
        expect(watched.part("notice")).to_be_visible()
    else:
        shown(block(watched))
    frame = drawer(watched)
    assert frame.evaluate("[{}.polluted, document.querySelectorAll('a, img').length]") == [None, 0]
    assert sandbox(watched).evaluate("document.querySelectorAll('iframe, a, img').length") == 0
    for image in watched.part("diagram").locator("img").all():
        image.click()  # an image: no link, no callback
    assert watched.page.context.new_page().evaluate("1") == 1
    watched.alarms.remove("a window: about:blank")
    assert frame.evaluate(FOUND.replace("drawn)", "parent.drawn)")) == []
    assert watched.foreign() == []
    assert watched.alarms == []


def test_the_document_that_draws_can_do_no_more_than_draw(watched: Watched) -> None:
    """Its policy alone, as if a text had got the better of Mermaid."""
    watched.patch(1, *closed(FLOW, 1))
    button(watched).click()
    shown(block(watched))
    frame = sandbox(watched)
    assert frame.evaluate("origin") == "null"  # no storage, and no way into the page around it
    refused = frame.evaluate(
        """async (url) => {
          const tries = {
            inline() {
              const script = document.createElement('script');
              script.textContent = 'window.ran = 1';
              document.body.append(script);
            },
            handler() {
              document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.ran = 2">');
            },
            evaluated: () => Function('window.ran = 3')(),
            fetched: () => fetch(url),
            framed() {
              const frame = document.createElement('iframe');
              frame.src = url;
              document.body.append(frame);
            },
          };
          await new Promise((resolve) => setTimeout(resolve)); // what a test evaluates may evaluate itself
          const said = new Set(); // by the header and by the page itself
          const hear = ({ effectiveDirective }) => said.add(effectiveDirective);
          document.addEventListener('securitypolicyviolation', hear);
          for (const act of Object.values(tries)) await Promise.try(act).catch(() => {});
          while (said.size < 6) await new Promise((resolve) => setTimeout(resolve, 20));
          return [window.ran ?? null, [...said].sort()];
        }""",
        EVIL,
    )
    scripts = ["script-src", "script-src-attr", "script-src-elem"]
    directives = ["connect-src", "frame-src", "img-src", *scripts]
    assert refused == [None, directives]
    assert watched.foreign() == []


# The module that draws, if a text had found a way to keep Mermaid busy for ever, or to speak in its place.
ENDLESS = "export async function draw() { for (;;); }"
FORGED = """export async function draw() {
  return {kind: 'pie', svg: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9"/>
    <script>parent.hit = 1</script><g onload="parent.hit = 2"/><image href="https://evil.example/x"/>
    <foreignObject><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject></svg>`};
}"""


def test_what_comes_out_of_the_sandbox_is_not_believed(watched: Watched) -> None:
    """Its own vocabulary holds, even if nothing in the sandbox does."""
    watched.site.files["late/drawing.js"] = FORGED.encode()
    watched.patch(1, *closed(FLOW, 1))
    button(watched).click()
    shown(block(watched))
    del watched.site.files["late/drawing.js"]
    assert drawer(watched).evaluate(FOUND.replace("drawn)", "parent.drawn)")) == []
    assert watched.foreign() == []


def test_a_drawing_that_never_ends_is_ended_and_the_page_goes_on(chromium: Browser, screen_site: Site) -> None:
    """In a browser that gives a sandbox a process of its own: the page types, and says what has happened."""
    screen_site.files["late/drawing.js"] = ENDLESS.encode()
    screen = Screen(chromium, screen_site)
    screen.page.clock.install()
    screen.goto("?c=c1").ready()
    screen.conversation(asked(), answer())
    screen.patch(1, *closed(FLOW, 1))
    button(screen).click()
    expect(block(screen)).to_have_attribute("aria-busy", "true")
    expect(screen.page.frame_locator("[data-part=drawer]").locator("iframe")).to_be_attached()
    field = screen.page.locator("textarea[name=prompt]")
    field.press_sequentially("typed meanwhile")
    expect(field).to_have_value("typed meanwhile")
    while screen.part("notice").is_hidden():  # the time of the budget, which begins again with each module
        screen.page.clock.run_for(3000)
    expect(screen.part("notice")).to_contain_text("took too long to draw")
    expect(screen.part("drawer")).to_have_count(0)
    expect(button(screen)).to_have_attribute("aria-pressed", "false")
    del screen_site.files["late/drawing.js"]
    # It is not tried again by itself, after a reload neither.
    assert len(screen.page.evaluate("JSON.parse(localStorage.getItem('midstream.drawing'))")) == 1
    screen.close()
