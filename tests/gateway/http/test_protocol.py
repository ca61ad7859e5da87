"""PROTOCOL.md says how it is: its exchanges are run, in their order, against one gateway."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from midstream.gateway.config import Limits
from midstream.gateway.runs.writer import DELAY
from midstream.gateway.store.interface import LEASE, RENEW
from midstream.gateway.upstream.passed_headers import PassedHeaders
from midstream.gateway.upstream.sources import DemoUpstream
from tests.gateway.live import live

pytestmark = pytest.mark.anyio

PROTOCOL = Path(__file__).parents[3] / "PROTOCOL.md"


@dataclass
class Exchange:
    """`>` and `<` lines of one request and its answer, and where they stand."""

    line: int
    sent: list[str]
    received: list[str]

    def split(self, lines: list[str]) -> tuple[list[str], str]:
        """Head lines and body."""
        place = lines.index("") if "" in lines else len(lines)
        return lines[:place], "\n".join(lines[place + 1 :])


def exchanges() -> Iterator[Exchange]:
    lines = PROTOCOL.read_text().splitlines()
    inside, found = False, Exchange(0, [], [])
    for number, line in enumerate(lines, 1):
        if line.startswith("```"):
            inside = line == "```http"
        if inside and line[:1] == ">":
            if not found.sent:
                found.line = number
            found.sent.append(line[2:])
        elif inside and line[:1] == "<":
            found.received.append(line[2:])
        elif found.received:
            yield found
            found = Exchange(0, [], [])


class SlowForTheSlow(DemoUpstream):
    """The script at once, but one token per second to whoever asks for it slowly."""

    async def payloads(self, body: bytes, passed: PassedHeaders | None = None) -> AsyncGenerator[str, None]:
        self._rate = 1.0 if b"slowly" in body else 0.0
        async for payload in super().payloads(body, passed):
            yield payload


class Values(dict[str, str]):
    """What the names in braces stand for, filled as they are met."""

    def fill(self, text: str) -> str:
        return re.sub(r"\{(run|slow)\}", lambda match: self[match[1]], text)

    def match(self, pattern: str, text: str) -> bool:
        source = "".join(self._source(part) for part in re.split(r"(…|\{(?:run|slow)\})", pattern))
        found = re.fullmatch(source, text, re.DOTALL)
        self.update(found.groupdict() if found else {})
        return found is not None

    def _source(self, part: str) -> str:
        name = part[1:-1]
        if part == "…":
            return ".*?"
        if part not in ("{run}", "{slow}"):
            return re.escape(part)
        return self.get(name, f"(?P<{name}>[0-9a-f]{{32}})")


async def body_of(response: httpx.Response, wanted: str) -> str:
    """All of it, or of a stream that goes on for ever its beginning."""
    if not wanted.endswith("…"):
        return (await response.aread()).decode()
    async for text in response.aiter_text():
        return text
    return ""


async def test_every_exchange_happens_as_written() -> None:
    values = Values()
    count = 0
    async with live(upstream=SlowForTheSlow(0), limits={"first_word": 5.0}) as gateway:
        for exchange in exchanges():
            (first, *headers), body = exchange.split(exchange.sent)
            (status, *expected), wanted = exchange.split(exchange.received)
            method, path = values.fill(first).split(" ")
            given = dict(header.split(": ", 1) for header in headers)
            request = {"headers": given, "content": body.encode() if body else None}
            async with gateway.client.stream(method, path, **request) as response:  # type: ignore[arg-type]
                place = f"PROTOCOL.md:{exchange.line}"
                assert response.status_code == int(status), place
                for header in expected:
                    name, value = header.split(": ", 1)
                    assert values.match(value, response.headers[name]), (place, header)
                text = await body_of(response, wanted)
                assert values.match(wanted, text.rstrip("\n")), (place, wanted, text[-2000:])
            count += 1
    assert count == 17


def test_the_figures_are_the_real_ones() -> None:
    text = " ".join(PROTOCOL.read_text().split())
    limits = Limits()
    for words in (
        f"a lease of {LEASE:.0f} s and renews it every {RENEW:.0f} s",
        f"Every {limits.heartbeat:.0f} s without an event",
        f"wait up to {DELAY * 1000:.0f} ms",
        f"kept for {limits.keep / 86400:.0f} days",
    ):
        assert words in text
    assert limits.first_word == 0.5
    assert "within half a second" in text
