"""The body of an answer as servers send it, however the network cuts it, and how the answer then ends."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from midstream import sse
from midstream.events import DONE, Event
from midstream.progress import Progress
from midstream.providers import openai
from midstream.providers.body import ChatBody, NoAnswer
from midstream.session import content

WORD = '{"choices": [{"index": 0, "delta": {"content": "hé😀"}, "finish_reason": null}]}'
STOP = '{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}'
WHOLE = json.dumps(
    {"choices": [{"message": {"content": "hé😀"}, "finish_reason": "stop"}]}, ensure_ascii=False, indent=1
)
ERROR = '{"error": {"message": "boom"}}'


def read(pieces: Iterable[bytes], kind: str = sse.KIND, *, cut: bool = False) -> tuple[str, str]:
    """The state in which the answer ends, and its text. `cut`: the connection breaks after the pieces."""
    body, progress = ChatBody(kind), Progress()
    text = ""

    def take(messages: list[sse.Message]) -> bool:
        nonlocal text
        for message in messages:
            if message.data.strip() == DONE:
                return False
            events: list[Event] = openai.parse(message.data)
            if progress.take(events):
                text += content(tuple(events))[0]
        return True

    if all(take(body.feed(piece)) for piece in pieces) and not cut:
        take(body.finish())
    return progress.state(cut=cut), text


def lines(*payloads: str, end: str = "\n", before: str = "data: ") -> bytes:
    return "".join(f"{before}{payload}{end}{end}" for payload in payloads).encode()


WIRES = {
    "plain": (lines(WORD, STOP, DONE), "completed"),
    "crlf": (lines(WORD, STOP, DONE, end="\r\n"), "completed"),
    "cr": (lines(WORD, STOP, end="\r"), "completed"),
    "no space": (lines(WORD, STOP, before="data:"), "completed"),
    "byte order mark": (b"\xef\xbb\xbf" + lines(WORD, STOP), "completed"),
    "comments": (b": hm\n\n" + lines(WORD) + b":\n" + lines(STOP), "completed"),
    "names and ids": (lines(WORD, STOP, before="event: x\nid: 7\nretry: 1\ndata: "), "completed"),
    "no blank line at the end": (lines(WORD, STOP)[:-2], "completed"),
    "JSON": (WHOLE.encode(), "completed"),
    "an error": (lines(WORD, ERROR), "failed"),
    "an error line": (lines(WORD) + f"error: {ERROR}\n".encode(), "failed"),
    "bare JSON error": (lines(WORD) + ERROR.encode(), "failed"),
    "bare JSON error on lines": (lines(WORD) + json.dumps(json.loads(ERROR), indent=1).encode(), "failed"),
    "an error event": (lines(WORD) + b"event: error\ndata: boom\n\n", "failed"),
    "garbage": (lines(WORD, "hm", STOP, DONE), "failed"),
    "a heartbeat": (lines(WORD) + b"event: heartbeat\ndata: alive\n\n" + lines(STOP), "completed"),
    "garbage between": (lines("hm", WORD, STOP, DONE), "completed"),
}
KINDS = [sse.KIND, "", "text/plain", "application/json", "application/octet-stream"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", WIRES)
def test_a_cut_between_any_two_bytes_changes_nothing(name: str, kind: str) -> None:
    wire, state = WIRES[name]
    assert read([wire], kind) == (state, "hé😀")
    assert read((wire[n : n + 1] for n in range(len(wire))), kind) == (state, "hé😀")
    for at in range(len(wire)):
        assert read([wire[:at], wire[at:]], kind) == (state, "hé😀"), at


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize(
    "name", [name for name, (_, state) in WIRES.items() if state == "completed" and name != "JSON"]
)
def test_an_answer_that_ends_early_is_never_called_complete(name: str, cut: bool) -> None:
    """At whatever byte, in order or not: the finish has to be there, and nothing is made up."""
    wire, _ = WIRES[name]
    finish = wire.index(STOP.encode()) + len(STOP)
    for at in range(len(wire)):
        if not wire[:at].strip(b"\xef\xbb\xbf"):
            continue
        state, text = read([wire[:at]], cut=cut)
        assert text in ("", "hé😀")
        if state == "completed":
            assert at >= finish
        elif name != "garbage between":
            assert state == ("interrupted" if text else "failed"), at
        assert cut or state == "completed" or at < finish


@pytest.mark.parametrize("cut", [False, True])
def test_a_whole_answer_that_ends_early_has_no_text(cut: bool) -> None:
    wire = WHOLE.encode()
    for at in range(1, len(wire)):
        assert read([wire[:at]], "application/json", cut=cut) == ("failed", ""), at


@pytest.mark.parametrize("kind", ["text/html", "application/x-ndjson", "text/plain", "", "image/png"])
@pytest.mark.parametrize("body", [b"<html>", b"hello", b"dates: 1", b"\x89PNG", b'{"message":{"content":"hi"}}'])
def test_what_is_no_answer_is_said_to_be_none(kind: str, body: bytes) -> None:
    with pytest.raises(NoAnswer) as error:
        read([body], kind)
    assert error.value.kind == kind


def test_a_body_without_an_end_is_cut_off() -> None:
    for kind, start in ((sse.KIND, b"data: "), ("application/json", b"{"), (sse.KIND, b"stray")):
        body = ChatBody(kind, 1000)
        with pytest.raises(sse.EventTooLarge):
            for _ in range(100):
                body.feed(start + b"x" * 20)
                start = b""
