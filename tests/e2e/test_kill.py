"""Whole processes and the database killed under load: nothing acknowledged is lost; starts, stops and refusals."""

import os
import signal
import socket
import threading
import time

from tests.e2e.running import Steward, until


class Writers:
    """Threads that create keys and remember which were acknowledged."""

    def __init__(self, steward: Steward, count: int = 4) -> None:
        self._steward = steward
        self._demo = steward.credentials["api_key"]
        self._stop = threading.Event()
        self.acknowledged: list[str] = []
        self.refused: list[int] = []
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(count)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(40)

    def _write(self, number: int) -> None:
        made = 0
        while not self._stop.is_set() and made < 200:
            made += 1
            name = f"writer-{number}-{made}"
            body = {"name": name, "scopes": ["user:read"]}
            answer = self._steward.api("POST", "/api/v1/api-keys", body, key=self._demo)
            if answer.status == 201:
                self.acknowledged.append(name)
            else:
                self.refused.append(answer.status)
                time.sleep(0.05)


def names(steward: Steward) -> set[str]:
    found: set[str] = set()
    cursor = ""
    while True:
        page = steward.api("GET", f"/api/v1/api-keys?limit=200{cursor}").json
        found |= {key["name"] for key in page["items"]}
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def verified(steward: Steward) -> bool:
    return bool(steward.api("POST", "/api/v1/audit/verify").json["ok"])


def trail(steward: Steward, action: str) -> int:
    found = 0
    cursor = ""
    while True:
        page = steward.api("GET", f"/api/v1/audit/entries?action={action}&limit=200{cursor}").json
        found += len(page["items"])
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def test_killed_platform_loses_nothing_acknowledged(steward: Steward) -> None:
    steward.start()
    writers = Writers(steward)
    until(lambda: len(writers.acknowledged) > 20, 30)
    steward.kill()
    writers.stop()
    steward.start()
    kept = names(steward)
    assert set(writers.acknowledged) <= kept
    until(lambda: trail(steward, "key.created") == len(kept))
    assert verified(steward)


def test_killed_database_comes_back_and_loses_nothing_acknowledged(steward: Steward) -> None:
    steward.start()
    writers = Writers(steward)
    until(lambda: len(writers.acknowledged) > 20, 30)

    os.kill(steward.postmaster(), signal.SIGKILL)
    before = len(writers.acknowledged)
    until(lambda: len(writers.acknowledged) > before + 20, 30)
    writers.stop()
    assert set(writers.refused) <= {503}, steward.logs()
    assert set(writers.acknowledged) <= names(steward)
    until(lambda: steward.get("/health").status == 200)
    until(lambda: trail(steward, "key.created") == len(names(steward)), 10)
    assert verified(steward)


def test_second_start_on_the_same_home_is_refused(steward: Steward) -> None:
    steward.start()
    second = Steward(steward.home)
    process = second.spawn("up")
    assert process.wait(30) == 3
    said = second.logs()
    assert str(steward.home) in said
    assert steward.url in said
    assert steward.get("/ready").status == 200


def test_taken_port_is_a_clear_refusal(steward: Steward) -> None:

    with socket.create_server(("127.0.0.1", steward.port)):
        process = steward.spawn("up")
        assert process.wait(60) == 1
    steward.processes.clear()
    assert "STEWARD_PORT" in steward.logs()
    assert "Traceback" not in steward.logs()


def test_interrupt_and_terminate_drain_and_end_with_zero(steward: Steward) -> None:
    steward.start()
    for number in (signal.SIGINT, signal.SIGTERM):
        writers = Writers(steward)
        until(lambda writers=writers: len(writers.acknowledged) > 5, 30)
        processes = list(steward.processes)
        steward.signal(number)
        steward.wait_down()
        writers.stop()
        assert [process.returncode for process in processes] == [0]
        steward.start()
        assert set(writers.acknowledged) <= names(steward)


def test_start_is_given_up_on_a_signal(steward: Steward) -> None:
    process = steward.spawn("serve", "identity", "audit")
    until(lambda: (steward.home / "run").exists() and any((steward.home / "run").iterdir()), 30)
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    steward.processes.clear()
    assert "Traceback" not in steward.logs()


def test_second_start_is_quick_and_keeps_the_log_in(steward: Steward) -> None:
    before = steward.credentials
    steward.start()
    after = steward.credentials
    assert {**before, "url": ""} == {**after, "url": ""}
    assert after["url"] == steward.url
