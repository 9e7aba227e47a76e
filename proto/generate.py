"""Generates `src/steward_proto` from `proto/`; with `--check` only says whether the two agree.

The proto path stays `steward/v1/…`, so that reflection shows the right file names, while the Python package is
`steward_proto.v1`, so that the generated code does not lie inside the package `steward`.
"""  # noqa: INP001 - a script, not a package

import re
import sys
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from grpc_tools import protoc

SOURCE = Path(__file__).parent
TARGET = SOURCE.parent / "src" / "steward_proto"
_IMPORT = re.compile(r"^from steward\.(v\d+) import ", re.MULTILINE)
_INIT = '"""Generated from `proto/` by `make proto`; do not edit."""\n'


def compiled() -> Mapping[Path, str]:
    """The generated files by their path below the target."""
    protos = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.proto"))
    well_known = resources.files("grpc_tools") / "_proto"
    with tempfile.TemporaryDirectory() as output:
        arguments = [f"-I{SOURCE}", f"-I{well_known}", f"--python_out={output}", f"--pyi_out={output}", *protos]
        if protoc.main(["protoc", *arguments]) != 0:
            raise SystemExit("protoc failed: see its message above")
        below = Path(output) / "steward"
        texts = {path.relative_to(below): _relocated(path) for path in sorted(below.rglob("*.py*"))}
    packages = {Path(), *(path.parent for path in texts)}
    return texts | {package / "__init__.py": _INIT for package in packages}


def _relocated(path: Path) -> str:
    return _IMPORT.sub(r"from steward_proto.\1 import ", path.read_text(encoding="utf-8"))


def differences(texts: Mapping[Path, str]) -> list[str]:
    """What must change in the target for it to hold exactly these files."""
    stale = [f"{path} is not generated any more" for path in _present() if path not in texts]
    return stale + [f"{path} differs" for path, text in sorted(texts.items()) if _read(TARGET / path) != text]


def write(texts: Mapping[Path, str]) -> None:
    """Make the target hold exactly these files."""
    for path in _present():
        if path not in texts:
            (TARGET / path).unlink()
    for path, text in texts.items():
        target = TARGET / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _present() -> list[Path]:
    return sorted(path.relative_to(TARGET) for path in TARGET.rglob("*.py*") if path.suffix in {".py", ".pyi"})


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main(arguments: list[str]) -> int:
    """Generate, or with `--check` compare; the exit status is 1 on drift."""
    texts = compiled()
    if arguments != ["--check"]:
        write(texts)
        return 0
    found = differences(texts)
    for line in found:
        sys.stderr.write(f"src/steward_proto/{line}: run `make proto`\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
