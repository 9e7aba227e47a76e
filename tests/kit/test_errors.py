"""The one table of failures: every kind has its statuses, every class its code."""

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterator

import grpc
import pytest

import steward
from steward.kit.errors import GRPC_STATUS, HTTP_STATUS, AppError, Kind, error_classes


def all_errors() -> Iterator[type[AppError]]:
    """Every failure class of the platform, once every module of it is loaded."""
    for module in pkgutil.walk_packages(steward.__path__, "steward."):
        if not module.name.endswith(("__main__", ".alembic.env")) and ".migrations." not in module.name:
            importlib.import_module(module.name)
    return (cls for cls in error_classes() if cls.__module__.startswith("steward."))


def test_every_kind_has_both_statuses() -> None:
    assert set(HTTP_STATUS) == set(Kind) == set(GRPC_STATUS)
    assert all(400 <= status <= 599 for status in HTTP_STATUS.values())
    assert all(hasattr(grpc.StatusCode, status) for status in GRPC_STATUS.values())


def test_no_two_failures_claim_one_code() -> None:
    """The caller's end of a gRPC call finds the class by the code that it claims; without one it goes as its base."""
    by_code: dict[str, set[str]] = defaultdict(set)
    for cls in all_errors():
        if "code" in vars(cls):
            by_code[cls.code].add(f"{cls.__module__}.{cls.__qualname__}")
    shared = {code: names for code, names in by_code.items() if len(names) > 1}
    assert len(by_code) > 30
    # What the edge shows of an error that nobody foresaw, which AppError itself stands for.
    assert shared == {"internal": {"steward.kit.errors.AppError", "steward.gateway.errors.Defect"}}


def test_code_is_a_stable_name() -> None:
    assert [
        cls.code for cls in all_errors() if not cls.code.replace("_", "").isalnum() or cls.code.lower() != cls.code
    ] == []


def test_failure_is_restored_with_all_it_said() -> None:
    for cls in all_errors():
        again = cls.restored("what happened", {"limit": 3, "name": "x", "none": None})
        assert type(again) is cls
        assert (again.message, again.data, str(again)) == (
            "what happened",
            {"limit": 3, "name": "x", "none": None},
            "what happened",
        )
        assert again.status == HTTP_STATUS[cls.kind]
        with pytest.raises(cls):
            raise again
