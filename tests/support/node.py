"""A module of web/ in Node, for what Python has the other half of."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tooling.places import HERE
from tooling.setup import npm

# Static imports only know addresses; `web` makes one of a path below web/.
FRAME = """
const web = (path) => import(new URL(path, %s));
let text = '';
for await (const piece of process.stdin) text += piece;
const answer = await (%s)(JSON.parse(text), web);
console.log(JSON.stringify(answer));
"""


def in_node(function: str, argument: object) -> Any:
    """What the JavaScript `async (argument, web) => …` gives; `await web('shared/apply.js')` is that module."""
    script = FRAME % (json.dumps((HERE.root / "web").as_uri() + "/"), function)
    command = [str(npm.node(HERE)), "--input-type=module", "--eval", script]
    asked = json.dumps(argument)
    ran = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)
