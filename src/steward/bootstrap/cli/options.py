"""The options that every command has, wherever on the line they stand."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple


class Lang(StrEnum):
    EN = "en"
    ZH_HANT = "zh-Hant"
    ZH_HANS = "zh-Hans"


class Options(NamedTuple):
    """What was given on the line; the environment is looked at later."""

    url: str | None = None
    api_key: str | None = None
    json: bool = False
    lang: Lang | None = None


_FLAGS = frozenset({"--json"})
_WITH_VALUE = frozenset({"--url", "--api-key", "--lang"})
_TRADITIONAL = ("zh_tw", "zh_hk", "zh_mo", "zh_hant", "zh-hant")


def global_first(arguments: Sequence[str]) -> list[str]:
    """Move the global options to the front, where the parser wants them: `users list --json` works like this too."""
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            rest += [argument, *waiting]
        elif argument in _WITH_VALUE:
            front += [argument, *(value for value in [next(waiting, None)] if value is not None)]
        elif argument in _FLAGS or argument.split("=", 1)[0] in _WITH_VALUE:
            front.append(argument)
        else:
            rest.append(argument)
    return front + rest


def language(given: str | None, env: Mapping[str, str]) -> Lang:
    """The language to speak: as given, else as the system is set up, else English."""
    for wish in (given, env.get("STEWARD_LANG"), *(env.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))):
        if not wish:
            continue
        small = wish.lower()
        if small.startswith("zh"):
            return Lang.ZH_HANT if small.startswith(_TRADITIONAL) else Lang.ZH_HANS
        return Lang.EN
    return Lang.EN
