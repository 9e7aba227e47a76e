"""Bytes on a connection: requests that no HTTP library would send, and what comes back."""

import contextlib
import socket
import struct
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse

from tests.e2e.running import Answer

SECONDS = 15.0
NOTHING = Answer(0)


class Wire:
    """One connection to an installation; `Answer.status` 0 stands for a close without an answer."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)

    def send(self, data: bytes) -> None:
        """Send what the other side takes; one that has closed already may still have answered."""
        with contextlib.suppress(ConnectionError):
            self._socket.sendall(data)

    def finish(self) -> None:
        """Say that nothing more is sent, and go on reading."""
        self._socket.shutdown(socket.SHUT_WR)

    def answer(self, method: str = "GET") -> Answer:
        """The next answer; a connection that neither answers nor closes is a `TimeoutError`."""
        response = HTTPResponse(self._socket, method=method)
        try:
            response.begin()
            body = response.read()
        except (HTTPException, ConnectionError):
            return NOTHING
        finally:
            response.close()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)

    def line(self) -> bytes:
        """The next line."""
        found = b""
        while not found.endswith(b"\r\n") and (more := self._socket.recv(1)):
            found += more
        return found

    def rest(self) -> bytes:
        """Everything up to the close."""
        found = b""
        with contextlib.suppress(ConnectionError):
            while more := self._socket.recv(65536):
                found += more
        return found

    def reset(self) -> None:
        """Make the close that follows a rude one, which throws away what is under way (RST)."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close(self) -> None:
        self._socket.close()


@contextlib.contextmanager
def wire(port: int) -> Iterator[Wire]:
    """A connection that is closed at the end."""
    opened = Wire(port)
    try:
        yield opened
    finally:
        opened.close()


def exchange(port: int, data: bytes, method: str = "GET") -> Answer:
    """Send the bytes on a connection of their own; the first answer to them."""
    with wire(port) as opened:
        opened.send(data)
        return opened.answer(method)
