"""The run as a whole: which files are read, how findings are shown, and that every rule takes part."""

from pathlib import Path

import pytest

from lint import rules
from lint.__main__ import main
from lint.run import check_project, read_project
from lint.source import Project

PLANTED = "src/steward/kit/planted.py"


def test_a_finding_is_shown_with_place_rule_and_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planted = tmp_path / PLANTED
    planted.parent.mkdir(parents=True)
    planted.write_text('"""A module."""\n\nCACHE = {}\n')
    assert main(["--root", str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith(f"{PLANTED}:3: module-state: CACHE holds a mutable collection at module level (make it in")
    assert main(["--root", str(tmp_path), "--rule", "file-size"]) == 0


def test_a_clean_tree_passes(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("Steward\n")
    assert main(["--root", str(tmp_path)]) == 0


def test_every_rule_is_listed_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    files = {path.stem for path in Path(rules.__file__).parent.glob("*.py")} - {"__init__"}
    assert main(["--list"]) == 0
    listed = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    assert set(listed) == {name.replace("_", "-") for name in files}
    assert all(listed.values())


def test_installed_built_and_binary_files_are_not_read(tmp_path: Path) -> None:
    for path in (".venv/a.py", "console/node_modules/a.js", "src/__pycache__/a.py", "dist/a.py", "docs/a.png"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("a")
    (tmp_path / "binary.txt").write_bytes(b"\0\1")
    (tmp_path / "Makefile").write_text("up:\n")
    assert set(read_project(tmp_path).texts) == {"Makefile"}


def test_generated_code_is_looked_at_for_addresses_only() -> None:
    generated = "CACHE = {}\nPATH = '/" + "home/main'\n"
    reports = check_project(Project({"src/steward_proto/a_pb2.py": generated}))
    assert [(report.rule, report.finding.line) for report in reports] == [("addresses", 2)]


def test_a_file_that_is_no_python_is_reported() -> None:
    (report,) = check_project(Project({PLANTED: "def broken(:\n"}))
    assert (report.rule, report.finding.path) == ("syntax", PLANTED)
