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
from midstream.journal import Row, cursor, epoch
from midstream.names import LOOPBACK
from midstream.policies import BEGIN, ENGINE_POLICY
from midstream.problems import problem
from midstream.session import Open
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
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


def test_the_policy_of_diagrams_names_the_script_that_begins_a_sandbox() -> None:
    found = re.search(r"const BEGIN =\s+'([^']+)';", (WEB / "late/diagram_sandbox.js").read_text())
    assert found is not None
    digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" == BEGIN
