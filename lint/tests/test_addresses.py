"""The rule `addresses`."""

import pytest

from lint.rules.addresses import check_text

HERE = "/" + "home"
ROOT_HOME = "/" + "root"


def lines(path: str, text: str) -> list[int]:
    return [finding.line for finding in check_text(path, text)]


@pytest.mark.parametrize("path", ["README.md", "src/steward/kit/a.py", "Makefile", "deploy/compose.yaml"])
@pytest.mark.parametrize(
    "text", [f"cd {HERE}/main", "cat /" + "Users/ann/log", f'"{ROOT_HOME}/.cache"', f"x={HERE}/shared/a.md"]
)
def test_paths_of_a_machine_are_found(path: str, text: str) -> None:
    assert lines(path, "\n" + text) == [2]


@pytest.mark.parametrize(
    "text",
    [f"src{HERE}/a.py", f"https://example.org{HERE}/list", f".{HERE}/a", "workers/farmers", f"${{HOME}}{HERE}/a"],
)
def test_relative_paths_and_addresses_pass(text: str) -> None:
    assert lines("README.md", text) == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://registry.example/simple",
        "-i https://registry.example/simple",
        "--find-links ./wheels",
        "msgspec @ https://registry.example/msgspec.whl",
        "steward @ git+ssh://example.org/steward",
    ],
)
@pytest.mark.parametrize("path", ["requirements/base.txt", "requirements.txt", "bench/peers/requirements.in"])
def test_addresses_in_requirements_are_found(path: str, line: str) -> None:
    assert lines(path, f"aiohttp==3.12\n{line}\n") == [2]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("console/package-lock.json", '"resolved": "https://registry.example/react.tgz",'),
        ("console/yarn.lock", '  resolved "https://registry.example/react.tgz"'),
        ("uv.lock", 'source = { registry = "https://registry.example/simple" }'),
        ("console/.npmrc", "registry=https://registry.example/"),
    ],
)
def test_registries_in_lock_files_are_found(path: str, line: str) -> None:
    assert lines(path, line) == [1]


def test_clean_locks_pass() -> None:
    header = "# made by `uv pip compile --no-emit-index-url --generate-hashes`\n"
    assert lines("requirements/base.txt", header + "aiohttp==3.12 \\\n    --hash=sha256:00\n") == []
    assert lines("console/package-lock.json", '"integrity": "sha512-00", "funding": {"url": "https://a.example"}') == []
    assert lines("requirements/README.md", "https://example.org") == []
    assert lines("docs/notes.txt", "https://example.org") == []
    assert lines("docs/locks.md", '"resolved": "https://registry.example/react.tgz"') == []
