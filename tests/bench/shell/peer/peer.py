import asyncio

import mistletoe
from polyscript import xworker

from midstream.markdown import Parser


async def main() -> None:
    # Only now is somebody listening; the wait is not Python's.
    await asyncio.sleep(0)
    xworker.postMessage(len(Parser().feed("*a*")) + len(mistletoe.markdown("*a*")))


asyncio.ensure_future(main())  # noqa: RUF006 - the script's own loop waits for nothing else
