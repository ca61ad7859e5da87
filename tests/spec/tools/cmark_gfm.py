"""Makes tests/spec/data/gfm.json: what cmark-gfm (Debian's package of that name) prints for the inputs of gfm.toml.

    python3 -m tests.spec.tools.cmark_gfm

Run once per change of gfm.toml; the result is kept, so that the tests need no cmark-gfm.
"""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path

_DATA = Path(__file__).parents[1] / "data"
_COMMAND = ["cmark-gfm", "--unsafe"] + [
    part
    for extension in ("table", "tasklist", "strikethrough", "autolink", "tagfilter")
    for part in ("--extension", extension)
]


def _print(*command: str, text: str = "") -> str:
    return subprocess.run(command, input=text, capture_output=True, check=True, text=True).stdout


if __name__ == "__main__":
    cases = tomllib.loads((_DATA / "gfm.toml").read_text(encoding="utf-8"))["case"]
    answers = {
        "cmark-gfm": _print("cmark-gfm", "--version").split()[1],
        "html": {case["example"]: _print(*_COMMAND, text=case["markdown"]) for case in cases},
    }
    text = json.dumps(answers, indent=1, ensure_ascii=False)
    (_DATA / "gfm.json").write_text(f"{text}\n", encoding="utf-8")
