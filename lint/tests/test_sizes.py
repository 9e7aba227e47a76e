"""The rules `file-size` and `function-size`."""

import pytest

from lint.rules import file_size, function_size
from lint.tests.samples import lines_found


@pytest.mark.parametrize(
    ("path", "limit"),
    [("src/steward/kit/a.py", 400), ("bench/a.py", 400), ("tests/a.py", 600), ("lint/tests/a.py", 600)],
)
def test_a_file_may_have_so_many_lines_and_no_more(path: str, limit: int) -> None:
    assert lines_found(file_size.check, "a = 1\n" * limit, path) == []
    assert lines_found(file_size.check, "a = 1\n" * (limit + 1), path) == [limit + 1]


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_function_may_have_60_lines_and_no_more(kind: str) -> None:
    at_the_limit = f"@decorated\n{kind} run():\n" + "    a = 1\n" * 59
    assert lines_found(function_size.check, at_the_limit, "src/steward/kit/a.py") == []
    assert lines_found(function_size.check, at_the_limit + "    a = 1\n", "src/steward/kit/a.py") == [2]
