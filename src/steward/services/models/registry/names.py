"""What names stand for: pure look-up in what a tenant and the installation have registered."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from steward.services.models.api import (
    AliasInput,
    CallOptions,
    Candidate,
    Complexity,
    ModelInfo,
    TaskType,
)
from steward.services.models.calls.routing import routed_size
from steward.services.models.errors import ModelNotAllowed, ModelNotFound, ProvidersUnavailable
from steward.services.models.ports import Endpoint, Resolved, Target
from steward.services.models.registry.records import AliasRow

_MAX_REMEMBERED: Final = 2000
_MAX_MODEL: Final = 200
_OWNER: Final = "steward"


class Registry(msgspec.Struct, frozen=True, kw_only=True):
    """What one owner, a tenant or the installation, has registered, ready for use."""

    endpoints: Mapping[str, Endpoint] = {}
    aliases: Mapping[str, AliasRow] = {}
    allowed: Sequence[str] | None = None


class Names:
    """Every name of one tenant: its own, and those of the installation that it does not hide by the same name."""

    def __init__(self, own: Registry, base: Registry, max_output_tokens: int) -> None:
        self.base = base
        self._own = own
        self._endpoints = {**base.endpoints, **own.endpoints}
        self._aliases = {**base.aliases, **own.aliases}
        self._max_output_tokens = max_output_tokens
        self._resolved: dict[tuple[str, TaskType | None, Complexity | None], Resolved] = {}

    def resolve(self, model: str, options: CallOptions) -> Resolved:
        """See `Directory`. Raises `ModelNotFound`, `ModelNotAllowed`, `ProvidersUnavailable`."""
        key = (model, options.task, options.complexity)
        found = self._resolved.get(key)
        if found is None:
            found = self._look_up(model, options)
            if len(self._resolved) >= _MAX_REMEMBERED:
                self._resolved.clear()
            self._resolved[key] = found
        return found

    def endpoint(self, name: str) -> Endpoint | None:
        """A connection by its name."""
        return self._endpoints.get(name)

    def listed(self) -> Sequence[ModelInfo]:
        """Aliases, and what they stand for as `connection/model`, by name; of these what is allowed."""
        found: dict[str, ModelInfo] = {}
        for alias in self._aliases.values():
            at = int(alias.updated_at.timestamp())
            for each in alias.settings.candidates:
                if each.connection in self._endpoints:
                    name = f"{each.connection}/{each.model}"
                    found.setdefault(name, ModelInfo(name=name, owned_by=each.connection, created=at))
        for alias in self._aliases.values():
            at = int(alias.updated_at.timestamp())
            found[alias.name] = ModelInfo(name=alias.name, owned_by=_OWNER, created=at)
        return [found[name] for name in sorted(found) if self._is_allowed(name)]

    def knows(self, model: str) -> bool:
        """Whether the name stands for anything, allowed or not."""
        return model in self._aliases or self._direct(model) is not None

    def _look_up(self, model: str, options: CallOptions) -> Resolved:
        alias = self._aliases.get(model)
        settings = self._direct(model) if alias is None else alias.settings
        if settings is None:
            raise ModelNotFound(model)
        if not self._is_allowed(model):
            raise ModelNotAllowed(model)
        chosen = _chosen(settings, options)
        targets = [
            Target(endpoint=self._endpoints[each.connection], candidate=each)
            for each in chosen
            if each.connection in self._endpoints
        ]
        if not targets:
            gone = ", ".join(sorted({each.connection for each in chosen}))
            raise ProvidersUnavailable(model, f"there is no connection {gone} any more")
        return Resolved(
            alias=model,
            settings=settings,
            targets=targets,
            own=alias is not None and model in self._own.aliases,
            revision=_revision(alias, targets),
        )

    def _direct(self, model: str) -> AliasInput | None:
        """`connection/model` as an alias of one candidate."""
        connection, slash, name = model.partition("/")
        if not slash or not name or len(name) > _MAX_MODEL or connection not in self._endpoints:
            return None
        if not (name.isascii() and name.isprintable() and " " not in name):
            return None
        only = Candidate(connection=connection, model=name, max_output_tokens=self._max_output_tokens)
        return AliasInput(candidates=(only,))

    def _is_allowed(self, name: str) -> bool:
        allowed = self._own.allowed
        if allowed is None:
            return True
        return any(name.startswith(each[:-1]) if each.endswith("*") else name == each for each in allowed)


def _chosen(settings: AliasInput, options: CallOptions) -> Sequence[Candidate]:
    """The candidates that have a share; of a routed alias those of the size that the call goes to."""
    usable = [each for each in settings.candidates if each.weight]
    if not settings.routed:
        return usable
    size = routed_size(usable, options)
    return [each for each in usable if each.size is size]


def _revision(alias: AliasRow | None, targets: Iterable[Target]) -> str:
    digest = hashlib.sha256(alias.revision.bytes if alias is not None else b"")
    for target in targets:
        digest.update(target.endpoint.revision.bytes)
    return digest.hexdigest()[:32]
