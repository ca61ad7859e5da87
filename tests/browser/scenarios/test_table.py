"""Every play of the table is in one of the two files."""

from tests.browser.scenarios import test_direct, test_gateway
from tests.browser.scenarios.table import TABLE


def test_there_is_a_file_for_every_kind() -> None:
    files = {test_gateway.KIND, test_direct.KIND}
    assert {kind for each in TABLE for kind in each.kinds} == files
