"""The operating-system user that the embedded PostgreSQL runs as, and the way to its files.

PostgreSQL refuses to run as root. Started by root, it runs as a system user of its own; started by anybody else, as
that user.
"""

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import msgspec

from steward.kit.errors import StartRefused

SYSTEM_USER = "pgserver"


class EmbeddedError(StartRefused):
    """The embedded PostgreSQL cannot run; the message says why and what to do."""


class RunAs(TypedDict, total=False):
    """Arguments of `subprocess` that make a child run as the account."""

    user: int
    group: int
    extra_groups: Sequence[int]


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Who the server runs as, and who runs Steward."""

    uid: int
    gid: int
    name: str
    steward: str
    """Name of the user that Steward runs as: the same, unless that is root."""
    separate: bool
    """Whether the two differ, so that files must be handed over."""

    @property
    def run_as(self) -> RunAs:
        return RunAs(user=self.uid, group=self.gid, extra_groups=()) if self.separate else RunAs()

    def own(self, path: Path, mode: int) -> None:
        """Give a file or directory to the server, with this mode."""
        if self.separate:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)


def find_account() -> Account:
    """The account to run PostgreSQL as; root gets the system user `pgserver`, made when missing."""
    uid = os.geteuid()
    try:
        steward = pwd.getpwuid(uid)
    except KeyError as error:
        message = (
            f"user {uid} has no entry in /etc/passwd, and PostgreSQL does not run without one: add one, or set "
            "DATABASE_URL to a PostgreSQL server."
        )
        raise EmbeddedError(message) from error
    if uid != 0:
        return Account(uid=uid, gid=steward.pw_gid, name=steward.pw_name, steward=steward.pw_name, separate=False)
    server = _system_user()
    return Account(uid=server.pw_uid, gid=server.pw_gid, name=server.pw_name, steward=steward.pw_name, separate=True)


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass  # The first start as root on this machine.
    command = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if command is None:
        message = f"PostgreSQL does not run as root and there is no `useradd` to make the user `{SYSTEM_USER}`"
        raise EmbeddedError(f"{message}: make that user, or run Steward as another one.")
    shell = shutil.which("nologin", path="/usr/sbin:/sbin") or "/bin/false"
    options = ("--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell", shell)
    made = subprocess.run(  # noqa: S603  # Constant arguments, no shell.
        (command, *options, SYSTEM_USER), check=False, capture_output=True, text=True
    )
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError as error:
        message = f"`useradd {SYSTEM_USER}` failed ({made.stderr.strip()}): make that user, or run Steward as another."
        raise EmbeddedError(message) from error


def open_way(path: Path, account: Account) -> Sequence[Path]:
    """Let the account pass through the directories above `path`; it gets no right to list them.

    Returns those that had to be opened, for the log: each lacked the search bit for others.
    """
    if not account.separate:
        return ()
    opened: list[Path] = []
    for directory in path.parents:
        found = directory.stat()
        if not found.st_mode & stat.S_IXOTH and found.st_uid != account.uid:
            directory.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXGRP | stat.S_IXOTH)
            opened.append(directory)
    return opened


def open_binaries(root: Path, account: Account) -> None:
    """Let the account read the server's own files, where the installer's umask kept them from others."""
    if not account.separate:
        return
    for path in (root, *root.rglob("*")):
        if path.is_symlink():
            continue
        mode = path.stat().st_mode
        wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
        if wanted != mode:
            path.chmod(stat.S_IMODE(wanted))
