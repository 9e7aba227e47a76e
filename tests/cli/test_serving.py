"""`up` and `serve` when they cannot start; that they can is shown end to end."""

import os
import subprocess
import sys

import pytest

from steward.bootstrap.home import Home, Running
from steward.bootstrap.modules import service_names


def run(cli, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in {**os.environ, **cli.env, **env}.items() if value is not None}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    command = (sys.executable, "-c", "from steward.bootstrap.cli import main; main()", *arguments)
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)


@pytest.mark.parametrize("arguments", [("up",), ("serve", "gateway")])
def test_a_start_on_a_home_in_use_is_exit_code_three_and_says_who_runs(cli, arguments) -> None:
    home = Home(cli.home)
    home.create()
    lock = home.lock(exclusive=True)
    lock.announce(Running(pid=os.getpid(), url="http://127.0.0.1:4711", started_at="", command="up"))
    done = run(cli, *arguments)
    lock.release()
    assert done.returncode == 3, done.stderr
    assert f"process {os.getpid()} at http://127.0.0.1:4711" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_wrong_settings_are_all_named_and_misspelt_ones_reported(cli) -> None:
    done = run(cli, "up", STEWARD_PORT="http", STEWARD_RPC_PORT="70000")
    assert done.returncode == 2
    assert "STEWARD_PORT is 'http'" in done.stderr
    assert "STEWARD_RPC_PORT is '70000'" in done.stderr


def test_a_service_that_there_is_not_is_wrong_usage(cli) -> None:
    done = run(cli, "serve", "identiy")
    assert done.returncode == 2
    names = ", ".join(sorted([*service_names(), "gateway"]))
    assert f"identiy is no service: choose among {names}" in done.stderr


def test_a_home_that_cannot_be_one_is_said(cli) -> None:
    cli.home.write_text("a file")
    done = run(cli, "up")
    assert done.returncode == 1
    assert "set STEWARD_HOME to a directory" in done.stderr
