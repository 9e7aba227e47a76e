"""How subjects are written in the database: `kind:id`, and `tenant:` for the tenant itself."""

from collections.abc import Sequence
from typing import Final

from steward.kit.errors import InvalidInput
from steward.services.costs.api import Subject, SubjectKind

SEPARATOR: Final = "\x1f"
"""Between subjects; no id holds it."""


def subject_key(subject: Subject) -> str:
    """`kind:id`."""
    return f"{subject.kind}:{'' if subject.kind is SubjectKind.TENANT else subject.id}"


def subject_of(key: str) -> Subject:
    """The subject in `kind:id`."""
    kind, _, name = key.partition(":")
    return Subject(SubjectKind(kind), name)


def teams_of(path: str) -> Sequence[str]:
    """Keys of a team and of those above it, from the top: `team:shop`, `team:shop/search`."""
    steps = path.split("/")
    return [f"{SubjectKind.TEAM}:{'/'.join(steps[: place + 1])}" for place in range(len(steps))]


def counted_for(subjects: Sequence[Subject]) -> str:
    """Keys of the tenant, of each subject, and of the teams above a team, joined by `SEPARATOR`."""
    keys = [f"{SubjectKind.TENANT}:"]
    for subject in subjects:
        if subject.kind is SubjectKind.TEAM:
            keys += teams_of(subject.id)
        else:
            keys.append(subject_key(subject))
    distinct = dict.fromkeys(keys)
    text = SEPARATOR.join(distinct)
    if "\0" in text or text.count(SEPARATOR) >= len(distinct):
        raise InvalidInput("the id of a subject holds a control character: send one without", field="subjects")
    return text
