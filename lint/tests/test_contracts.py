"""The import contracts of `.importlinter`, run as in CI over a small tree, whole and with planted violations."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
CLEAN: Mapping[str, str] = {
    "bootstrap/app.py": "import litestar\nfrom steward.gateway import edge\nfrom steward.services.one import module",
    "gateway/edge.py": "import litestar\nfrom steward.services.one import http",
    "services/one/http.py": "import litestar\nfrom steward.services.one import api, errors",
    "services/one/api.py": "from steward.kit import context",
    "services/one/errors.py": "",
    "services/one/repository.py": "from steward.kit.db import migrate",
    "services/one/service.py": "from steward.services.two import api\nfrom steward.services.one import repository",
    "services/one/module.py": "from steward.services.one import http, service",
    "services/one/migrations/one_0001.py": "import alembic",
    "services/two/api.py": "",
    "services/two/service.py": "from steward.services.one.api import anything",
    "client/client.py": "from steward.services.one import api",
    "kit/context.py": "",
    "kit/db/migrate.py": "import alembic\nimport sqlalchemy",
    "kit/testing/clock.py": "from steward.kit import context",
}
LAYERS = "bootstrap -> gateway and client -> services -> kit"
PLANTED = [
    ("kit/planted.py", "from steward.services.one import api", LAYERS),
    ("services/one/planted.py", "from steward.gateway import edge", LAYERS),
    ("gateway/planted.py", "from steward.client import client", LAYERS),
    ("newcomer/planted.py", "", LAYERS),
    ("services/two/planted.py", "from steward.services.one import service", "one its api and nothing else"),
    ("services/two/events.py", "from steward.services.one.repository import anything", "one its api and nothing else"),
    ("services/one/rpc.py", "from steward.services.one.service import anything", "depend on its contract only"),
    ("services/one/planted.py", "import litestar", "Only the edge knows the web framework"),
    ("services/one/planted.py", "import sqlalchemy", "Only migrations know Alembic and SQLAlchemy"),
    ("gateway/planted.py", "from steward.kit.testing import clock", "Only tests use the fakes of kit.testing"),
]


def plant(root: Path, files: Mapping[str, str]) -> None:
    for name, code in files.items():
        path = root / "src" / "steward" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code + "\n")
    for folder in [root / "src" / "steward", *(root / "src" / "steward").rglob("*/")]:
        (folder / "__init__.py").touch()


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root / "src"), str(root)]), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    shutil.copy(PROJECT / ".importlinter", tmp_path)
    (tmp_path / "lint").mkdir()
    shutil.copy(PROJECT / "lint" / "contracts.py", tmp_path / "lint")
    plant(tmp_path, CLEAN)
    return tmp_path


def test_a_tree_that_keeps_the_directions_passes(tree: Path) -> None:
    done = lint_imports(tree)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("path", "code", "contract"), PLANTED)
def test_a_planted_violation_breaks_its_contract(tree: Path, path: str, code: str, contract: str) -> None:
    plant(tree, {path: code})
    done = lint_imports(tree)
    broken = [line for line in done.stdout.splitlines() if line.endswith("BROKEN")]
    assert done.returncode == 1, done.stdout + done.stderr
    assert [contract in line for line in broken] == [True]


def test_no_contract_has_a_list_of_exceptions() -> None:
    assert "ignore_imports" not in (PROJECT / ".importlinter").read_text()
