"""`python3 build.py bench`: every benchmark in one run, as JSON and plots in bench/results/.

Figures are ratios beside a peer or a floor of the same run; absolute times belong to the machine.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench import gateway_bench, markdown_bench, reading_bench, shell_bench
from tooling.places import HERE
from tooling.setup import npm

PROJECT = Path(__file__).resolve().parents[2]
RESULTS = PROJECT / "bench" / "results"


def main() -> int:
    parser = argparse.ArgumentParser(prog="build.py bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    parser.add_argument("what", nargs="?", choices=BENCHMARKS, help="all by default")
    options = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name in [options.what] if options.what else BENCHMARKS:
        BENCHMARKS[name](options.quick)
    print(f"\nwritten to {RESULTS.relative_to(PROJECT)}/")
    return 0


def markdown(quick: bool) -> None:
    written = RESULTS / "markdown.json"
    arguments = ["--out", str(written), "--node", str(npm.node(HERE))]
    markdown_bench.main([*arguments, "--quick"] if quick else arguments)
    for name, figures in json.loads(written.read_text()).items():
        if figures:
            plot(name, figures)


def gateway(quick: bool) -> None:
    title = "gateway, beside its floors (milliseconds; readers: deliveries per second)"
    report("gateway", title, gateway_bench.measure(quick))


def shell(quick: bool) -> None:
    title = "the page's start, beside its peers (ms, bytes, marks of 100)"
    report("shell", title, shell_bench.measure(quick))


def reading(quick: bool) -> None:
    title = "a long conversation, beside an empty page (ms, frames per second)"
    report("reading", title, reading_bench.measure(quick))


def report(name: str, title: str, figures: dict[str, Any]) -> None:
    written = json.dumps(figures, indent=1) + "\n"
    (RESULTS / f"{name}.json").write_text(written, encoding="utf-8")
    print(f"\n{title}")
    for each, row in figures.items():
        print(f"  {each:12}{json.dumps(row)}")


BENCHMARKS: dict[str, Callable[[bool], None]] = {
    "markdown": markdown,
    "gateway": gateway,
    "shell": shell,
    "reading": reading,
}


def plot(name: str, figures: dict[str, Any]) -> None:
    """Time per KB over the size of the document, a line per kind, with mistletoe at once beside it."""
    import matplotlib as mpl  # here: the gateway's figures are JSON alone

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    for kind, rows in figures["kinds"].items():
        sizes = [int(size) for size in rows["sizes"]]
        line = axes.plot(sizes, [row["us_per_kb"] for row in rows["sizes"].values()], "o-", label=kind)
        peer = [row["mistletoe_us_per_kb"] for row in rows["sizes"].values()]
        axes.plot(sizes, peer, ":", color=line[0].get_color())
    axes.set(xscale="log", yscale="log", xlabel="characters", ylabel="µs per KB")
    axes.set_title(f"{name}: streamed, 4 tokens per flush (dotted: mistletoe at once)")
    axes.legend()
    figure.savefig(RESULTS / f"markdown-{name}.svg")
    pyplot.close(figure)


if __name__ == "__main__":
    sys.exit(main())
