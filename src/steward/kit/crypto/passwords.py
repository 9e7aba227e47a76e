"""Password hashes: made and verified off the event loop, a few at a time."""

import asyncio
import base64
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, TypeVar

import bcrypt
import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from msgspec import Meta

from steward.kit.errors import Unavailable
from steward.kit.ids import Ids

T = TypeVar("T")

_HASH_BYTES = 32
_SALT_BYTES = 16
_BCRYPT_BYTES = 72
_BCRYPT = ("$2a$", "$2b$", "$2y$")


class PasswordSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Cost of a password hash. The defaults are the second recommended option of RFC 9106 section 4."""

    memory_kib: Annotated[int, Meta(ge=7168, le=4_194_304, description="Memory of one hash, in KiB.")] = 65_536
    passes: Annotated[int, Meta(ge=1, le=100, description="Passes over the memory.")] = 3
    lanes: Annotated[int, Meta(ge=1, le=64, description="Lanes (threads) of one hash.")] = 4
    at_once: Annotated[int, Meta(ge=1, le=64, description="Hashes at work at a time; each takes its memory.")] = 4
    wait_seconds: Annotated[
        float, Meta(gt=0, le=60, description="How long a log-in waits for its turn before it is turned away.")
    ] = 5.0


class PasswordsBusy(Unavailable):
    """Too many passwords are being checked at this moment."""

    code = "passwords_busy"

    def __init__(self, waited_s: float) -> None:
        super().__init__(
            f"too many log-ins at this moment: this one found no room in {waited_s:g} s; try again in a second",
            retry_after=1,
        )


class Passwords:
    """Argon2id hashes (RFC 9106) in threads of their own.

    At most `at_once` run at a time, so that a flood of log-ins takes neither the memory nor the event loop; who
    waits longer than `wait_seconds` gets `PasswordsBusy`. Passwords are compared in Unicode form NFKC
    (NIST SP 800-63B section 5.1.1.2). Hashes of bcrypt, from imported users, verify too and need a rehash.
    """

    def __init__(self, settings: PasswordSettings, ids: Ids) -> None:
        self._settings = settings
        self._ids = ids
        self._hasher = PasswordHasher(
            time_cost=settings.passes,
            memory_cost=settings.memory_kib,
            parallelism=settings.lanes,
            hash_len=_HASH_BYTES,
            salt_len=_SALT_BYTES,
        )
        self._decoy = self._unguessable()
        self._slots = asyncio.Semaphore(settings.at_once)
        self._threads = ThreadPoolExecutor(settings.at_once, thread_name_prefix="passwords")

    async def hash(self, password: str) -> str:
        """The hash to store, in PHC string format with its own parameters and salt."""
        salt = self._ids.token(_SALT_BYTES)
        return await self._run(lambda: self._hasher.hash(_normal(password), salt=salt))

    async def verify(self, password: str, stored: str) -> bool:
        """Whether this is the password of a stored hash. A stored value that is no hash raises `ValueError`."""
        if stored.startswith(_BCRYPT):
            # bcrypt reads 72 bytes; the systems that users come from cut longer passwords there.
            cut = password.encode()[:_BCRYPT_BYTES]
            return await self._run(lambda: bcrypt.checkpw(cut, stored.encode()))
        return await self._run(lambda: self._verify_argon2(_normal(password), stored))

    def needs_rehash(self, stored: str) -> bool:
        """Whether to store a new hash at the next right password: bcrypt, or parameters that are not today's."""
        return stored.startswith(_BCRYPT) or self._hasher.check_needs_rehash(stored)

    async def verify_nobody(self, password: str) -> None:
        """Spend the time of a wrong password, for a user that does not exist."""
        await self._run(lambda: self._verify_argon2(_normal(password), self._decoy))

    def close(self) -> None:
        """Take no more work; what runs ends on its own."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify_argon2(self, password: str, stored: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except VerifyMismatchError:
            return False
        except InvalidHashError as error:
            message = "the stored password hash is neither argon2 nor bcrypt: have the user set a new password"
            raise ValueError(message) from error

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(self._settings.wait_seconds):
                await self._slots.acquire()
        except TimeoutError as error:
            raise PasswordsBusy(self._settings.wait_seconds) from error
        job = asyncio.get_running_loop().run_in_executor(self._threads, work)
        # The slot belongs to the thread, which goes on when its caller is cancelled.
        job.add_done_callback(lambda _: self._slots.release())
        return await asyncio.shield(job)

    def _unguessable(self) -> str:
        """A hash with today's parameters that no password is known for: random instead of computed."""
        salt, digest = (
            base64.b64encode(self._ids.token(size)).rstrip(b"=").decode() for size in (_SALT_BYTES, _HASH_BYTES)
        )
        cost = f"m={self._settings.memory_kib},t={self._settings.passes},p={self._settings.lanes}"
        return f"$argon2id$v=19${cost}${salt}${digest}"


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
