"""The rules, one module each; a rule's name is its module's, its reason the module's docstring."""

from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import NamedTuple

from lint.rules import (
    addresses,
    assert_for_input,
    clock_and_ids,
    commit_outside_db,
    file_size,
    function_size,
    future_annotations,
    import_inside_function,
    module_docstring,
    module_names,
    module_state,
    noqa_with_reason,
    service_anatomy,
    sql_outside_repository,
    swallowed_exception,
    tests_do_not_sleep,
    unscoped_query,
)
from lint.source import Finding, Source


class Rule(NamedTuple):
    """A check of one Python file."""

    name: str
    why: str
    check: Callable[[Source], Iterator[Finding]]


class TextRule(NamedTuple):
    """A check of a file of any kind, given its path and text."""

    name: str
    why: str
    check: Callable[[str, str], Iterator[Finding]]


def _rule(module: ModuleType) -> Rule:
    return Rule(name_of(module), _why(module), module.check)


def name_of(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2].replace("_", "-")


def _why(module: ModuleType) -> str:
    return " ".join((module.__doc__ or "").split("\n\n")[0].split())


RULES: Sequence[Rule] = tuple(
    _rule(module)
    for module in (
        assert_for_input,
        clock_and_ids,
        commit_outside_db,
        file_size,
        function_size,
        future_annotations,
        import_inside_function,
        module_docstring,
        module_names,
        module_state,
        noqa_with_reason,
        service_anatomy,
        sql_outside_repository,
        swallowed_exception,
        tests_do_not_sleep,
        unscoped_query,
    )
)
TEXT_RULES: Sequence[TextRule] = (TextRule(name_of(addresses), _why(addresses), addresses.check_text),)
