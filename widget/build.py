"""Makes the served `widget.js` of the modules in `src`: one file, without comments and needless space.

`python widget/build.py` writes it, `python widget/build.py --check` fails where it is not what the modules make.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
SERVED = HERE.parent / "src" / "steward" / "gateway" / "pages" / "widget.js"
MODULES = ("texts", "dom", "style", "memory", "desk", "view", "main")
"""Each imports from those before it only."""
HEAD = "/* Steward chat. Readable source: widget/src of the repository; made by widget/build.py. */\n"
_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_COMMENT = re.compile(r"^\s*(//.*|/\*\*[^\n]*\*/)\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_INDENT = re.compile(r"^\s+", re.MULTILINE)
_STYLE = re.compile(r"(?<=STYLE = `)[^`]*(?=`)")
_STYLE_SPACE = re.compile(r"\s*([{};,>])\s*|(?<=:) ")
# Text in quotes, templates (one level of templates within) and regular expressions, which stay as they are.
_PIECES = re.compile(
    r'''("(?:[^"\\\n]|\\.)*"'''
    r"|`(?:[^`\\$]|\\.|\$(?!\{)|\$\{(?:[^`{}]|`[^`]*`|\{[^}]*\})*\})*`"
    r"|(?<=[(=] )/.+?/g?(?=[;,)])|(?<=[(=])/(?![/*]).+?/g?(?=[;,)]))"
)
_SPACE = re.compile(r" *([{}()\[\],;:?=<>&|!*]|=>) *")
_LINE = re.compile(r"(?<=[{(\[,;])\n|\n(?=[})\].])")


def build() -> str:
    """The script: the modules one behind the other in a function of their own."""
    text = "\n".join((HERE / "src" / f"{name}.js").read_text(encoding="utf-8") for name in MODULES)
    for pattern in (_IMPORT, _COMMENT, _EXPORT, _INDENT):
        text = pattern.sub("", text)
    text = _STYLE.sub(lambda found: _STYLE_SPACE.sub(lambda space: space[1] or "", found[0]).strip(), text)
    # Split by a pattern with one group: every other piece is what it found.
    pieces = [piece if index % 2 else _compact(piece) for index, piece in enumerate(_PIECES.split(text))]
    return f'{HEAD}(() => {{\n"use strict";\n{"".join(pieces).strip()}\n}})();\n'


def _compact(code: str) -> str:
    return _LINE.sub("", _SPACE.sub(r"\1", code))


def main(arguments: list[str]) -> int:
    """Write the script, or say whether it is up to date."""
    made = build()
    if "--check" not in arguments:
        SERVED.write_text(made, encoding="utf-8")
        return 0
    if SERVED.exists() and SERVED.read_text(encoding="utf-8") == made:
        return 0
    sys.stderr.write(f"{SERVED.name} is not what widget/src makes: run `python widget/build.py`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
