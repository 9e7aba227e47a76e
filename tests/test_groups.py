"""What shares something expensive runs on one worker: pytest-xdist's groups, which depend on pytest's inner names."""

import os

import pytest


@pytest.mark.xdist_group("groups")
def test_group_of_a_test_is_known_to_the_scheduler(request: pytest.FixtureRequest) -> None:
    assert "PYTEST_XDIST_WORKER" not in os.environ or request.node.nodeid.endswith("@groups")
