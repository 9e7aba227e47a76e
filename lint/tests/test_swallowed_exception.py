"""The rule `swallowed-exception`."""

import pytest

from lint.rules.swallowed_exception import check
from lint.tests.samples import lines_found, marked

MODULE = "src/steward/kit/cache.py"

BAD = """
import contextlib


def run(self, log, future):
    try:
        work()
    except:  # bad
        pass
    try:
        work()
    except Exception:  # bad
        return None
    try:
        work()
    except (ValueError, BaseException) as error:  # bad
        print(error)
    try:
        work()
    except Exception as error:  # bad
        log.warning("it broke")
    try:
        work()
    except Exception as error:  # bad
        text = str(error)
    try:
        work()
    except Exception as error:  # bad
        clean(self)
    try:
        work()
    except Exception as error:  # bad
        log.bind(error=error)
    try:
        work()
    except Exception as error:  # bad
        log.error("it broke", self)
    try:
        work()
    except Exception as error:  # bad

        def later():
            raise error
    with contextlib.suppress(ValueError, Exception):  # bad
        work()
"""

GOOD = """
import contextlib


def run(self, log, future):
    try:
        work()
    except Exception:
        clean()
        raise
    try:
        work()
    except Exception as error:
        raise Broken() from error
    try:
        work()
    except Exception:
        self._log.exception("it broke")
    try:
        work()
    except Exception:
        log.warning("it broke", exc_info=True)
    try:
        work()
    except Exception as error:
        log.error("it broke", error=repr(error))
    try:
        work()
    except Exception as error:
        future.set_exception(error)
    try:
        work()
    except Exception as error:
        self._observer.failed("work", error)
    try:
        work()
    except (KeyError, ValueError):
        pass
    with contextlib.suppress(KeyError):
        work()
    issubclass(Broken, Exception)
"""


@pytest.mark.parametrize("path", [MODULE, "tests/kit/test_cache.py", "bench/edge.py"])
def test_swallowed_exceptions_are_found(path: str) -> None:
    assert lines_found(check, BAD, path) == marked(BAD)


def test_exceptions_passed_on_or_logged_pass() -> None:
    assert lines_found(check, GOOD, MODULE) == []
