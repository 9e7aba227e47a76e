"""A desk under test: an installation, a shop of the test's own, and customers who write to it."""

import base64
import json
import os
import shutil
import socket
import struct
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from tests.e2e.conftest import copy_home
from tests.e2e.running import Answer, Steward, free_port
from tests.support.shop import SECRET, ShopProcess, SomeOrder

ROWS: Mapping[str, Sequence[str]] = {
    "one": ("up",),
    "two": ("serve gateway support", "serve knowledge identity tenants audit"),
    "three": ("serve gateway", "serve support knowledge", "serve identity tenants audit"),
}
"""How an installation may be divided into processes."""


class Desk:
    """An installation with its own shop, started together."""

    def __init__(self, prepared: Any, name: str, divided: str = "one") -> None:
        home = copy_home(prepared, name)
        commands = [words.split() for words in ROWS[divided]]
        self.steward = Steward(home, commands)
        data = home.parent / "own-shop"
        shutil.copytree(home / "shop", data)
        self.shop = ShopProcess(data, tenant=self.steward.credentials["tenant"], port=free_port())
        self._taken: set[str] = set()

    def start(self, **more: str) -> "Desk":
        self.shop.start()
        self.up(**more)
        body = {"base_url": self.shop.url, "credential": SECRET}
        answer = self.steward.api("PUT", "/api/v1/support/shop", body)
        assert answer.status == 200, answer
        return self

    def up(self, **more: str) -> None:
        settings = {
            "STEWARD_SHOP_ALLOWED_HOSTS": f"127.0.0.1:{self.shop.port}",
            "STEWARD_SUPPORT_CUSTOMER_PER_MINUTE": "100000",
            "STEWARD_SUPPORT_LEASE_SECONDS": "0.5",
            "STEWARD_DEMO": "off",
        }
        self.steward.start(**{**settings, **more})

    def stop(self) -> None:
        if self.steward.processes:
            self.steward.stop()
        self.shop.end()

    def customer(self, locale: str = "en", status: str = "paid") -> tuple["Customer", str]:
        """A customer whom no test has had, and an order of theirs in this state."""
        for skip in range(200):
            found = self.shop.order(status, skip=skip, younger_than_days=25)
            if found.customer_id not in self._taken:
                self._taken.add(found.customer_id)
                return Customer(self, locale, found.customer_id), found.order_id
        raise AssertionError(f"no order is {status} any more")

    def visitor(self, locale: str = "en", key: str | None = None) -> "Customer":
        return Customer(self, locale, None, key)

    def foreign(self, than: "Customer") -> SomeOrder:
        """Somebody else's order."""
        found = (self.shop.order("shipped", skip=skip) for skip in range(5))
        return next(order for order in found if order.customer_id != than.id)

    def address(self, order: str) -> str:
        """Where the shop would send an order."""
        return str(self.shop.rows("SELECT address FROM customer_order WHERE id = ?", order)[0][0])

    def refunds(self, order: str) -> int:
        return len(self.shop.rows("SELECT id FROM refund WHERE order_id = ?", order))


class Customer:
    """Somebody who writes to the desk, message after message in one session."""

    def __init__(self, desk: Desk, locale: str, customer: str | None, key: str | None = None) -> None:
        self._desk = desk
        self.locale = locale
        self.id = customer
        self.session: str | None = None
        self._key = key

    def body(self, message: str) -> dict[str, str]:
        given = {"message": message, "user_id": self.id, "session_id": self.session}
        return {name: value for name, value in given.items() if value is not None}

    def send(self, message: str, **headers: str) -> Answer:
        """The answer of the edge, whatever it is."""
        return self._desk.steward.api(
            "POST", "/api/v1/chat", self.body(message), key=self._key, Accept_Language=self.locale, **headers
        )

    def ask(self, message: str) -> dict[str, Any]:
        answer = self.send(message)
        assert answer.status == 200, (message, answer)
        self.session = answer.json["session_id"]
        return answer.json

    def say(self, message: str) -> str:
        return str(self.ask(message)["message"])

    def stream(self, message: str, after: str | None = None) -> list[dict[str, Any]]:
        """The events of an answer, behind one of them."""
        more = {} if after is None else {"Last_Event_ID": after}
        answer = self.send(message, Accept="text/event-stream", **more)
        assert answer.status == 200, answer
        return events_of(answer.body)

    def cut(self, message: str) -> str:
        """Begin a stream and break the connection behind its first event; the event's id."""
        steward = self._desk.steward
        data = json.dumps(self.body(message)).encode()
        request = urllib.request.Request(f"{steward.url}/api/v1/chat", data=data, method="POST")
        for name, value in self._headers().items():
            request.add_header(name, value)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.readline().decode().removeprefix("id: ").strip()

    def _headers(self) -> Mapping[str, str]:
        return {
            "X-API-Key": self._key or self._desk.steward.credentials["api_key"],
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
            "Accept-Language": self.locale,
        }

    def history(self) -> list[dict[str, Any]]:
        assert self.session is not None
        user = {} if self.id is None else {"user_id": self.id}
        query = "&".join(["limit=200", *(f"{name}={value}" for name, value in user.items())])
        answer = self._desk.steward.api("GET", f"/api/v1/sessions/{self.session}/history?{query}", key=self._key)
        assert answer.status == 200, answer
        return list(answer.json["items"])


def events_of(body: bytes) -> list[dict[str, Any]]:
    """The data of each event of a stream."""
    lines = [line for line in body.decode().splitlines() if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


class Socket:
    """A WebSocket, by hand: text frames that are not fragmented."""

    def __init__(self, steward: Steward) -> None:
        self._socket = socket.create_connection(("127.0.0.1", steward.port), timeout=20)
        key = base64.b64encode(uuid4().bytes).decode()
        head = (
            f"GET /ws/v1/chat HTTP/1.1\r\nHost: 127.0.0.1:{steward.port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"X-API-Key: {steward.credentials['api_key']}\r\n\r\n"
        )
        self._socket.sendall(head.encode())
        self._file = self._socket.makefile("rb")
        assert b" 101 " in self._file.readline()
        while self._file.readline().strip():
            pass

    def ask(self, **message: Any) -> list[dict[str, Any]]:
        """Send a message; the events up to the last of its answer."""
        data = json.dumps({"type": "message", **message}).encode()
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        self._socket.sendall(b"\x81" + struct.pack(">BH", 0x80 | 126, len(data)) + mask + masked)
        found: list[dict[str, Any]] = []
        while not found or found[-1]["type"] not in {"message.completed", "error"}:
            found.append(self._next())
        return found

    def _next(self) -> dict[str, Any]:
        first, length = self._file.read(2)
        assert first == 0x81, first
        if length == 126:
            (length,) = struct.unpack(">H", self._file.read(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self._file.read(8))
        return json.loads(self._file.read(length))

    def close(self) -> None:
        self._file.close()
        self._socket.close()
