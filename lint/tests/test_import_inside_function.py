"""The rule `import-inside-function`."""

from lint.rules.import_inside_function import check
from lint.tests.samples import lines_found, marked

MODULE = "src/steward/kit/cache.py"
PROJECT = {"pyproject.toml": '[project.optional-dependencies]\ncjk = ["jieba>=0.42", "opencc-python-reimplemented"]\n'}

BAD = """
import importlib


def load():
    import json  # bad
    from steward.services import tenants  # bad
    importlib.import_module("json")  # bad
    try:
        import redis  # bad
    except ImportError:
        redis = None
    try:
        import jieba  # bad
    except ValueError:
        raise
    try:
        call()
    except ImportError:
        import jieba  # bad
"""

GOOD = """
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast


def load():
    try:
        import jieba
        from opencc import OpenCC
    except ImportError as error:
        raise RuntimeError("install steward[cjk]") from error
"""


def test_imports_in_functions_are_found() -> None:
    assert lines_found(check, BAD, MODULE, PROJECT) == marked(BAD)


def test_top_imports_and_guarded_extras_pass() -> None:
    assert lines_found(check, GOOD, MODULE, PROJECT) == []


def test_an_extra_that_pyproject_does_not_declare_is_found() -> None:
    assert lines_found(check, GOOD, MODULE) == [10, 11]


def test_imports_by_name_are_bootstraps_business() -> None:
    code = "import importlib\nMODULE = importlib.import_module('json')\n"
    assert lines_found(check, code, MODULE) == [2]
    assert lines_found(check, code, "src/steward/bootstrap/wiring.py") == []
    assert lines_found(check, code, "tests/test_a.py") == []


def test_dispatch_of_the_command_line_is_free() -> None:
    assert lines_found(check, BAD, "src/steward/bootstrap/cli/main.py") == []
