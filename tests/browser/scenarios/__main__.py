"""Plays every scenario and prints the score table: `.venv/bin/python -m tests.browser.scenarios [--write] [S4 S7 …]`.

--write plays all of them and keeps the table in docs/scenarios.md, and three of its rows in README.md. Exit code 1 when
a score is not zero.
"""

from __future__ import annotations

import argparse
import sys
import traceback

from playwright.sync_api import Error

from tests.browser.conftest import PROJECT
from tests.browser.scenarios.house import House, at_home
from tests.browser.scenarios.report import Row, excerpt, table, write
from tests.browser.scenarios.stage import Kind
from tests.browser.scenarios.table import TABLE, Performance, Scenario


def main() -> int:
    options = arguments()
    wanted = [each for each in TABLE if not options.only or each.id in options.only]
    with at_home() as house:
        rows = [play(each, kind, house) for each in wanted for kind in each.kinds]
    text = table(rows)
    print(text)
    if options.write:
        write(PROJECT / "docs" / "scenarios.md", text)
        write(PROJECT / "README.md", excerpt(rows))
    return 0 if all(row.good for row in rows) else 1


def play(scenario: Scenario, kind: Kind, house: House) -> Row:
    print(f"{scenario.id} {scenario.title} ({kind}) …", end=" ", file=sys.stderr, flush=True)
    performance = Performance(scenario, kind, house)
    try:
        result = performance.finish()
    except (AssertionError, Error) as error:
        # Said in the table; the others are played all the same.
        row = Row(scenario, kind, None, trouble=next(iter(str(error).splitlines()), "refused"))
        print(f"\n{traceback.format_exc()}\n{performance.seen()}", file=sys.stderr)
    else:
        row = Row(scenario, kind, result, performance.unsaid(result))
    print("ok" if row.good else row.markdown(), file=sys.stderr)
    return row


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.scenarios")
    parser.add_argument("only", nargs="*", metavar="S1", help="only these scenarios")
    parser.add_argument("--write", action="store_true", help="keep the table in the documents")
    options = parser.parse_args()
    if options.write and options.only:
        parser.error("--write keeps the whole table: name no scenarios with it")
    return options


if __name__ == "__main__":
    sys.exit(main())
