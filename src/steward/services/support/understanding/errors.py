"""What the room refuses of a tenant's intents, and why."""

from steward.kit.errors import InvalidInput


class IntentTwice(InvalidInput):
    code = "intent_twice"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the intent {name!r} is given twice: give each name once, with all of its examples",
            field="intents",
            name=name,
        )


class TooFewIntents(InvalidInput):
    code = "too_few_intents"

    def __init__(self, count: int) -> None:
        super().__init__(
            f"{count} intent is none to choose from: give at least two, each with examples",
            field="intents",
            count=count,
        )


class TooManyExamples(InvalidInput):
    code = "too_many_examples"

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(
            f"{count} examples are given and {limit} are allowed in all: leave out those that say the same",
            field="intents",
            count=count,
            limit=limit,
        )
