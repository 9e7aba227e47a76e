"""`python -m lint` checks the project in the current folder and exits 1 on findings; `--list` shows the rules."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lint.rules import RULES, TEXT_RULES
from lint.run import check_project, read_project


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lint", description="Steward's own lint rules.")
    parser.add_argument("--list", action="store_true", help="show the rules and their reasons")
    parser.add_argument("--rule", action="append", default=[], help="report this rule only; may be repeated")
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the project's folder; default: the current one")
    options = parser.parse_args(arguments)
    if options.list:
        for rule in sorted((*RULES, *TEXT_RULES)):
            print(f"{rule.name}: {rule.why}")
        return 0
    reports = [
        report
        for report in check_project(read_project(options.root))
        if not options.rule or report.rule in options.rule
    ]
    for report in reports:
        print(report)
    if reports:
        print(f"{len(reports)} findings", file=sys.stderr)
    return 1 if reports else 0


if __name__ == "__main__":
    sys.exit(main())
