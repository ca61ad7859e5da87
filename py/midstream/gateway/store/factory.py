"""`--store` in words: `memory:`, `sqlite:PATH`, `redis://HOST/DB`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from midstream.errors import UsageError
from midstream.gateway.config import data_directory
from midstream.gateway.store.interface import RunStore
from midstream.gateway.store.memory import MemoryRunStore
from midstream.gateway.store.sqlite import SQLiteRunStore


def default_store() -> str:
    return f"sqlite:{data_directory() / 'log.db'}"


def make_store(spec: str) -> RunStore:
    """A store that is not open yet. UsageError when the words make no sense."""
    scheme, colon, rest = spec.partition(":")
    if scheme == "memory" and colon and not rest:
        return MemoryRunStore()
    if scheme == "sqlite" and rest:
        path, _, query = rest.partition("?")
        if path and query in ("", "sync=full"):
            return SQLiteRunStore(Path(path).expanduser(), full_sync=bool(query))
    if scheme in ("redis", "rediss", "unix") and rest.startswith("//"):
        return _redis(spec)
    raise UsageError(
        f"--store must be sqlite:PATH, redis://HOST/DB or memory:, not {spec!r}.",
    )


def _redis(url: str) -> RunStore:
    try:
        parts = urlsplit(url)
        parse_qs(parts.query, strict_parsing=bool(parts.query))
        if parts.port == 0:
            raise ValueError
        from midstream.gateway.store.redis import RedisRunStore
    except ValueError:
        raise UsageError(f"--store: {url!r} is not a Redis URL.") from None
    except ImportError:
        raise UsageError("--store redis:// needs the redis package.", hint="pip install 'midstream[redis]'") from None
    return RedisRunStore(url)
