"""Draws web/icons/*.png from the SVG sources beside them: run it after changing one of those.

python tests/browser/render_icons.py
"""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

ICONS = Path(__file__).parents[2] / "web" / "icons"
SIZES = (192, 512)


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        for name in ("icon", "maskable"):
            svg = (ICONS / f"{name}.svg").read_text()
            for size in SIZES:
                page.set_viewport_size({"width": size, "height": size})
                page.set_content(f"<style>body{{margin:0}} svg{{display:block}}</style>{svg}")
                page.screenshot(path=ICONS / f"{name}-{size}.png", omit_background=True)
        browser.close()


if __name__ == "__main__":
    main()
