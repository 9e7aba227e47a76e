"""What other dialects said, in words of this one that come back unchanged.

A Responses item has no field for Anthropic's proof of thinking, nor for a server's own tool use. The proof travels in
`encrypted_content`, which clients hand back as it came, together with the text that it proves: clients may drop the
text. Other parts travel as items of a type of our own with the maker's name before a colon, as Open Responses wants
extensions to be (specification, "Extending Items").
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Final

import msgspec

from steward.services.models.errors import InvalidParameter
from steward.services.models.messages import Dialect, Opaque, Part, Reasoning
from steward.services.models.wire.responses.fields import Fields

_MARK: Final = "steward1."
_CHANGED: Final = "is not as it was given: send the item back unchanged"
_OURS: Final = "steward:part"
_DIALECTS: Final[Mapping[str, Dialect]] = {f"{one.value}:": one for one in (Dialect.OPENAI, Dialect.ANTHROPIC)}


class _Proof(msgspec.Struct, frozen=True, omit_defaults=True):
    text: str = ""
    signature: str | None = None
    redacted: str | None = None


_proof: Final = msgspec.json.Decoder(_Proof)
_part: Final = msgspec.json.Decoder(Part)


def encrypted_of(part: Reasoning) -> str | None:
    """`encrypted_content` of a reasoning item."""
    if part.signature is None and part.redacted is None:
        return part.encrypted
    packed = msgspec.json.encode(_Proof(text=part.text, signature=part.signature, redacted=part.redacted))
    return _MARK + base64.urlsafe_b64encode(packed).decode()


def reasoning_of(
    encrypted: str | None, *, text: str, item_id: str | None, summary: tuple[str, ...], path: str
) -> Reasoning:
    """The part that an item is. Raises `InvalidParameter` for a proof that was changed on its way."""
    if encrypted is None or not encrypted.startswith(_MARK):
        return Reasoning(text=text, id=item_id, encrypted=encrypted, summary=summary)
    try:
        found = _proof.decode(base64.urlsafe_b64decode(encrypted[len(_MARK) :].encode()))
    except (binascii.Error, UnicodeEncodeError, msgspec.DecodeError) as error:
        raise InvalidParameter(path, _CHANGED) from error
    return Reasoning(text=found.text, signature=found.signature, redacted=found.redacted, id=item_id, summary=summary)


def foreign_item(part: Part, item_id: str, status: str) -> dict[str, object]:
    """An item for a part that this dialect has no words for."""
    if isinstance(part, Opaque):
        return {"type": f"{part.dialect}:{part.type}", "id": item_id, "status": status, "raw": part.raw}
    return {"type": _OURS, "id": item_id, "status": status, "part": part}


def foreign_part(kind: str, fields: Fields) -> Part | None:
    """The part that such an item is; None for an item of another kind."""
    if kind == _OURS:
        raw = fields.raw("part")
        try:
            return _part.decode(raw or b"")
        except msgspec.DecodeError as error:
            raise InvalidParameter(
                fields.name("part"), "is not as it was given: send the item back unchanged"
            ) from error
    for prefix, dialect in _DIALECTS.items():
        if kind.startswith(prefix):
            raw = fields.raw("raw")
            if raw is None:
                raise InvalidParameter(fields.name("raw"), "is missing: send the item back unchanged")
            return Opaque(dialect=dialect, type=kind[len(prefix) :], raw=raw.copy())
    return None
