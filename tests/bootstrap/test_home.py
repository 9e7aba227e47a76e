"""The home directory: modes, the lock, and what a second start is told."""

import os
import stat
from pathlib import Path

import pytest

from steward.bootstrap.home import AlreadyRunning, Credentials, Home, HomeError, Running, write_atomically

RUNNING = Running(pid=os.getpid(), url="http://127.0.0.1:8080", started_at="2026-01-01T00:00:00Z", command="up")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.create()
    return made


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_may_list_the_home_or_enter_its_secrets(home: Home) -> None:
    assert mode(home.path) == (0o711 if os.geteuid() == 0 else 0o700)
    assert mode(home.keys) == 0o700
    assert mode(home.run) == 0o700


def test_modes_of_an_existing_home_are_tightened(home: Home) -> None:
    home.path.chmod(0o755)
    home.keys.chmod(0o755)
    home.create()
    test_nobody_else_may_list_the_home_or_enter_its_secrets(home)


def test_a_home_that_everybody_may_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(HomeError, match="writable for everybody"):
        Home(tmp_path).create()


def test_a_home_below_a_file_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match="set STEWARD_HOME"):
        Home(tmp_path / "file" / "home").create()


def test_a_second_start_is_refused_and_told_who_runs(home: Home) -> None:
    lock = home.lock(exclusive=True)
    lock.announce(RUNNING)
    with pytest.raises(AlreadyRunning) as caught:
        home.lock(exclusive=True)
    assert caught.value.running == RUNNING
    assert f"process {os.getpid()} at http://127.0.0.1:8080" in str(caught.value)
    lock.release()


def test_a_start_that_has_not_announced_itself_still_holds_the_home(home: Home) -> None:
    lock = home.lock(exclusive=True)
    with pytest.raises(AlreadyRunning, match="still starting"):
        home.lock(exclusive=False)
    lock.release()


def test_several_serves_share_a_home_and_keep_up_out(home: Home) -> None:
    first, second = home.lock(exclusive=False), home.lock(exclusive=False)
    with pytest.raises(AlreadyRunning):
        home.lock(exclusive=True)
    first.release()
    second.release()
    home.lock(exclusive=True).release()


def test_release_frees_the_home_and_withdraws_the_announcement(home: Home) -> None:
    lock = home.lock(exclusive=True)
    lock.announce(RUNNING)
    lock.release()
    lock.release()
    assert home.running() is None
    home.lock(exclusive=True).release()


def test_an_announcement_of_a_dead_process_is_not_believed(home: Home) -> None:
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(pid, 0)
    lock = home.lock(exclusive=True)
    lock.announce(Running(pid=pid, url="http://x", started_at="", command="up"))
    assert home.running() is None
    lock.release()


def test_credentials_are_kept_for_their_owner_only(home: Home) -> None:
    credentials = Credentials(url="u", tenant="t", email="e", password="p", api_key="k")
    assert home.read_credentials() is None
    home.write_credentials(credentials)
    assert home.read_credentials() == credentials
    assert mode(home.credentials_file) == 0o600


def test_damaged_credentials_are_named(home: Home) -> None:
    home.credentials_file.write_text("{")
    with pytest.raises(HomeError, match=r"credentials\.json is damaged"):
        home.read_credentials()


def test_a_failed_write_leaves_the_old_content_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "f"
    write_atomically(file, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]
