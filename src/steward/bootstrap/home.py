"""`STEWARD_HOME`: what lies where in it, who may read it, and who holds it.

    .lock              held by flock(2) while a platform runs: exclusive by `up`, shared by `serve`
    run/*.json         pid and address of what runs; meaningless without the lock
    keys/              the master key and the platform's own signing keys
    postgres/          the embedded PostgreSQL: data, log, socket (see `embedded`)
    shop/              the demo shop: its data, log, and what was decided for it (see `demo`)
    credentials.json   the demo log-in of the embedded mode

Secrets are 0600 in directories of 0700. The home itself is 0700, or 0711 when Steward runs as root: the embedded
PostgreSQL then runs as a user of its own, which must pass through the home without being able to list it.
"""

import fcntl
import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from steward.kit.errors import StartRefused

SECRET_FILE = 0o600
PRIVATE = 0o700
PASSABLE = 0o711


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A platform that runs on a home."""

    pid: int
    url: str
    """Where it answers."""
    started_at: str
    """ISO 8601, UTC."""
    command: str
    """`up` or `serve`."""


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """The demo log-in that the first start of the embedded mode makes."""

    url: str
    tenant: str
    email: str
    password: str
    api_key: str
    publishable_key: str = ""
    """For a web page; empty before the demo desk is set up."""
    shop_url: str = ""
    """The demo shop's; empty where there is none."""


class HomeError(StartRefused):
    """The home cannot be used; the message says why and what to do."""


class AlreadyRunning(HomeError):
    """Another platform holds this home. `running` tells which, when it has got so far as to say so."""

    def __init__(self, home: Path, running: Running | None) -> None:
        who = f"process {running.pid} at {running.url}" if running else "another process that is still starting"
        super().__init__(
            f"{home} is already in use by {who}: use that one, stop it first, or set STEWARD_HOME to another directory."
        )
        self.running = running


class Home:
    """The directory of one installation. Nothing is touched before `create`."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()

    @property
    def credentials_file(self) -> Path:
        return self.path / "credentials.json"

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def run(self) -> Path:
        return self.path / "run"

    def create(self) -> None:
        """Make the directories that are missing and set the modes of those that are there."""
        try:
            _directory(self.path, PASSABLE if os.geteuid() == 0 else PRIVATE)
            _directory(self.keys, PRIVATE)
            _directory(self.run, PRIVATE)
        except OSError as error:
            raise HomeError(
                f"{error.filename or self.path} cannot be used as a directory of STEWARD_HOME ({error.strerror}): "
                "set STEWARD_HOME to a directory that this user owns."
            ) from error

    def lock(self, *, exclusive: bool) -> "HomeLock":
        """Take hold of the home until the lock is released or the process ends. Raises `AlreadyRunning`."""
        descriptor = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, SECRET_FILE)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise AlreadyRunning(self.path, self.running()) from error
        return HomeLock(self, descriptor)

    def running(self) -> Running | None:
        """The platform that says it runs here and whose process lives; only the lock tells for sure."""
        return next(iter(self.all_running()), None)

    def all_running(self) -> Sequence[Running]:
        """Every process that says it runs here and lives: one of `up`, or those of `serve`."""
        found: list[Running] = []
        for file in sorted(self.run.glob("*.json")):
            try:
                running = msgspec.json.decode(file.read_bytes(), type=Running)
            except (FileNotFoundError, msgspec.MsgspecError):
                continue  # It ended between the listing and the reading, or was never one of ours.
            if _alive(running.pid):
                found.append(running)
        return found

    def read_credentials(self) -> Credentials | None:
        """The demo log-in, or None where there is none that this user may read."""
        try:
            return msgspec.json.decode(self.credentials_file.read_bytes(), type=Credentials)
        except (FileNotFoundError, PermissionError, NotADirectoryError):
            return None
        except msgspec.MsgspecError as error:
            raise HomeError(f"{self.credentials_file} is damaged ({error}): restore it or delete it.") from error

    def write_credentials(self, credentials: Credentials) -> None:
        """Keep the demo log-in, readable by its owner only."""
        write_atomically(self.credentials_file, msgspec.json.format(msgspec.json.encode(credentials)) + b"\n")


class HomeLock:
    """The hold on a home, made by `Home.lock`."""

    def __init__(self, home: Home, descriptor: int) -> None:
        self._home = home
        self._descriptor: int | None = descriptor
        self._announcement: Path | None = None

    def announce(self, running: Running) -> None:
        """Say who runs here and where it answers, for a second start and for the command line."""
        name = "platform.json" if running.command == "up" else f"serve-{running.pid}.json"
        self._announcement = self._home.run / name
        write_atomically(self._announcement, msgspec.json.encode(running))

    def withdraw(self) -> None:
        """Say no more who runs here; the hold stays."""
        if self._announcement is not None:
            self._announcement.unlink(missing_ok=True)

    def release(self) -> None:
        """Let go; doing so twice is harmless."""
        if self._descriptor is None:
            return
        self.withdraw()
        os.close(self._descriptor)
        self._descriptor = None


def write_atomically(file: Path, content: bytes, mode: int = SECRET_FILE) -> None:
    """Write a file so that a crash leaves the old content or the new, and never lets others read it half-way."""
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "wb") as out:
            os.fchmod(out.fileno(), mode)
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_directory(file.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _directory(path: Path, mode: int) -> None:
    path.mkdir(parents=True, exist_ok=True)
    now = path.stat().st_mode
    if now & stat.S_IWOTH:
        raise HomeError(f"{path} is writable for everybody: set STEWARD_HOME to a directory of its own.")
    if stat.S_IMODE(now) != mode:
        path.chmod(mode)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
