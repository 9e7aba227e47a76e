"""Failures as problem details (RFC 9457): `code` is for programs, `detail` for people."""

import msgspec

PROBLEM_JSON = "application/problem+json"


class ProblemBody(msgspec.Struct, frozen=True, kw_only=True):
    status: int
    code: str
    title: str
    detail: str


class Problem(Exception):
    """Ends a request with an error; what it has written is rolled back."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.body = ProblemBody(status=status, code=code, title=code.replace("_", " ").capitalize(), detail=detail)


def not_found(kind: str, named: str) -> Problem:
    return Problem(404, f"{kind}_not_found", f"There is no {kind} {named} here: check its number.")


def refused(code: str, detail: str) -> Problem:
    """The shop's rules forbid it."""
    return Problem(409, code, detail)
