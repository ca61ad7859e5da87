"""The SSE codec: the WHATWG rules, cuts at every byte, hostile input."""

from __future__ import annotations

import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream import sse
from midstream.sse import Decoder, EventTooLarge, Message


def decode(data: bytes, size: int = 0) -> list[Message]:
    """At once, or in pieces of `size` bytes."""
    decoder = Decoder()
    step = size or max(len(data), 1)
    pieces = [data[start : start + step] for start in range(0, len(data), step)]
    return [message for piece in pieces for message in decoder.feed(piece)] + decoder.finish()


def messages(*data: str) -> list[Message]:
    return [Message(item) for item in data]


# (what it is, the bytes, the messages)
CASES: list[tuple[str, bytes, list[Message]]] = [
    ("whatwg: three lines", b"data: YHOO\ndata: +2\ndata: 10\n\n", messages("YHOO\n+2\n10")),
    (
        "whatwg: comment, id, and id reset",
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [Message("first event", id="1"), Message("second event", id=""), Message(" third event")],
    ),
    ("whatwg: empty data", b"data\n\ndata\ndata\n\ndata:\n", messages("", "\n")),
    ("whatwg: one space is dropped", b"data:test\n\ndata: test\n\n", messages("test", "test")),
    ("event types", b"event: add\ndata: 1\n\ndata: 2\n\n", [Message("1", "add"), Message("2")]),
    ("no data, no message", b"event: add\nid: 7\n\ndata: x\n\n", messages("x")),
    ("crlf", b"data: a\r\ndata: b\r\n\r\n", messages("a\nb")),
    ("cr", b"data: a\rdata: b\r\r", messages("a\nb")),
    ("mixed line ends", b"data: a\r\n\rdata: b\n\r\n", messages("a", "b")),
    ("byte order mark", b"\xef\xbb\xbfdata: a\n\n", messages("a")),
    ("only the first byte order mark", b"data: a\n\n\xef\xbb\xbfdata: b\n\n", messages("a")),
    ("comment between fields", b"data: a\n: hm\ndata: b\n\n", messages("a\nb")),
    (
        "heartbeat with one line end",
        b"id: 1-1\ndata: a\n\n: hb\nid: 1-2\ndata: b\n\n",
        [Message("a", id="1-1"), Message("b", id="1-2")],
    ),
    ("unknown fields", b"foo: 1\nDATA: 2\n data: 3\ndata: a\n\n", messages("a")),
    ("retry", b"retry: 10\ndata: a\n\n", [Message("a", retry=10)]),
    (
        "retry that is no number",
        b"retry: 1x\ndata: a\n\nretry: \xd9\xa1\ndata: b\n\n",
        messages("a", "b"),
    ),
    (
        "retry that is absurd",
        b"retry: " + b"9" * 400 + b"\ndata: a\n\n",
        [Message("a", retry=10**12 - 1)],
    ),
    ("id with NUL", b"id: a\0b\ndata: a\n\n", messages("a")),
    ("colon in the value", b"data: a: b:c\n\n", messages("a: b:c")),
    ("not UTF-8", b"data: \xff\xfe\xe4\xbd\n\n", messages("\ufffd\ufffd\ufffd")),
    ("cut sequence before a line end", b"data: \xf0\x9f\x98\ndata: b\n\n", messages("\ufffd\nb")),
    ("letters of all lengths", "data: aé你👩‍🚀\n\n".encode(), messages("aé你👩‍🚀")),
    (
        "other Unicode line ends are text",
        "data: a\u2028b\x85c\x0bd\n\n".encode(),
        messages("a\u2028b\x85c\x0bd"),
    ),
    ("an unfinished event is dropped", b"data: a\n\ndata: b\n", messages("a")),
    ("an unfinished line is dropped", b"data: a\n\ndata: b", messages("a")),
    ("nothing", b"", []),
    ("only line ends", b"\n\r\n\r\n\n", []),
]


@pytest.mark.parametrize(("data", "expected"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_a_stream_means_the_same_however_it_is_cut(data: bytes, expected: list[Message]) -> None:
    assert decode(data) == expected
    for size in (1, 2, 3, 7):
        assert decode(data, size) == expected
    for cut in range(len(data)):
        decoder = Decoder()
        assert decoder.feed(data[:cut]) + decoder.feed(data[cut:]) == expected


@given(st.binary(max_size=200), st.randoms(use_true_random=False))
def test_any_bytes_at_any_cuts(data: bytes, chance: random.Random) -> None:
    decoder, found, start = Decoder(), [], 0
    while start < len(data):
        size = chance.randint(1, 9)
        found += decoder.feed(data[start : start + size])
        start += size
    assert found == decode(data)


FIELDS = st.text(alphabet=st.characters(codec="utf-8"), max_size=40)
PLAIN = FIELDS.filter(lambda text: not set(text) & set("\r\n\0"))


@given(FIELDS, st.none() | PLAIN, st.none() | PLAIN.filter(bool), st.none() | st.integers(0, 10**9))
def test_what_is_encoded_is_decoded(data: str, id: str | None, event: str | None, retry: int | None) -> None:
    wire = sse.encode(data, id=id, event=event, retry=retry)
    (message,) = decode(wire)
    lines = data.replace("\r\n", "\n").replace("\r", "\n")
    assert message == Message(lines, event or "message", id, retry)


@pytest.mark.parametrize("name", ["id", "event"])
@pytest.mark.parametrize("value", ["1\ndata: forged", "1\rx", "1\0"])
def test_fields_cannot_be_forged(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        sse.encode("x", **{name: value})  # type: ignore[arg-type]


def test_data_cannot_forge_fields() -> None:
    (message,) = decode(sse.encode("a\n\nid: 999\r\revent: evil\n\ndata: b"))
    assert (message.id, message.event) == (None, "message")
    assert message.data == "a\n\nid: 999\n\nevent: evil\n\ndata: b"


def test_the_last_event_id_goes_on_as_whatwg_says() -> None:
    decoder = Decoder()
    decoder.feed(b"id: 1-5\ndata: a\n\ndata: b\n\n")
    assert decoder.last_event_id == "1-5"


# -- limits


@pytest.mark.parametrize(
    "endless",
    [
        b"data: " + b"x" * 50,
        b"x" * 60,
        b": " + b"x" * 60,
        b"data\n" * 20,
        b"event: e\n" * 20,
        b"data: a\rdata: " + b"y" * 50,
    ],
    ids=["a line", "a field name", "a comment", "empty data", "fields without end", "after CR"],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_event_over_the_limit_ends_the_decoder(endless: bytes, size: int) -> None:
    decoder = Decoder(max_event_bytes=50)
    found: list[Message] = []
    data = b"data: before\n\n" + endless
    with pytest.raises(EventTooLarge) as error:
        for start in range(0, len(data), size):
            found += decoder.feed(data[start : start + size])
    assert [*found, *error.value.messages] == messages("before")
    with pytest.raises(ValueError, match="new one"):
        decoder.feed(b"data: more\n\n")


def test_many_events_are_not_one_large_event() -> None:
    decoder = Decoder(max_event_bytes=20)
    assert len(decoder.feed(b"data: 0123456789\n\n" * 1000)) == 1000


def test_heartbeats_never_add_up() -> None:
    decoder = Decoder(max_event_bytes=50)
    assert decoder.feed(b"data: a\n" + b": heartbeat\n" * 1000 + b"\n") == messages("a")


def test_a_hostile_stream_holds_no_more_memory_than_the_limit() -> None:
    decoder = Decoder(max_event_bytes=1 << 20)
    chunk = b"x" * 65536
    tracemalloc.start()
    try:
        with pytest.raises(EventTooLarge):
            for _ in range(1000):
                decoder.feed(chunk)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
