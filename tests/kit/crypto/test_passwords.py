"""Password hashes."""

import asyncio
import threading
from collections.abc import Iterator
from statistics import median
from time import perf_counter

import bcrypt
import pytest

from steward.kit.clock import SystemClock
from steward.kit.crypto.passwords import Passwords, PasswordsBusy, PasswordSettings
from steward.kit.ids import Ids

CHEAP = PasswordSettings(memory_kib=7168, passes=1, lanes=1)


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(CHEAP, Ids(SystemClock()))
    yield made
    made.close()


async def test_password_verifies_against_its_hash_only(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse battery")
    assert stored.startswith("$argon2id$v=19$m=7168,t=1,p=1$")
    assert await passwords.verify("correct horse battery", stored)
    assert not await passwords.verify("correct horse batterz", stored)
    assert stored != await passwords.hash("correct horse battery")


async def test_password_typed_on_another_keyboard_verifies(passwords: Passwords) -> None:
    stored = await passwords.hash("caf\u00e9 caf\u00e9 caf\u00e9")
    assert await passwords.verify("cafe\u0301 cafe\u0301 cafe\u0301", stored)


@pytest.mark.parametrize("variant", [b"2a", b"2b", b"2y"])
async def test_imported_bcrypt_hash_verifies_and_needs_rehash(passwords: Passwords, variant: bytes) -> None:
    stored = bcrypt.hashpw(b"imported password", bcrypt.gensalt(4)).replace(b"$2b$", b"$" + variant + b"$").decode()
    assert await passwords.verify("imported password", stored)
    assert not await passwords.verify("imported passwore", stored)
    assert passwords.needs_rehash(stored)


async def test_long_password_of_imported_user_is_cut_as_there(passwords: Passwords) -> None:
    stored = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    assert await passwords.verify("x" * 100, stored)


async def test_hash_of_other_parameters_needs_rehash(passwords: Passwords) -> None:
    stronger = Passwords(PasswordSettings(memory_kib=8192, passes=1, lanes=1), Ids(SystemClock()))
    stored = await passwords.hash("a password of mine")
    assert not passwords.needs_rehash(stored)
    assert stronger.needs_rehash(stored)
    stronger.close()


async def test_stored_value_that_is_no_hash_is_an_error(passwords: Passwords) -> None:
    with pytest.raises(ValueError, match="neither argon2 nor bcrypt"):
        await passwords.verify("whatever", "plain text")


async def test_unknown_user_takes_the_time_of_a_wrong_password(passwords: Passwords) -> None:
    stored = await passwords.hash("a password of mine")
    wrong: list[float] = []
    nobody: list[float] = []
    for _ in range(9):
        start = perf_counter()
        await passwords.verify("not the password", stored)
        middle = perf_counter()
        await passwords.verify_nobody("not the password")
        wrong.append(middle - start)
        nobody.append(perf_counter() - middle)
    assert 0.5 < median(nobody) / median(wrong) < 2


class _Gate:
    """Holds the threads of `Passwords` inside their work and counts them."""

    def __init__(self, expected: int) -> None:
        self.opened = threading.Event()
        self.full = asyncio.Event()
        self.most = 0
        self._expected = expected
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._inside = 0

    def work(self) -> str:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
            if self._inside == self._expected:
                self._loop.call_soon_threadsafe(self.full.set)
        self.opened.wait(10)
        with self._lock:
            self._inside -= 1
        return "done"


SMALL = PasswordSettings(memory_kib=7168, passes=1, lanes=1, at_once=1, wait_seconds=0.2)


async def test_no_more_than_the_bound_run_at_once() -> None:
    passwords, gate = Passwords(CHEAP, Ids(SystemClock())), _Gate(4)
    waiting = [asyncio.create_task(passwords._run(gate.work)) for _ in range(12)]
    await gate.full.wait()
    gate.opened.set()
    assert await asyncio.gather(*waiting) == ["done"] * 12
    assert gate.most == 4
    passwords.close()


async def test_flood_is_turned_away_after_its_wait() -> None:
    passwords, gate = Passwords(SMALL, Ids(SystemClock())), _Gate(1)
    first = asyncio.create_task(passwords._run(gate.work))
    await gate.full.wait()
    with pytest.raises(PasswordsBusy, match="try again") as refused:
        await passwords.verify_nobody("one too many")
    assert refused.value.data["retry_after"] == 1
    assert refused.value.status == 503
    gate.opened.set()
    assert await first == "done"
    await passwords.verify_nobody("there is room again")
    passwords.close()


async def test_cancelled_caller_keeps_its_slot_until_its_thread_ends() -> None:
    passwords, gate = Passwords(SMALL, Ids(SystemClock())), _Gate(1)
    first = asyncio.create_task(passwords._run(gate.work))
    await gate.full.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    with pytest.raises(PasswordsBusy):
        await passwords.verify_nobody("still taken")
    gate.opened.set()
    await passwords.verify_nobody("free")
    passwords.close()


async def test_hashing_leaves_the_event_loop_free(passwords: Passwords) -> None:
    turns = 0
    job = asyncio.create_task(passwords.hash("a password of mine"))
    while not job.done():
        turns += 1
        await asyncio.sleep(0)
    # Hashing on the loop itself would be over after the first turn.
    assert turns > 1
