"""The master key in a file."""

import os
import stat
import threading
from pathlib import Path

import pytest

from steward.kit.clock import SystemClock
from steward.kit.crypto import LocalMasterKey, MasterKeyFileRefused, SealBroken
from steward.kit.crypto.master import _create
from steward.kit.ids import Ids

IDS = Ids(SystemClock())


def test_first_start_makes_a_private_file_and_the_next_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "home" / "master.key"
    made = LocalMasterKey(path, IDS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_size == 32
    assert list(path.parent.iterdir()) == [path]
    assert LocalMasterKey(path, IDS).key_id == made.key_id
    assert LocalMasterKey(tmp_path / "other.key", IDS).key_id != made.key_id


def test_umask_does_not_open_the_file(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        LocalMasterKey(tmp_path / "master.key", IDS)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "master.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o644])
def test_file_open_to_others_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    LocalMasterKey(path, IDS)
    path.chmod(mode)
    with pytest.raises(MasterKeyFileRefused, match=f"mode {mode:04o}.*chmod 600"):
        LocalMasterKey(path, IDS)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_file_of_another_size_refused_and_kept(tmp_path: Path, size: int) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(b"k" * size)
    path.chmod(0o600)
    with pytest.raises(MasterKeyFileRefused, match=f"{size} bytes.*restore it"):
        LocalMasterKey(path, IDS)
    assert path.stat().st_size == size


def test_directory_in_its_place_refused(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyFileRefused):
        LocalMasterKey(tmp_path, IDS)


def test_processes_that_start_together_get_one_key(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    barrier = threading.Barrier(8)
    found: list[str] = []

    def start() -> None:
        barrier.wait()
        found.append(LocalMasterKey(path, IDS).key_id)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_later_writer_does_not_replace_the_key(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    _create(path, b"a" * 32, "one")
    _create(path, b"b" * 32, "two")
    assert path.read_bytes() == b"a" * 32
    assert list(tmp_path.iterdir()) == [path]


async def test_wrapped_key_unwraps_with_its_aad_only(tmp_path: Path) -> None:
    master = LocalMasterKey(tmp_path / "master.key", IDS)
    wrapped = await master.wrap(b"k" * 32, b"owner")
    assert b"k" * 32 not in wrapped
    assert await master.unwrap(wrapped, b"owner") == b"k" * 32
    for value, aad in ((wrapped, b"other"), (wrapped[:-1], b"owner"), (b"", b"owner"), (b"x" * 60, b"owner")):
        with pytest.raises(SealBroken):
            await master.unwrap(value, aad)
