"""Every play of the table is in one of the two files; the README has three rows of the table in docs/scenarios.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.scenarios import report, test_direct, test_gateway
from tests.browser.scenarios.stage import Result
from tests.browser.scenarios.table import TABLE

PROJECT = Path(__file__).parents[3]


def test_there_is_a_file_for_every_kind() -> None:
    files = {test_gateway.KIND, test_direct.KIND}
    assert {kind for each in TABLE for kind in each.kinds} == files


def kept(name: str) -> list[str]:
    """The lines between the markers of a document."""
    text = (PROJECT / name).read_text(encoding="utf-8")
    return text.partition(report.BEGIN)[2].partition(report.END)[0].strip().splitlines()


def test_the_readme_has_three_rows_of_the_whole_table() -> None:
    whole, part = kept("docs/scenarios.md"), kept("README.md")
    rows = [line for line in part if line.startswith("| S")]
    assert [tuple(row.split(" | ")[0::2])[:2] for row in rows] == [
        (f"| {id}", report.ENDPOINTS[kind]) for id, kind in report.EXCERPT
    ]
    assert all(row in whole for row in rows)
    assert len([line for line in whole if line.startswith("| S")]) == sum(len(each.kinds) for each in TABLE)


@pytest.mark.parametrize(("name", "count"), [("docs/scenarios.md", None), ("README.md", 3)])
def test_a_report_is_written_between_the_markers(tmp_path: Path, name: str, count: int | None) -> None:
    rows = [report.Row(each, kind, Result([], [], 0, [], [], [], [])) for each in TABLE for kind in each.kinds]
    before = (PROJECT / name).read_text(encoding="utf-8")
    file = tmp_path / "document.md"
    file.write_text(before, encoding="utf-8")
    report.write(file, report.excerpt(rows) if count else report.table(rows))
    written = file.read_text(encoding="utf-8")
    assert written.count("\n| S") == (count or len(rows))
    assert written.partition(report.BEGIN)[0] == before.partition(report.BEGIN)[0]
