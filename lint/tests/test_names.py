"""The rules `module-names` and `future-annotations`."""

import pytest

from lint.rules import future_annotations, module_names
from lint.tests.samples import lines_found


@pytest.mark.parametrize("path", ["src/steward/kit/utils.py", "src/steward/common/a.py", "tests/http_helpers.py"])
def test_names_that_say_nothing_are_found(path: str) -> None:
    assert lines_found(module_names.check, "", path) == [1]


@pytest.mark.parametrize("path", ["src/steward/kit/context.py", "src/steward/kit/commonmark.py", "tests/test_rpc.py"])
def test_nouns_pass(path: str) -> None:
    assert lines_found(module_names.check, "", path) == []


def test_postponed_annotations_are_found() -> None:
    code = "from __future__ import annotations\n"
    assert lines_found(future_annotations.check, code, "src/steward/kit/a.py") == [1]


def test_other_imports_pass() -> None:
    code = "from annotated import annotations\nfrom __future__ import generators\n"
    assert lines_found(future_annotations.check, code, "src/steward/kit/a.py") == []
