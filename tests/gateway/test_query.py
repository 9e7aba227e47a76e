"""Query parameters that would be read as something else than was meant are refused."""

import pytest

from steward.gateway.exchange import _check_query
from steward.kit.errors import InvalidInput


@pytest.mark.parametrize("query", ["outcome=done&outcome=denied", "limit=1&actor=a&limit=1"])
def test_parameter_twice_is_refused(query: str) -> None:
    with pytest.raises(InvalidInput, match="more than once"):
        _check_query(query)


@pytest.mark.parametrize("query", ["outcome=null", "actor=x&outcome=NULL"])
def test_null_is_refused(query: str) -> None:
    with pytest.raises(InvalidInput, match="leave it out"):
        _check_query(query)


@pytest.mark.parametrize("query", ["limit=1&cursor=abc", "actor=", "actor=nullable", "lang=zh-Hant"])
def test_plain_parameters_pass(query: str) -> None:
    _check_query(query)
