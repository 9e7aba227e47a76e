"""Tests reach this machine's loopback and nothing else."""

import socket

import pytest
from pytest_socket import SocketConnectBlockedError


def test_address_that_is_not_allowed_is_refused_before_anything_is_sent() -> None:
    # A loopback address that is not on the list stands for the world, so that nothing leaves if the guard is gone.
    with socket.socket() as connection, pytest.raises((SocketConnectBlockedError, UserWarning), match=r"127\.0\.0\.2"):
        connection.connect(("127.0.0.2", 9))
