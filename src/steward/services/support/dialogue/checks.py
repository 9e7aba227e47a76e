"""What must hold of a playbook beyond its form: names that exist, ways that end, and no change without a yes."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec

from steward.services.support.dialogue.decoding import MAX_PROBLEMS, decode
from steward.services.support.dialogue.flow import Flow
from steward.services.support.dialogue.format import (
    ANY_INTENT,
    Ask,
    Call,
    ChoiceSlot,
    Condition,
    DataSlot,
    File,
    Forget,
    Phrases,
    Playbook,
    Slot,
    Step,
    Text,
    When,
)
from steward.services.support.dialogue.library import step_ids
from steward.services.support.dialogue.matching import MAX_PIECES, pieces
from steward.services.support.dialogue.phrases import PHRASE_VALUES, PhraseKey
from steward.services.support.dialogue.problems import Problem, choose
from steward.services.support.dialogue.templates import NotATemplate, Reference, parts
from steward.services.support.dialogue.yaml_source import Document, Path, shown
from steward.services.support.ports import ToolSpec

_PHRASES: Final = frozenset(each.value for each in PhraseKey)
BUILT_IN: Final = frozenset(("message", "wish"))
"""Values that every playbook has: what the customer just wrote, and what the playbook began with."""
ELSE: Final = "else"
RESERVED: Final = frozenset(("hand_off",))
"""Not for names of playbooks: a session remembers by it that a person was offered."""


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What a playbook may refer to."""

    tools: Mapping[str, ToolSpec]
    intents: Collection[str] | None
    """None takes any."""


class Checked(msgspec.Struct, frozen=True):
    """A file that was read and checked; `file` is None where there are problems."""

    file: File | None
    problems: Sequence[Problem]


def check(source: str, world: World, *, name: str | None = None) -> Checked:
    """Read a file and find every problem in it; `name` is the one it is put under."""
    decoded = decode(source)
    if decoded.file is None or decoded.document is None:
        return Checked(None, decoded.problems)
    file = decoded.file
    found = _Checks(decoded.document, world)
    problems = [*found.name(file.name, name)]
    problems += found.phrases(file) if isinstance(file, Phrases) else found.playbook(file)
    problems = sorted(problems[:MAX_PROBLEMS], key=lambda problem: (problem.line, problem.path))
    return Checked(None if problems else file, problems)


class _Checks:
    def __init__(self, document: Document, world: World) -> None:
        self._document = document
        self._world = world

    def _problem(self, path: Path, text: str) -> Problem:
        return Problem(line=self._document.line(path), path=shown(path), text=text)

    def name(self, found: str, wanted: str | None) -> Iterator[Problem]:
        if wanted is not None and found != wanted:
            yield self._problem(("name",), f"the name {found!r} is not {wanted!r}, which it is put under: use one name")
        if found in RESERVED:
            yield self._problem(("name",), f"the name {found!r} is taken by the desk: choose another")

    def phrases(self, file: Phrases) -> Iterator[Problem]:
        for key, text in file.phrases.items():
            path: Path = ("phrases", key)
            if key not in _PHRASES:
                yield self._problem(path, f"the phrase {key!r} is not known: {choose(key, PhraseKey)}")
                continue
            known = PHRASE_VALUES.get(PhraseKey(key), frozenset[str]())
            yield from self._text(path, text, known, "the values of this phrase")

    def playbook(self, book: Playbook) -> Iterator[Problem]:
        yield from self._handles(book)
        yield from self._slots(book)
        names = list(self._step_names(book.steps))
        yield from names
        if not names:
            yield from self._ways(book)
        for at, step in enumerate(book.steps):
            yield from self._step(book, at, step)

    def _handles(self, book: Playbook) -> Iterator[Problem]:
        for at, handle in enumerate(book.handles):
            path: Path = ("handles", at)
            intents = self._world.intents
            if intents is not None and handle.intent != ANY_INTENT and handle.intent not in intents:
                known = choose(handle.intent, [ANY_INTENT, *intents])
                yield self._problem((*path, "intent"), f"the intent {handle.intent!r} is not known: {known}")
            if handle.intent == ANY_INTENT and not handle.words and not handle.entities:
                yield self._problem(path, "`intent: any` would take every message: give `words` or `entities`")
            if handle.only and not handle.words:
                yield self._problem((*path, "only"), "`only` needs `words`: add them")
            for field, words in (("words", handle.words), ("without", handle.without)):
                yield from self._words((*path, field), words)

    def _words(self, path: Path, words: Sequence[str]) -> Iterator[Problem]:
        for at, each in enumerate(words):
            if not 1 <= len(pieces(each)) <= MAX_PIECES:
                text = f"{each!r} has {len(pieces(each))} pieces: write 1 to {MAX_PIECES}, with blanks between"
                yield self._problem((*path, at), text)

    def _slots(self, book: Playbook) -> Iterator[Problem]:
        for name, slot in book.slots.items():
            path: Path = ("slots", name)
            if name in BUILT_IN or name == "item":
                yield self._problem(path, f"the name {name!r} is taken by the desk: choose another")
            if isinstance(slot, ChoiceSlot):
                values = [option.value for option in slot.options]
                for at, option in enumerate(slot.options):
                    yield from self._words((*path, "options", at, "words"), option.words)
                    yield from self._text(
                        (*path, "options", at, "label"), option.label, frozenset(), "values of a label"
                    )
                    if option.value in values[:at]:
                        text = f"the option {option.value!r} is there twice: remove one"
                        yield self._problem((*path, "options", at, "value"), text)

    def _step_names(self, steps: Sequence[Step]) -> Iterator[Problem]:
        """Names twice, and names that lead nowhere."""
        named = [step.id for step in steps if step.id]
        for at, step in enumerate(steps):
            if step.id and step.id in named[: named.index(step.id)] + [one.id for one in steps[:at]]:
                yield self._problem(("steps", at, "id"), f"the step {step.id!r} is there twice: rename one")
            for field, target in _targets(step):
                if target not in named:
                    text = f"there is no step {target!r}: {choose(target, named)}"
                    yield self._problem(("steps", at, *field), text)

    def _ways(self, book: Playbook) -> Iterator[Problem]:
        flow = Flow(book.steps, self._changes)
        ids, reachable = step_ids(book.steps), flow.reachable()
        for at in range(len(book.steps)):
            if at not in reachable:
                yield self._problem(("steps", at), f"no way leads to the step {ids[at]!r}: remove it, or go to it")
        if endless := flow.endless():
            ring = ", ".join(repr(ids[at]) for at in endless)
            text = f"these steps can follow each other for ever: {ring}; put a question between them that waits"
            yield self._problem(("steps", endless[0]), text)
        filled, confirmed = flow.filled(), flow.confirmed()
        for at, step in enumerate(book.steps):
            if at not in reachable:
                continue
            if isinstance(step, Call) and self._changes(step.tool) and not confirmed[at]:
                text = f"{step.tool} changes something in the shop: put a `confirm` before it on every way, with no "
                yield self._problem(("steps", at), f"{text}question and no other change between them")
            yield from self._values(book, at, step, filled[at] or frozenset())

    def _changes(self, tool: str) -> bool:
        spec = self._world.tools.get(tool)
        return spec is not None and spec.changes

    def _values(self, book: Playbook, at: int, step: Step, filled: AbstractSet[str]) -> Iterator[Problem]:
        """References in a step to slots that are not there, or not there on every way."""
        local = {"item"} if isinstance(step, Ask) and step.choices else set[str]()
        for path, reference in _references(("steps", at), step, book.slots):
            for name in {each.split(".")[0] for each in (reference.path, reference.other) if each}:
                if name in BUILT_IN or name in filled or name in local:
                    continue
                if name not in book.slots:
                    known = choose(name, [*book.slots, *BUILT_IN])
                    yield self._problem(path, f"there is no slot {name!r}: {known}")
                else:
                    text = f"the slot {name!r} is empty on some way to this step: ask for it, save it, or test it first"
                    yield self._problem(path, text)

    def _step(self, book: Playbook, at: int, step: Step) -> Iterator[Problem]:
        path: Path = ("steps", at)
        for where, text in _texts(path, step, book.slots):
            yield from self._template(where, text)
        match step:
            case Ask():
                yield from self._ask(book, path, step)
            case Call():
                yield from self._call(book, path, step)
            case When():
                yield from self._condition(book, (*path, "if"), step.if_)
            case Forget():
                for number, name in enumerate(step.slots):
                    yield from self._slot(book, (*path, "slots", number), name)
            case _:
                pass

    def _ask(self, book: Playbook, path: Path, step: Ask) -> Iterator[Problem]:
        yield from self._slot(book, (*path, "slot"), step.slot)
        slot = book.slots.get(step.slot)
        if isinstance(slot, DataSlot):
            text = f"the slot {step.slot!r} holds what a tool answers: ask for one of another type"
            yield self._problem((*path, "slot"), text)
        elif slot is not None and slot.question is None and step.text is None:
            text = f"nothing asks for {step.slot!r}: add `text` here or `question` to the slot"
            yield self._problem(path, text)
        if step.choices is not None:
            yield from self._data(book, (*path, "choices", "list"), step.choices.list)

    def _call(self, book: Playbook, path: Path, step: Call) -> Iterator[Problem]:
        spec = self._world.tools.get(step.tool)
        if spec is None:
            text = f"there is no tool {step.tool!r}: {choose(step.tool, self._world.tools)}"
            yield self._problem((*path, "tool"), text)
            return
        for name in step.arguments:
            if name not in spec.arguments:
                text = f"{step.tool} takes no {name!r}: {choose(name, spec.arguments)}"
                yield self._problem((*path, "with", name), text)
        for name, kind in spec.arguments.items():
            if not kind.endswith("?") and name not in step.arguments:
                yield self._problem(path, f"{step.tool} needs {name!r}: add it to `with`")
        if step.save is not None:
            yield from self._data(book, (*path, "save"), step.save)
        if spec.needs_customer and book.log_in is None:
            text = f"{step.tool} needs a customer who is logged in: add `log_in` to the playbook, for those who are not"
            yield self._problem((*path, "tool"), text)

    def _slot(self, book: Playbook, path: Path, name: str) -> Iterator[Problem]:
        if name not in book.slots:
            yield self._problem(path, f"there is no slot {name!r}: {choose(name, book.slots)}")

    def _data(self, book: Playbook, path: Path, name: str) -> Iterator[Problem]:
        root = name.split(".", maxsplit=1)[0]
        yield from self._slot(book, path, root)
        if root in book.slots and not isinstance(book.slots[root], DataSlot):
            yield self._problem(path, f"the slot {root!r} is no `data` slot: use one")

    def _condition(self, book: Playbook, path: Path, condition: Condition) -> Iterator[Problem]:
        tests = ("equals", "in_", "exists", "less", "greater")
        given = [name for name in tests if getattr(condition, name) is not None]
        groups = [name for name in ("all", "any", "not_") if getattr(condition, name) is not None]
        if len(groups) + (condition.slot is not None) != 1 or len(given) != (condition.slot is not None):
            text = "write `slot` with one of equals, in, exists, less, greater; or one of all, any, not"
            yield self._problem(path, text)
        if condition.slot is not None and condition.slot.split(".")[0] not in BUILT_IN:
            yield from self._slot(book, (*path, "slot"), condition.slot.split(".")[0])
        for field in ("less", "greater"):
            bound = getattr(condition, field)
            if isinstance(bound, str) and bound != "now":
                yield self._problem((*path, field), f"{bound!r} is neither a number nor `now`: write one of them")
        for number, each in enumerate(condition.all or ()):
            yield from self._condition(book, (*path, "all", number), each)
        for number, each in enumerate(condition.any or ()):
            yield from self._condition(book, (*path, "any", number), each)
        if condition.not_ is not None:
            yield from self._condition(book, (*path, "not"), condition.not_)

    def _text(self, path: Path, text: Text, known: Collection[str], what: str) -> Iterator[Problem]:
        """A text with a fixed set of values."""
        for where, template in _languages(path, text):
            bad = list(self._template(where, template))
            yield from bad
            for reference in () if bad else _of(template):
                if reference.path not in known:
                    yield self._problem(
                        where, f"{{{reference.path}}} is none of {what}: {choose(reference.path, known)}"
                    )

    def _template(self, path: Path, template: str) -> Iterator[Problem]:
        try:
            parts(template)
        except NotATemplate as error:
            yield self._problem(path, str(error))


def _targets(step: Step) -> Iterator[tuple[Path, str]]:
    """The steps that a step names, each with the field that names it."""
    for field in ("no", "go", "otherwise", "to", "found", "nothing", "helped"):
        target = getattr(step, field, None)
        if isinstance(target, str):
            yield (field,), target
    if isinstance(step, Call):
        for field in ("not_found", "invalid", "unavailable", "refused"):
            target: Any = getattr(step.on, field)
            if isinstance(target, str):
                yield ("on", field), target
        if isinstance(step.on.refused, Mapping):
            for reason, target in step.on.refused.items():
                yield ("on", "refused", reason), target


def _languages(path: Path, text: Text) -> Iterator[tuple[Path, str]]:
    yield (*path, "en"), text.en
    yield (*path, "zh-Hant"), text.hant
    yield (*path, "zh-Hans"), text.hans


def _texts(path: Path, step: Step, slots: Mapping[str, Slot]) -> Iterator[tuple[Path, str]]:
    """Every template of a step, with its path."""
    for field in ("text", "summary", "offer"):
        text = getattr(step, field, None)
        if isinstance(text, Text):
            yield from _languages((*path, field), text)
    if isinstance(step, Ask):
        if step.choices is not None:
            yield from _languages((*path, "choices", "label"), step.choices.label)
        yield from _asked(slots.get(step.slot), step)
    if isinstance(step, Call):
        for name, value in step.arguments.items():
            yield (*path, "with", name), value
    query = getattr(step, "query", None)
    if isinstance(query, str):
        yield (*path, "query"), query


def _asked(slot: Slot | None, step: Ask) -> Iterator[tuple[Path, str]]:
    """The templates of a slot that a question for it uses."""
    if slot is None or isinstance(slot, DataSlot):
        return
    if slot.question is not None and step.text is None:
        yield from _languages(("slots", step.slot, "question"), slot.question)
    if slot.invalid is not None:
        yield from _languages(("slots", step.slot, "invalid"), slot.invalid)


def _references(path: Path, step: Step, slots: Mapping[str, Slot]) -> Iterator[tuple[Path, Reference]]:
    for where, template in _texts(path, step, slots):
        for reference in _of(template):
            yield where, reference
    if isinstance(step, Ask) and step.choices is not None:
        yield (*path, "choices", "list"), Reference(step.choices.list)


def _of(template: str) -> Sequence[Reference]:
    try:
        return [part for part in parts(template) if isinstance(part, Reference)]
    except NotATemplate:
        return []
