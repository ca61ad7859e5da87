"""The modes of asking an endpoint to continue an answer: a trial finds the one that works."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from midstream.errors import UpstreamRefused
from midstream.problems import problem
from midstream.providers.openai import CONTINUE_MODES, continue_request
from midstream.seam import join

# "This request cannot be": for a probe, that its way to continue is not there. Anything else (no
# key, too many requests, a server that is down) says nothing about it and must not be remembered.
_NOT_SUPPORTED = frozenset({400, 404, 415, 422, 501})

# A greeting is not answered with these words, so a model that begins an answer of its own is seen,
# and only the rest of the word proves that its turn was left open.
_QUESTION = "Hello!"
_PARTIAL = "My neighbour always comes to see me on Wednes"
_REST = "day"

# Enough for the rest of the word, too few to say the sentence anew: an echo that reaches the rest
# is the server's (llama.cpp puts the prefix into an answer without a stream), not the model's.
_MAX_TOKENS = 4


async def mode_of(ask: Callable[[dict[str, Any]], Awaitable[tuple[int, str]]], model: str) -> str:
    """The first mode of `CONTINUE_MODES` that really goes on in the middle of a word, else "ask".

    `ask` sends the body of a request without a stream and gives the HTTP status and the text of
    the first choice. It is called once for each mode that is tried. Raises UpstreamRefused when a
    status says nothing about the mode; errors of `ask` go through.
    """
    for mode in CONTINUE_MODES:
        if mode == "ask":
            break
        status, text = await ask(_probe(mode, model))
        if 200 <= status < 300:
            if _goes_on(text):
                return mode
        elif status not in _NOT_SUPPORTED:
            raise UpstreamRefused(problem("endpoint_refused", status=status), status=status)
    return "ask"


def _probe(mode: str, model: str) -> dict[str, Any]:
    body = continue_request(
        [{"role": "user", "content": _QUESTION}],
        _PARTIAL,
        mode=mode,
        model=model,
        stream=False,
        temperature=0,
        max_tokens=_MAX_TOKENS,
    )
    del body["stream_options"]  # OpenAI answers 400 to it in a request without a stream
    return body


def _goes_on(text: str) -> bool:
    joint = join(_PARTIAL, text, True)
    # An overlap ("Wednesday.") is a turn of its own that happens to begin with the word.
    if joint is None or joint.kind not in ("exact", "echo"):
        return False
    return text[joint.skip :].startswith(_REST)
