"""Rules that Python and JavaScript both have: each pair gives the same for the same table of cases."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any, cast
from urllib.parse import urljoin

import pytest

from midstream.engine.endpoints.endpoints import Endpoint
from midstream.engine.endpoints.probe import probe
from midstream.engine.ports.host import Host, Net
from midstream.engine.transport.transports import transport_of
from midstream.errors import UpstreamError
from midstream.gateway.http.policies import BEGIN, ENGINE_POLICY
from midstream.journal import Row, cursor, epoch
from midstream.markdown.invisible import visible
from midstream.names import LOOPBACK
from midstream.problems import problem
from midstream.session import Open
from midstream.text import prompt_of
from tests.support import node
from tooling.assets import dist
from tooling.places import HERE
from tooling.setup import npm

WEB = HERE.root / "web"
TABLES = Path(__file__).with_name("twins")
PAGE = f"{WEB.as_uri()}/"  # a module in Node takes the page from its own address

pytestmark = pytest.mark.anyio


def table(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((TABLES / f"{name}.json").read_text())
    return cases


def in_node(script: str, cases: list[Any]) -> list[Any]:
    """What the function `answer` of the script gives for each case."""
    code = f"{script}\nconsole.log(JSON.stringify({json.dumps(cases)}.map(answer)));"
    command = [str(npm.node(HERE)), "--input-type=module", "--eval", code]
    done = subprocess.run(command, cwd=WEB, capture_output=True, text=True, check=True)
    given: list[Any] = json.loads(done.stdout)
    return given


class Unanswered:
    """A network in which nobody answers. Notes the requests."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str]]] = []

    def absolute(self, url: str) -> str:
        return urljoin(PAGE, url)

    async def open(self, method: str, url: str, headers: dict[str, str], body: object = None) -> Any:
        self.requests.append((method, self.absolute(url), dict(headers)))
        raise UpstreamError(problem("connection_broke"))

    async def denied(self) -> bool:
        return False

    async def reach(self, url: str) -> None:
        raise UpstreamError(problem("connection_broke"))


async def test_the_same_addresses_may_be_asked() -> None:
    """By the engine (its probe says so before anything is sent) and by the service worker."""
    cases = table("addresses")
    urls = [case["url"] for case in cases]
    script = """
        globalThis.location = { origin: 'https://app.example' };
        const { mayRequest: answer } = await import('./worker/common.js');
    """
    expected = dict(zip(urls, (case["allowed"] for case in cases), strict=True))
    assert dict(zip(urls, in_node(script, urls), strict=True)) == expected
    probed = {url: await probe(Endpoint("E", "openai", url), "", cast(Net, Unanswered()), online=True) for url in urls}
    codes = {url: verdict.code not in ("url", "insecure") for url, verdict in probed.items()}
    assert codes == expected


def test_a_prompt_keeps_the_indentation_of_its_first_line() -> None:
    """The screen shows the same text that the engine stores and sends."""
    cases = table("prompts")
    script = "const { promptOf: answer } = await import('./shared/invisible.js');"
    expected = [case["prompt"] for case in cases]
    assert in_node(script, [case["text"] for case in cases]) == expected
    assert [prompt_of(case["text"]) for case in cases] == expected


def test_the_policy_lets_the_engine_ask_this_machine() -> None:
    """All its names but the one that a policy cannot write."""
    hosts = re.findall(r"http://([^ ;]+):\*", ENGINE_POLICY)
    assert hosts == [host for host in LOOPBACK if host != "::1"]


async def test_the_early_request_is_the_one_that_python_makes() -> None:
    cases = table("early_requests")
    expected = [{**case["request"], "url": urljoin(PAGE, case["request"]["url"])} for case in cases]
    script = """
        const { requestOf } = await import('./engine/pyodide/early_requests.mjs');
        const answer = ({ run, row }) => requestOf({ id: 'a', runs: [run] }, row);
    """
    assert in_node(script, cases) == expected
    assert [await rejoined(case) for case in cases] == expected


async def rejoined(case: dict[str, Any]) -> dict[str, Any]:
    """The request by which the engine joins the run again."""
    net = Unanswered()
    host = cast(Host, type("Bare", (), {"net": net, "keys": None}))
    endpoint = Endpoint.from_record(case["run"]["endpoint"])
    row = case["row"]
    rows = [Row("a", 1, row["run"], 1, row["last"], "", epoch=row["epoch"])] if row else []
    transport = await transport_of(endpoint, host, case["run"])
    with pytest.raises(UpstreamError):
        await transport.rejoin({"runs": [case["run"]]}, Open(cursor(rows, 0), epoch(rows, 0)))
    [(method, url, headers)] = net.requests
    assert method == "GET"
    return {"url": url, "headers": headers}


def test_the_same_characters_are_hidden_on_the_screen_and_in_files() -> None:
    ranges = [(0xAD, 1), (0x34F, 1), (0x61C, 1), (0x115F, 2), (0x180B, 4), (0x200B, 5), (0x2028, 7), (0x205F, 17)]
    ranges += [
        (0x3164, 1),
        (0xFE00, 16),
        (0xFEFF, 1),
        (0xFFA0, 1),
        (0xFFF9, 3),
        (0x1D173, 8),
        (0xE0000, 2),
        (0xE0100, 2),
    ]
    before = [
        "",
        *"a1 \n-~é潮ดကกء☀\u2139∩\u0301\ufe0f\ufffd",
        "\U0001f3f4",
        "\U0001f3f4\U000e0067",
        "\U00020000",
        "\u3007",
    ]
    characters = [chr(first + n) for first, count in ranges for n in range(count)]
    cases = [{"text": f"{one}{each}z", "code": code} for one in before for each in characters for code in (True, False)]
    screen = node.in_node(
        """async (cases, web) => {
          const { visible } = await web('shared/invisible.js');
          return cases.map(({ text, code }) => visible(text, '', code));
        }""",
        cases,
    )
    differ = [
        (ascii(case["text"]), case["code"], ascii(shown))
        for case, shown in zip(cases, screen, strict=True)
        if visible(str(case["text"]), code=bool(case["code"])) != shown
    ]
    assert differ == []


def test_the_engine_finds_what_others_have_stored() -> None:
    """quota.py, which imports the browser and cannot be imported here, drops caches and snapshots by their names."""
    names = constants(HERE.root / "py/midstream/engine/browser/quota.py")
    assert f"const CACHES = '{names['CACHES']}';" in (WEB / "sw.js").read_text()
    assert f"name.startsWith('{names['CACHES']}')" in (WEB / "sw-off.js").read_text()
    store = (WEB / "engine/pyodide/snapshot_store.mjs").read_text()
    assert f"const FOLDER = `{names['SNAPSHOTS']}${{" in store
    assert names["RUNTIME"] == dist.RUNTIME_FOLDERS


def constants(file: Path) -> dict[str, Any]:
    """The module's constants that are literals."""
    found: dict[str, Any] = {}
    for line in ast.parse(file.read_text()).body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            found[line.targets[0].id] = ast.literal_eval(line.value)
    return found


def test_the_policy_of_diagrams_names_the_script_that_begins_a_sandbox() -> None:
    found = re.search(r"const BEGIN =\s+'([^']+)';", (WEB / "late/diagram_sandbox.js").read_text())
    assert found is not None
    digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" == BEGIN
