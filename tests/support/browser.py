"""Whether browser tests can run here; `python -m tests.support.browser` says it aloud."""

import os
import shutil
import sys

CANDIDATES = ("chromium", "chromium-browser", "google-chrome")


def find_browser() -> str | None:
    """The Chromium of the system; none is downloaded."""
    return next((path for name in CANDIDATES if (path := shutil.which(name))), None)


def main() -> int:
    if find_browser():
        return 0
    banner = "!" * 78
    said = "NO CHROMIUM HERE: the browser tests are skipped. Install Debian's package `chromium` to run them."
    sys.stderr.write(f"{banner}\n{said}\n{banner}\n")
    return 1 if os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
