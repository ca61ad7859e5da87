"""The body of an answer to a chat request, as servers really send it: bytes in, messages out.

A stream of events is the rule. Servers also send the whole answer as JSON where a stream was asked
for, events without their content type, errors as lines that are no events (`error: …`, bare JSON),
and a last event without its blank line.
"""

from __future__ import annotations

import json
import re

from midstream import json_text, sse
from midstream.errors import UpstreamBroken
from midstream.events import DONE, Other
from midstream.problems import problem, shortened
from midstream.providers.chat_payload import is_keep_alive, parse

__all__ = ["ChatBody", "NoAnswer"]

_LOOK = 64  # bytes that are enough to see what a body is
_BLANK = b" \t\r\n\xef\xbb\xbf"
_EVENT_LINE = re.compile(rb":|(data|event|id|retry|error)[:\r\n]")
_EVENT_NAMES = (b"data:", b"event:", b"id:", b"retry:", b"error:")


class NoAnswer(UpstreamBroken):
    """The body is something else than an answer: a web page, a file."""

    code = "no_answer"

    def __init__(self, kind: str) -> None:
        kind = shortened(kind)[:60]
        super().__init__(problem("endpoint_no_stream", kind=kind) if kind else problem("endpoint_no_kind"))
        self.kind = kind


class ChatBody:
    """`kind`: the content type. Each message's data is the payload of one event, `[DONE]`, or the
    whole answer. Raises `NoAnswer`, and `sse.EventTooLarge` (also for a whole answer)."""

    def __init__(self, kind: str = sse.KIND, limit: int = sse.MAX_EVENT_BYTES) -> None:
        self._kind = kind.partition(";")[0].strip().lower()
        self._limit = limit
        self._events = sse.Decoder(limit, strays=True)
        self._form = "events" if self._kind == sse.KIND else ""
        self._held: list[bytes] = []  # until the form is known, and the whole of JSON
        self._size = 0

    def feed(self, data: bytes) -> list[sse.Message]:
        if self._form == "events":
            return self._feed_events(data)
        self._hold(data)
        if not self._form:
            self._form = self._look(b"".join(self._held))
            if self._form == "events":
                held, self._held = b"".join(self._held), []
                return self.feed(held)
        return []

    def _feed_events(self, data: bytes) -> list[sse.Message]:
        try:
            return [_message(each) for each in self._events.feed(data)]
        except sse.EventTooLarge as error:
            error.messages = [_message(each) for each in error.messages]
            raise

    def finish(self) -> list[sse.Message]:
        """The body has ended in order: what an event without its blank line holds, or JSON."""
        if self._form == "events":
            return [message for each in self._events.rest() if _is_whole(message := _message(each))]
        whole = b"".join(self._held).strip(_BLANK)
        if whole and self._form != "json":
            raise NoAnswer(self._kind)
        return [self._whole(whole.decode("utf-8", "replace"))] if whole else []

    def _whole(self, text: str) -> sse.Message:
        if isinstance(parse(text)[0], Other):  # JSON of another kind: Ollama's own, a file
            raise NoAnswer(self._kind)
        return sse.Message(text)

    def _hold(self, data: bytes) -> None:
        self._held.append(data)
        self._size += len(data)
        if self._size > self._limit:
            raise sse.EventTooLarge(self._limit, [])

    def _look(self, start: bytes) -> str:
        """events or json; "" as long as too little is there to tell."""
        start = start.lstrip(_BLANK)[:_LOOK]
        if _EVENT_LINE.match(start):
            return "events"
        if start[:1] in (b"{", b"["):
            return "json"
        if any(name.startswith(start) for name in _EVENT_NAMES):
            return ""
        raise NoAnswer(self._kind)


def _message(message: sse.Message) -> sse.Message:
    """An error that is no chunk becomes a payload with an error; another line that is no event
    stays only when it is JSON."""
    data, name = message.data, message.event
    if name == sse.STRAY:
        word, colon, rest = data.partition(":")
        if colon and word.strip().lower() == "error":
            return sse.Message(_error_payload(rest.strip()))
        return sse.Message(data.strip() if _is_json(data) else "")
    if is_keep_alive(name):
        return sse.Message("", id=message.id)
    if name == "error" and data.strip() and data.strip() != DONE:
        return sse.Message(_error_payload(data), id=message.id)
    return message


def _error_payload(text: str) -> str:
    try:
        said = json_text.decode(text)
    except ValueError:
        said = text
    if isinstance(said, dict) and said.get("error"):
        return text
    return json.dumps({"error": said or "error"})


def _is_whole(message: sse.Message) -> bool:
    """A connection that was cut leaves half an event."""
    return message.data.strip() == DONE or _is_json(message.data)


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith("{"):
        return False
    try:
        json_text.decode(text)
    except ValueError:
        return False
    return True
