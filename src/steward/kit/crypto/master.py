"""The master key, which wraps data keys: the port, and the key in a file of this machine."""

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from steward.kit.crypto.errors import SealBroken
from steward.kit.errors import AppError
from steward.kit.ids import Ids

KEY_BYTES = 32
_NONCE_BYTES = 12


class MasterKey(Protocol):
    """Wraps data keys. The key itself may never leave where it lives (a file, Vault transit, AWS KMS)."""

    @property
    def key_id(self) -> str:
        """A stable name of this key, stored beside what it wraps; it tells nothing of the key."""
        ...

    async def wrap(self, plain: bytes, aad: bytes) -> bytes:
        """Encrypt a data key, bound to `aad`."""
        ...

    async def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        """The data key again. Raises `SealBroken` if it, `aad` or the master key is another one."""
        ...


class MasterKeyFileRefused(AppError):
    """The master key's file is not safe or not a key: its message says what to do."""

    code = "master_key_file_refused"


class LocalMasterKey:
    """A master key of 32 random bytes in a file that only its owner may read; made when it is not there.

    Reading and making the file block: build this at start-up. Raises `MasterKeyFileRefused`.
    """

    def __init__(self, path: Path, ids: Ids) -> None:
        self._ids = ids
        if not path.exists():
            _create(path, ids.token(KEY_BYTES), suffix=ids.token(8).hex())
        key = _read(path)
        self._aead = AESGCM(key)
        self._key_id = "local:" + hashlib.sha256(b"steward master key id\x00" + key).hexdigest()[:16]

    @property
    def key_id(self) -> str:
        """`local:` and the first 64 bits of a hash of the key."""
        return self._key_id

    async def wrap(self, plain: bytes, aad: bytes) -> bytes:
        """AES-256-GCM: nonce (12 bytes), ciphertext, tag (16 bytes)."""
        nonce = self._ids.token(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plain, aad)

    async def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        """See `MasterKey`."""
        try:
            return self._aead.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], aad)
        except (InvalidTag, ValueError) as error:
            raise SealBroken("its data key does not unwrap, so the key or its owner was altered") from error


def _create(path: Path, key: bytes, suffix: str) -> None:
    """Write the file so that it is there whole or not at all; of two processes the first one's file stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{suffix}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _read(path: Path) -> bytes:
    try:
        file = path.open("rb")
    except OSError as error:
        raise MasterKeyFileRefused(
            f"master key file {path} cannot be read: {error.strerror}", path=str(path)
        ) from error
    with file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise MasterKeyFileRefused(
                f"master key {path} is not a regular file: put the key's file there", path=str(path)
            )
        if status.st_mode & 0o077:
            raise MasterKeyFileRefused(
                f"master key file {path} has mode {stat.S_IMODE(status.st_mode):04o}, so others may read it: "
                f"run `chmod 600 {path}`, and replace the key if someone may have read it",
                path=str(path),
            )
        key = file.read(KEY_BYTES + 1)
    if len(key) != KEY_BYTES:
        raise MasterKeyFileRefused(
            f"master key file {path} has {status.st_size} bytes, a key has {KEY_BYTES}: restore it from its backup "
            "(a new key cannot read what the old one sealed)",
            path=str(path),
        )
    return key
