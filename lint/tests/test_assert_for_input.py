"""The rule `assert-for-input`."""

import pytest

from lint.rules.assert_for_input import check
from lint.tests.samples import lines_found, marked

BAD = """
class Users:
    def rename(self, name, *, size, **rest):
        assert name  # bad
        assert len(self.names) < size  # bad
        assert rest == {}  # bad
"""

GOOD = """
class Users:
    def rename(self, name):
        row = self.find(name)
        assert row is not None
        assert self.ready
"""


def test_assertions_on_parameters_are_found() -> None:
    assert lines_found(check, BAD, "src/steward/services/identity/service.py") == marked(BAD)


def test_assertions_on_own_results_pass() -> None:
    assert lines_found(check, GOOD, "src/steward/services/identity/service.py") == []


@pytest.mark.parametrize("path", ["src/steward/services/identity/http.py", "src/steward/gateway/limits.py"])
def test_at_the_edge_none_passes(path: str) -> None:
    assert lines_found(check, GOOD, path) == [4, 5]


def test_tests_are_free() -> None:
    assert lines_found(check, BAD, "tests/test_a.py") == []
