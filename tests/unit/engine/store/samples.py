"""Sound records of one conversation, as the store has them."""

from __future__ import annotations

from midstream.journal import Record, Row
from midstream.markdown import Parser

ENDPOINT = {"name": "Demo", "kind": "demo", "url": "", "model": "", "note": "", "options": {}}
CONVERSATION = {"id": "c1", "title": "Tides", "created": 1, "updated": 2}
QUESTION = {
    "id": "u1",
    "conversation": "c1",
    "position": 0,
    "author": "user",
    "text": "How?",
    "state": "complete",
    "created": 1,
    "runs": [],
}
RUN = {"key": "k", "run": None, "endpoint": ENDPOINT}
ANSWER = {
    "id": "a1",
    "conversation": "c1",
    "position": 1,
    "author": "assistant",
    "state": "streaming",
    "created": 1,
    "parser": 1,
    "question": "u1",
    "runs": [RUN],
}


def rows_of(*texts: str, message: str = "a1") -> list[Record]:
    parser = Parser()
    return [
        Row(message, n, 0, n, n, words, tokens=1, ops=parser.feed(words)).record() for n, words in enumerate(texts, 1)
    ]


ROWS = rows_of("# One\n\n", "two *th", "ree*")
