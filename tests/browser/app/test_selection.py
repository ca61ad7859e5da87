"""What a reader has selected and focused stays, and what stands does not move, from the first line to the end."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from tests.browser.chat import Chat
from tests.browser.home import Home
from tests.support.gate import Gate
from tests.support.processes import replay

CODE = "".join(f"def step_{n}(value):\n    return value + {n}  # the next one\n\n" for n in range(6))
ANSWER = (
    "First some words of **introduction**, so that there is something above.\n\n"
    f"```python\n{CODE}```\n\n- one\n- two\n\n| a | b |\n|---|---|\n| c | d |\n\n"
    + "".join(f"A paragraph, number {n}, with `code` in it.\n\n" for n in range(30))
    + "The last words."
)
PICK = """() => {
  const code = document.querySelector('pre > code');
  window.text = code.firstChild;
  code.focus();
  getSelection().setBaseAndExtent(text, 4, text, 10);
  window.moved = [];
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries()) for (const { node } of sources) {
      const element = node instanceof Element ? node : node?.parentElement;
      const block = element?.closest('[data-part=content] > *');
      const blocks = [...(block?.parentElement.children ?? [])];
      // The last block is being written; the one before it may just have been.
      if (block && blocks.indexOf(block) < blocks.length - 2) moved.push(`${value} ${element.outerHTML.slice(0, 120)}`);
    }
  }).observe({ type: 'layout-shift' });
}"""
KEPT = """() => [getSelection().toString(), getSelection().anchorNode === text,
  document.querySelector('pre > code').firstChild === text,
  document.activeElement === document.querySelector('pre > code'), window.moved]"""
COLOURED = "() => (CSS.highlights.get('code-keyword')?.size ?? 0) > 10"
SELECTED = "step_0"


def assert_kept(page: Page, when: str) -> None:
    assert page.evaluate(KEPT) == [SELECTED, True, True, True, []], when


def test_selection_and_focus_at_five_points(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "answer.md"
    file.write_text(ANSWER)
    page = home.context.new_page()
    with (
        replay(file, rate=400, chunk=6) as upstream,
        Gate(upstream) as gate,
        home.serve("--upstream", f"{gate.url}v1", "--store", "memory:") as app,
    ):
        chat = Chat(page, app.url).open()
        gate.allow(35)
        chat.send("code, please").until_seq(30)
        page.evaluate(PICK)
        page.evaluate("window.size = text.length")
        gate.allow(60)
        chat.until("() => text.length > size")
        assert_kept(page, "streaming")
        gate.allow(110)
        chat.until("() => document.querySelector('[data-part=content] ul')")
        assert_kept(page, "sealing")
        chat.until(COLOURED)
        assert_kept(page, "highlighting")
        home.line.refuse()
        home.line.abort()
        chat.until_state("reconnecting")
        gate.open()
        home.line.accept()
        chat.until_ended()
        assert_kept(page, "catching up")
        chat.until("() => document.querySelector('article[aria-busy=false]')")
        assert chat.text().endswith("The last words.")
        assert_kept(page, "finished")

        chat.reload()
        chat.until_painted()
        page.evaluate(PICK)
        chat.until_ready()
        chat.until(COLOURED)
        assert_kept(page, "after a reload, from the printed page on")
