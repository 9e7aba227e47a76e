"""A resolver that knows the names a test gives it."""

from collections.abc import Mapping, Sequence


class FakeResolver:
    """A `Resolver` with fixed answers; a name with several answers gives one after the other, the last for good."""

    def __init__(self, names: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self._names = {name: list(answers) for name, answers in names.items()}
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int) -> Sequence[str]:  # noqa: ARG002 the port's shape
        """See `Resolver`."""
        self.asked.append(host)
        answers = self._names.get(host)
        if answers is None:
            raise OSError(f"{host} is unknown")
        return answers.pop(0) if len(answers) > 1 else answers[0]
