"""Draws web/icons/*.png from the SVG sources beside them: run it after changing one of those.

python -m tests.browser.pictures.icons
"""

from __future__ import annotations

import base64
import shutil
import struct
import zlib
from collections import Counter
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ICONS = Path(__file__).parents[3] / "web" / "icons"
# Source, size, name. What iOS puts on its home screen must be opaque and square: it cuts the corners itself.
DRAWN = [
    ("icon", 192, "icon-192"),
    ("icon", 512, "icon-512"),
    ("maskable", 192, "maskable-192"),
    ("maskable", 512, "maskable-512"),
    ("maskable", 180, "apple-touch-icon"),
    ("new", 192, "new-192"),
]
PIXELS = """
async ([svg, size]) => {
  const image = new Image(size, size);
  image.src = 'data:image/svg+xml;base64,' + btoa(svg);
  await image.decode();
  const context = new OffscreenCanvas(size, size).getContext('2d');
  context.drawImage(image, 0, 0, size, size);
  const { data } = context.getImageData(0, 0, size, size);
  let bytes = '';
  for (const byte of data) bytes += String.fromCharCode(byte);
  return btoa(bytes);
}
"""


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        for source, size, name in DRAWN:
            target = ICONS / f"{name}.png"
            target.write_bytes(png(pixels(page, source, size), size))
            print(f"{target}: {target.stat().st_size} bytes")
        browser.close()


def pixels(page: Page, source: str, size: int) -> bytes:
    svg = (ICONS / f"{source}.svg").read_text()
    return base64.b64decode(page.evaluate(PIXELS, [svg, size]))


def png(rgba: bytes, size: int) -> bytes:
    """With a palette: a third of what a browser makes of such a drawing."""
    pixels = [rgba[at : at + 4] for at in range(0, len(rgba), 4)]
    # The areas keep their colours; those of their soft edges are rounded, which nobody sees.
    areas = {colour for colour, _ in Counter(pixels).most_common(4)}
    drawn = [pixel if pixel in areas else rounded(pixel) for pixel in pixels]
    places = {colour: place for place, colour in enumerate(sorted(set(drawn)))}
    lines = [b"\0" + bytes(places[colour] for colour in drawn[at : at + size]) for at in range(0, len(drawn), size)]
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 3, 0, 0, 0)),
        (b"PLTE", b"".join(colour[:3] for colour in places)),
        (b"tRNS", bytes(colour[3] for colour in places)),
        (b"IDAT", zlib.compress(b"".join(lines), 9)),
        (b"IEND", b""),
    ]
    if all(colour[3] == 255 for colour in places):  # iOS wants a picture that cannot be seen through
        del parts[2]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, content) for kind, content in parts)


def rounded(colour: bytes) -> bytes:
    return bytes(min(255, (part + 4) // 8 * 8) for part in colour)


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


if __name__ == "__main__":
    main()
