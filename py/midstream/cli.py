"""`midstream serve | token | replay | render`.

Reads the options, says what is wrong with them in one line, and hands over.

Exit codes: 0 ended as asked, 2 a wrong option or value, 1 everything else. Each command imports
what it needs, so that `render` works without the gateway's packages.
"""

from __future__ import annotations

import argparse
import importlib
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

from midstream.errors import MachineError, MidstreamError, UsageError
from midstream.names import ON_DISCONNECT

T = TypeVar("T", int, float)


class _Parser(argparse.ArgumentParser):
    """Wrong options in one line; the usual two or more hide what is wrong."""

    def error(self, message: str) -> NoReturn:
        words = " ".join(message.split()).rstrip(".")
        self.exit(2, f"{self.prog}: {words}. See `{self.prog} --help`.\n")


def main(arguments: Sequence[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        options = parser(arguments[0] if arguments else "").parse_args(arguments)
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)
    except MidstreamError as error:
        print(f"midstream: {error.line()}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `midstream render | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def parser(command: str = "") -> argparse.ArgumentParser:
    """All commands; `render` gets its options, and so its imports, only when it is the command."""
    whole = _Parser(prog="midstream", description="Chat with language models, nothing lost.")
    commands = whole.add_subparsers(metavar="COMMAND", required=True, title="commands")
    serve = commands.add_parser("serve", help="serve the app and the gateway")
    _serve_options(serve)
    serve.set_defaults(command=_serve)
    replay = commands.add_parser("replay", help="an upstream that streams a file, for trying out")
    _replay_options(replay)
    replay.set_defaults(command=_replay)
    token = commands.add_parser("token", help="who may use a gateway with --auth token")
    _token_actions(token)
    token.set_defaults(command=_token)
    render = commands.add_parser("render", help="stream Markdown through the parser, print HTML")
    if command == "render":
        renderer = importlib.import_module("midstream.render")
        renderer.add_arguments(render)
        render.set_defaults(command=renderer.run)
    return whole


def _number(kind: type[T], low: float, high: float) -> Callable[[str], T]:
    def read(text: str) -> T:
        try:
            value = kind(text)
        except ValueError:
            value = kind(0)
            ok = False
        else:
            ok = math.isfinite(value) and low <= value <= high
        if not ok:
            what = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"must be {what} from {low:g} to {high:g}, not {text!r}")
        return value

    return read


def _host_name(text: str) -> str:
    """A name with a port would match no request, since the port is not compared."""
    bracketed = text.startswith("[") and text.endswith("]")
    if not text or "/" in text or (":" in text and not bracketed and text.count(":") == 1):
        raise argparse.ArgumentTypeError(f"must be a name without scheme and port, not {text!r}")
    return text.strip("[]")


def _serve_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--port", type=_number(int, 0, 65535), default=8765, help="0 takes a free one (%(default)s)")
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--workers", type=_number(int, 1, 64), default=1, help="processes (%(default)s)")
    add("--store", help="sqlite:PATH, redis://HOST/DB or memory: (a SQLite file of this user)")
    add("--upstream", metavar="URL", help="OpenAI-compatible base URL of the model's server")
    add("--upstream-key-env", metavar="NAME", help="variable that holds the upstream's key")
    add("--model", help="local, demo, or the upstream's name for a model (local)")
    add("--model-file", metavar="FILE", help="GGUF file of the local model")
    add("--direct", metavar="URL", help="the page talks to that endpoint itself, no gateway")
    add("--static-only", action="store_true", help="only the app's files")
    add("--dist", metavar="PATH", help="the built app (dist/)")
    add(
        "--allow-host",
        type=_host_name,
        metavar="NAME",
        action="append",
        default=[],
        help="further name of this server, with any port",
    )
    add(
        "--allow-origin",
        metavar="ORIGIN",
        action="append",
        default=[],
        help="origin of foreign pages",
    )
    add("--auth", choices=("none", "token"), help="who may use it; must be said where other machines reach it (none)")
    add("--tokens", metavar="FOLDER", help="where the tokens are (a folder of this user)")
    add(
        "--limit",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="size, number or seconds, like event=64M or silence=900 (docs/gateway.md has the names)",
    )
    add(
        "--on-disconnect",
        choices=ON_DISCONNECT,
        default="continue",
        help="of a run, when the program that began it closes its connection (%(default)s)",
    )


def _token_actions(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True, title="actions", dest="action")
    for action, words in (("add", "make one and show it, once"), ("list", "show the names"), ("revoke", "end one")):
        own = actions.add_parser(action, help=words)
        if action != "list":
            own.add_argument("name", metavar="NAME", help="its owner in the gateway")
        own.add_argument("--tokens", metavar="FOLDER", help="where the tokens are (a folder of this user)")


def _replay_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", metavar="FILE", help="UTF-8 text to answer with")
    add("--port", type=_number(int, 0, 65535), default=8766, help="0 takes a free one (%(default)s)")
    rate = _number(float, 0, 1e6)
    add("--rate", type=rate, default=30.0, metavar="TOKENS_PER_S", help="0: no pace (%(default)s)")
    chunk = _number(int, 1, 1_000_000)
    add("--chunk", type=chunk, default=4, metavar="N", help="characters per token (%(default)s)")


def _serve(options: argparse.Namespace) -> int:
    with _gateway_packages():
        from midstream.gateway import serve_command
    return serve_command.serve(options)


def _token(options: argparse.Namespace) -> int:
    from midstream.gateway import token_command

    return token_command.run(options)


def _replay(options: argparse.Namespace) -> int:
    with _gateway_packages():
        from midstream.gateway import addresses, server
        from midstream.gateway.replay import create_replay, cut
    try:
        text = Path(options.file).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"Cannot read {options.file}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{options.file} is not UTF-8 text.") from None
    server.configure_logging()
    with server.listen("127.0.0.1", options.port) as listener:
        # On stderr: standard output belongs to the JSON lines.
        url = f"{addresses.urls_of(listener)[0]}v1"
        print(f"Midstream replay: {url}", file=sys.stderr, flush=True)
        with server.until_signal():
            server.serve_app(create_replay(cut(text, options.chunk), options.rate), listener)
    return 0


class _gateway_packages:
    """A missing package of the `gateway` extra, in words."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ModuleNotFoundError) and not str(error.name).startswith("midstream"):
            raise MachineError(
                f"This command needs the package {error.name}.",
                hint="pip install 'midstream[gateway]'",
            ) from error


if __name__ == "__main__":
    sys.exit(main())
