"""`midstream render`: Markdown streamed through the parser, printed as HTML or as patches.

The HTML is made by replaying the patches into the reference tree, never by another way, so that
what is printed is what a screen would show after the same pieces.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from midstream.errors import UsageError
from midstream.markdown import Parser
from midstream.markdown.html import render
from midstream.markdown.policy import POLICIES
from midstream.patch import SAFE, Op, Tree, opened, pack

_LONGEST_CUT = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    cuts = parser.add_mutually_exclusive_group()
    cuts.add_argument("--chunk", type=_count, default=0, metavar="N", help="characters per piece, 0 = at once")
    cuts.add_argument("--seed", type=int, metavar="S", help=f"random pieces of 1 to {_LONGEST_CUT} characters")
    parser.add_argument(
        "--policy",
        choices=list(POLICIES),
        default="safe",
        help="safe = what the screen shows (default); spec = what CommonMark prescribes, with the GFM "
        "extensions that contradict none of it; gfm = with bare URLs, mail addresses and the tag filter too; "
        "marked = gfm without the tag filter",
    )
    parser.add_argument("--format", choices=["html", "patches"], default="html")
    parser.add_argument(
        "--jsonl",
        action="store_true",
        help='read one {"markdown": …} per line, print one {"html": …, "ms": …} per line',
    )
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="- = standard input")


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 on, not {text!r}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Carry out the command; UsageError when the input is unusable."""
    if args.jsonl and args.format == "patches":
        raise UsageError("--jsonl prints HTML.", hint="Leave --format patches out.")
    text = _read(args.file)
    if not args.jsonl:
        sys.stdout.write(_patches(text, args) if args.format == "patches" else _html(text, args))
        return 0
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            _record(_markdown(line, number), args)
    return 0


def _record(text: str, args: argparse.Namespace) -> None:
    begun = time.perf_counter()
    html = _html(text, args)
    ms = round((time.perf_counter() - begun) * 1000, 3)
    print(json.dumps({"html": html, "ms": ms}), flush=True)


def _read(name: str) -> str:
    """The text of a file or of standard input, without translating line ends."""
    shown = "standard input" if name == "-" else name
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return data.decode("utf-8")
    except OSError as error:
        raise UsageError(f"Cannot read {shown}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"Cannot read {shown}: not UTF-8 (byte {error.start}).") from error


def _markdown(line: str, number: int) -> str:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"Line {number} of the input is not JSON.") from error
    if not isinstance(record, dict) or not isinstance(record.get("markdown"), str):
        raise UsageError(f'Line {number} of the input is no object with a "markdown" string.')
    text: str = record["markdown"]
    return text


def pieces(text: str, chunk: int = 0, seed: int | None = None) -> Iterator[str]:
    """Cut a text: every `chunk` characters, or at random with a seed, or not at all."""
    chance = random.Random(seed)
    at = 0
    while at < len(text):
        size = chance.randint(1, _LONGEST_CUT) if seed is not None else chunk or len(text)
        yield text[at : at + size]
        at += size


def stream(parser: Parser, parts: Iterable[str]) -> Iterator[list[Op]]:
    """The ops of every piece, then those of the end."""
    for part in parts:
        yield parser.feed(part)
    yield parser.finish()


def _html(text: str, args: argparse.Namespace) -> str:
    tree = Tree(SAFE if args.policy == "safe" else None)
    for ops in stream(Parser(args.policy), pieces(text, args.chunk, args.seed)):
        tree.apply(ops)
    return render(tree, args.policy)


def _patches(text: str, args: argparse.Namespace) -> str:
    out, n, newest = [], 0, 0
    for ops in stream(Parser(args.policy), pieces(text, args.chunk, args.seed)):
        if ops:
            n += 1
            patch = {"n": n, "packed": pack(ops, newest)}
            newest += opened(ops)
            out.append(json.dumps(patch, ensure_ascii=False, separators=(",", ":")))
    return "".join(line + "\n" for line in out)
