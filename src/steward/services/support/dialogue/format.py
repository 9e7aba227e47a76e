"""The form of a playbook's YAML, as frozen structs; docs/reference/playbooks.md explains it to its writers."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from steward.services.support.api import AgentType, EntityType, HandOffReason
from steward.services.support.ports import Language

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Id = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,62}$", description="Lower-case letters, digits and `_`.")]
SlotPath = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+){0,5}$",
        max_length=200,
        description="A slot, or `slot.field` within it.",
    ),
]
Line = Annotated[
    str, Meta(min_length=1, max_length=4000, description="Text; `{slot.field|filter}` stands for a value.")
]
Words = Annotated[
    str, Meta(min_length=1, max_length=80, description="Words that occur in this order, near each other.")
]
WordList = Annotated[Sequence[Words], Meta(max_length=200)]
IntentName = Annotated[str, Meta(min_length=1, max_length=100)]
Value = str | int | float | bool

ANY_INTENT = "any"
"""In a handle: whatever the message was taken for."""


class Text(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said, in each language."""

    en: Line
    hant: Line = msgspec.field(name="zh-Hant")
    hans: Line = msgspec.field(name="zh-Hans")

    def of(self, language: Language) -> str:
        if language is Language.EN:
            return self.en
        return self.hant if language is Language.HANT else self.hans


class Handle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of message that a playbook answers. Of several that fit, the one with more conditions is chosen."""

    intent: IntentName
    """An intent of the tenant, or `any`."""
    words: WordList = ()
    """At least one of them occurs."""
    without: WordList = ()
    """None of them occurs."""
    entities: Annotated[Sequence[EntityType], Meta(max_length=5)] = ()
    """All of them occur."""
    only: bool = False
    """The message says nothing but `words`."""
    priority: Annotated[int, Meta(ge=-10, le=10)] = 0
    """Counts before the number of conditions."""


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A test of a slot (`slot` with exactly one test), or exactly one of `all`, `any` and `not`."""

    slot: SlotPath | None = None
    equals: Value | None = None
    in_: Annotated[Sequence[Value], Meta(min_length=1, max_length=50)] | None = msgspec.field(name="in", default=None)
    exists: bool | None = None
    """Whether there is a value; an empty list or text is none."""
    less: float | str | None = None
    """A number, or `now` for a date."""
    greater: float | str | None = None
    all: Annotated[Sequence["Condition"], Meta(min_length=1, max_length=20)] | None = None
    any: Annotated[Sequence["Condition"], Meta(min_length=1, max_length=20)] | None = None
    not_: "Condition | None" = msgspec.field(name="not", default=None)


class _Slot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    question: Text | None = None
    """What asks for it."""
    invalid: Text | None = None
    """What is said of an answer that does not do, before the question."""
    max_tries: Annotated[int, Meta(ge=1, le=5)] = 3
    """How often it is asked before a person is offered."""


class EntitySlot(_Slot, frozen=True, kw_only=True, tag="entity"):
    """Filled from what is named in a message."""

    entity: EntityType
    remember: bool = False
    """Also from what was last named in the session, unless the message speaks of another."""


class TextSlot(_Slot, frozen=True, kw_only=True, tag="text"):
    """Filled by whatever is answered."""

    min_length: Annotated[int, Meta(ge=1, le=1000)] = 1
    max_length: Annotated[int, Meta(ge=1, le=2000)] = 1000


class AddressSlot(_Slot, frozen=True, kw_only=True, tag="address"):
    """Filled by an answer that looks like a postal address, and from `… to <address>` in the first message."""

    min_length: Annotated[int, Meta(ge=1, le=1000)] = 6
    max_length: Annotated[int, Meta(ge=1, le=2000)] = 300


class NumberSlot(_Slot, frozen=True, kw_only=True, tag="number"):
    """Filled by a number in the answer."""

    minimum: float | None = None
    maximum: float | None = None


class YesNoSlot(_Slot, frozen=True, kw_only=True, tag="yes_no"):
    """True or false."""


class Option(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    value: Annotated[str, Meta(min_length=1, max_length=200)]
    label: Text
    words: WordList = ()
    """Words by which it is chosen, besides its label and its number."""


class ChoiceSlot(_Slot, frozen=True, kw_only=True, tag="choice"):
    """One of the options; filled from the first message too where the words of just one option occur in it."""

    options: Annotated[Sequence[Option], Meta(min_length=1, max_length=20)]


class DataSlot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="data"):
    """Holds what a tool answered."""


Slot = EntitySlot | TextSlot | AddressSlot | NumberSlot | YesNoSlot | ChoiceSlot | DataSlot


class _Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do"):
    id: Id | None = None
    """A name to go to."""


class Say(_Step, frozen=True, kw_only=True, tag="say"):
    """Say something and go on."""

    text: Text


class Choices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A list in a data slot to choose from; a list of one is chosen without asking."""

    list: SlotPath
    value: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    """The field of an entry that becomes the slot's value."""
    label: Text
    """How an entry is shown; its fields are `{item.field}`."""


class Ask(_Step, frozen=True, kw_only=True, tag="ask"):
    """Ask for a slot and wait; a slot that is filled is not asked for."""

    slot: Id
    text: Text | None = None
    """Instead of the slot's question."""
    again: bool = False
    """Ask even where the slot is filled."""
    choices: Choices | None = None


class Confirm(_Step, frozen=True, kw_only=True, tag="confirm"):
    """Ask for a yes and wait; a yes goes on to the next step."""

    text: Text
    no: Id | None = None
    """Where a no goes; without it the playbook ends and says that nothing was changed."""


class Branches(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the outcomes of a call go. Without a branch the customer is told, and offered a person."""

    not_found: Id | None = None
    refused: Id | Annotated[Mapping[Annotated[str, Meta(max_length=100)], Id], Meta(max_length=20)] | None = None
    """A step, or a step for each reason, `else` for the others."""
    invalid: Id | None = None
    unavailable: Id | None = None
    """Without it the playbook waits here, and goes on when the customer says so."""


class Call(_Step, frozen=True, kw_only=True, tag="call"):
    """Call a tool of the shop; a success goes on to the next step."""

    tool: Annotated[str, Meta(min_length=1, max_length=100)]
    arguments: Annotated[
        Mapping[Annotated[str, Meta(max_length=100)], Annotated[str, Meta(max_length=1000)]], Meta(max_length=20)
    ] = msgspec.field(name="with", default_factory=dict[str, str])
    """Texts in which `{slot.field}` stands for a value."""
    save: Id | None = None
    """The data slot that keeps the answer."""
    on: Branches = Branches()


class When(_Step, frozen=True, kw_only=True, tag="when"):
    """Go somewhere else if something is so."""

    if_: Condition = msgspec.field(name="if")
    go: Id
    otherwise: Id | None = None
    """Without it the next step."""


class Go(_Step, frozen=True, kw_only=True, tag="go"):
    """Go on at another step."""

    to: Id


class PassOn(_Step, frozen=True, kw_only=True, tag="hand_off"):
    """Hand over to a person, and end."""

    reason: HandOffReason = HandOffReason.PLAYBOOK
    summary: Text | None = None
    """For the person, before what the desk adds: what was wanted, tried and seen."""
    offer: Text | None = None
    """Asked first; handed over on a yes. With reason `no_knowledge` it counts as a miss, and the second one in a row
    is handed over at once."""


class Search(_Step, frozen=True, kw_only=True, tag="search"):
    """Answer from knowledge, with citations."""

    query: Annotated[str, Meta(min_length=1, max_length=1000)] = "{message}"
    found: Id | None = None
    """Without it the next step."""
    nothing: Id | None = None
    """Without it the next step."""


class Guide(_Step, frozen=True, kw_only=True, tag="guide"):
    """Give an instruction, ask whether that helped and wait; a no goes on to the next step."""

    text: Text | None = None
    """Without it only the question."""
    helped: Id | None = None
    """Where a yes goes; without it the playbook ends gladly."""


class Forget(_Step, frozen=True, kw_only=True, tag="forget"):
    """Empty slots, so that they can be asked for again."""

    slots: Annotated[Sequence[Id], Meta(min_length=1, max_length=20)]


class End(_Step, frozen=True, kw_only=True, tag="end"):
    """End the playbook."""

    text: Text | None = None


Step = Say | Ask | Confirm | Call | When | Go | PassOn | Search | Guide | Forget | End


class Playbook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="playbook"):
    """A dialogue."""

    name: Name
    agent: AgentType
    title: Text
    """What it does, to go after “shall we go on with”: `the change of address`."""
    handles: Annotated[Sequence[Handle], Meta(max_length=50)]
    log_in: Text | None = None
    """What an anonymous customer is told instead; must be there where a tool needs a customer."""
    slots: Annotated[Mapping[Id, Slot], Meta(max_length=50)] = {}
    steps: Annotated[Sequence[Step], Meta(min_length=1, max_length=200)]


class Phrases(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="phrases"):
    """What the desk itself says, between and around playbooks; those that are not given stay as shipped."""

    name: Name
    phrases: Annotated[Mapping[Id, Text], Meta(min_length=1, max_length=100)]


File = Playbook | Phrases

STEP_TYPES: Mapping[str, type[Step]] = {
    "say": Say,
    "ask": Ask,
    "confirm": Confirm,
    "call": Call,
    "when": When,
    "go": Go,
    "hand_off": PassOn,
    "search": Search,
    "guide": Guide,
    "forget": Forget,
    "end": End,
}
SLOT_TYPES: Mapping[str, type[Slot]] = {
    "entity": EntitySlot,
    "text": TextSlot,
    "address": AddressSlot,
    "number": NumberSlot,
    "yes_no": YesNoSlot,
    "choice": ChoiceSlot,
    "data": DataSlot,
}
