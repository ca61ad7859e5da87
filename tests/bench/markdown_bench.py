"""Benchmark of the Markdown engine, in CPython and in Pyodide (under Node), beside mistletoe.

    python tests/bench/markdown_bench.py [--quick] [--out FILE] [--pyodide FOLDER] [--node COMMAND]

Prints a table and, with --out, writes the figures as JSON. What each figure is: measure.py.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description="Benchmark of the Markdown engine")
    parser.add_argument("--quick", action="store_true", help="10 and 100 KB only")
    parser.add_argument("--out", type=Path, help="write the figures there as JSON")
    parser.add_argument("--pyodide", type=Path, default=_ROOT / "node_modules" / "pyodide")
    parser.add_argument("--node", default="node")
    options = parser.parse_args(arguments)
    sizes = ["10000", "100000"] if options.quick else ["10000", "100000", "1000000"]
    figures = {"cpython": _cpython(sizes), "pyodide": _pyodide(sizes, options)}
    for name, result in figures.items():
        _print(name, result)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def _cpython(sizes: list[str]) -> dict[str, Any] | None:
    path = os.pathsep.join([str(_ROOT / "py"), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, str(_HERE / "measure.py"), *sizes]
    return _json(command, {**os.environ, "PYTHONPATH": path})


def _pyodide(sizes: list[str], options: argparse.Namespace) -> dict[str, Any] | None:
    spec = find_spec("mistletoe")
    if spec is None or spec.origin is None or not (options.pyodide / "pyodide.mjs").exists():
        print(f"no Pyodide in {options.pyodide}: measured in CPython only", file=sys.stderr)
        return None
    packages = str(Path(spec.origin).parents[1])
    script = str(_HERE / "pyodide.mjs")
    return _json([options.node, script, str(options.pyodide), packages, *sizes], None)


def _json(command: list[str], env: dict[str, str] | None) -> dict[str, Any]:
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def _print(name: str, result: dict[str, Any] | None) -> None:
    if result is None:
        return
    print(f"\n{name} {result['python']}, 4-character tokens, 4 per flush")
    print(f"{'':12}{'size':>9}{'us/token':>10}{'us/KB':>8}{'x mistletoe':>13}{'x at once':>11}")
    for kind, rows in result["kinds"].items():
        for size, row in rows["sizes"].items():
            print(
                f"{kind:12}{size:>9}{row['us_per_token']:>10}{row['us_per_kb']:>8}"
                f"{row['times_mistletoe']:>13}{row['times_at_once']:>11}"
            )
        print(f"{kind:12} growth exponent {rows['exponent']}")
    for key in ("ops_per_token_median", "ops_per_token_mean", "patch_bytes_per_character"):
        print(f"{key}: {result[key]}")


if __name__ == "__main__":
    sys.exit(main())
