"""Every state of an answer as the screen has it: what the line says, which buttons stand there, what is spoken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

# What is said in each is tested without a page (tests/node/status.test.js); here, that the page says it.
TABLE = json.loads((Path(__file__).parents[3] / "node/data/answer_states.json").read_text())
NUMBERS: dict[str, Any] = TABLE["numbers"]
SERVER = "214 tokens saved here; the server keeps writing."


class Row(NamedTuple):
    """One way to be in a state: how it is reached, and what is then shown and spoken."""

    state: str
    numbers: dict[str, Any]  # beside NUMBERS
    words: str
    buttons: list[str]
    spoken: str  # politely; "!" before it: at once
    before: str
    text: bool  # the answer has some already
    details: str


ROWS = [Row(**row) for row in TABLE["rows"]]
