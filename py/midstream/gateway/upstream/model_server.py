"""The local model as a process of its own: `python -m midstream.gateway.upstream.model_server`.

A process, because a crash in native code takes its process along. It reads one line of JSON
(`Order`) from its standard input, answers with one line (`{"url": …}` or `{"error": …}`), and
lives until its standard input ends: the system closes that with the parent, however the parent
dies.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Order:
    """What to serve: a GGUF file under the name `model`, to whoever has `key`."""

    file: str
    model: str
    key: str
    threads: int
    context: int = 4096  # tokens
    answer: int = 512  # tokens, when the request names no maximum

    def to_line(self) -> str:
        return json.dumps(asdict(self)) + "\n"


def serve(order: Order) -> Any:
    """Starts the server on a free loopback port; it stops when the result is let go."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = order.file
    params.model_alias = {order.model}  # else the file's path is shown as the model
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [order.key]
    params.cors_origins = "http://127.0.0.1"  # the default reflects every origin
    params.ui = False
    params.n_ctx = order.context
    params.n_parallel = 1
    params.n_predict = order.answer
    params.cpuparams.n_threads = order.threads
    params.cpuparams_batch.n_threads = order.threads
    params.sampling.temp = 0.5
    params.sampling.penalty_repeat = 1.1  # without it so small a model repeats itself for ever
    return xllamacpp.Server(params)


def main() -> None:
    # Native code writes to standard output as it likes: keep the real one for our one line.
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        order = Order(**json.loads(sys.stdin.readline()))
        server = serve(order)
        answer.write(json.dumps({"url": server.listening_address}) + "\n")
    except Exception as error:  # whatever the engine raises, the parent says it in words
        answer.write(json.dumps({"error": f"{error}"}) + "\n")
        answer.flush()
        os._exit(1)
    answer.flush()
    sys.stdin.read()
    os._exit(0)  # at once: an orderly end would first finish the answer that is being written


if __name__ == "__main__":
    main()
