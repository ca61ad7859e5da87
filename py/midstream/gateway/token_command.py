"""`midstream token add NAME | list | revoke NAME`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from midstream.gateway.tokens import Tokens, default_folder


def run(options: argparse.Namespace) -> int:
    tokens = Tokens(Path(options.tokens) if options.tokens else default_folder())
    if options.action == "add":
        _add(tokens, options.name)
    elif options.action == "revoke":
        tokens.revoke(options.name)
        _explain(f"{options.name} is signed out everywhere. What is stored under this name stays.")
    else:
        for token in tokens.listed():
            print(f"{token.name}\t{time.strftime('%Y-%m-%d', time.localtime(token.created))}")
    return 0


def _add(tokens: Tokens, name: str) -> None:
    print(tokens.add(name))
    _explain("This is the only time that the token is shown.")


def _explain(words: str) -> None:
    """On stderr: standard output is for programs."""
    print(words, file=sys.stderr)
