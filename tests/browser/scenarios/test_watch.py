"""The watch can fail: it sees what is missing for one frame only."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.scenarios.watch import View


def test_the_watch_sees_what_is_missing_for_one_frame(page: Page) -> None:
    view = View()
    view.watch(page)
    page.goto("about:blank")
    page.evaluate(
        """async () => {
          const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
          document.body.innerHTML =
            '<article data-author="assistant"><p data-part="content"></p></article>';
          const content = document.querySelector('p');
          const show = async (text) => { content.textContent = text; await frame(); };
          await show('w1 w2 w3 w4 w');
          await show('w1 w2 w4 w5 w');
          await show('w1 w2 w3 w4 w5 w5 w');
          content.hidden = true;
          await frame();
        }"""
    )
    assert view.holes()[-1] == 5
    assert max(view.holes()[:-1]) == 1
    assert view.twice() == {5}
