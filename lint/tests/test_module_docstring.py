"""The rule `module-docstring`."""

import pytest

from lint.rules.module_docstring import check
from lint.tests.samples import lines_found


@pytest.mark.parametrize("code", ["", "import json\n", '"""\nSays it too late."""\n', "# A comment is no docstring.\n"])
@pytest.mark.parametrize("path", ["src/steward/kit/__init__.py", "lint/a.py", "bench/a.py"])
def test_a_module_that_does_not_say_what_it_is_for_is_found(code: str, path: str) -> None:
    assert lines_found(check, code, path) == [1]


def test_a_module_that_says_it_passes() -> None:
    assert lines_found(check, '"""What it is for."""\n', "src/steward/kit/a.py") == []


def test_tests_need_none() -> None:
    assert lines_found(check, "", "tests/test_a.py") == []
