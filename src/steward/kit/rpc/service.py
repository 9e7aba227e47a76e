"""Describes a service: which gRPC method stands for which method of its Protocol, and how their values convert."""

from collections.abc import AsyncIterator, Callable, Mapping
from inspect import Parameter, isfunction, signature
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from steward.kit.rpc.convert import Codec, codec


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One gRPC method beside the Protocol's method that it stands for."""

    rpc: str
    method: str
    path: str
    """The HTTP/2 path of the call, `/package.Service/Rpc`."""
    streams: bool
    """Whether the answer is a stream."""
    request: type[msgspec.Struct]
    """The method's keyword arguments with their defaults."""
    requests: Codec[Any]
    answers: Codec[Any]


class RpcService:
    """A service as both ends see it; built once at import, so that a mismatch stops the process at its start.

    `operations` maps each gRPC method to the Protocol's method. Every one of both sides must be named exactly once.
    """

    def __init__(
        self,
        name: str,
        descriptor: ServiceDescriptor,
        protocol: type[Any],
        operations: Mapping[str, Callable[..., Any]],
    ) -> None:
        self.name = name
        """The service's own name, `tenants`; addresses are looked up by it."""
        self.full_name = descriptor.full_name
        """The gRPC name, `steward.v1.TenantService`; health, reflection and callers' tokens use it."""
        self.protocol = protocol
        _check(descriptor, protocol, operations)
        self.operations: Mapping[str, Operation] = {
            rpc: _operation(descriptor.methods_by_name[rpc], method) for rpc, method in operations.items()
        }


def _check(descriptor: ServiceDescriptor, protocol: type[Any], operations: Mapping[str, Callable[..., Any]]) -> None:
    methods = {name for name, value in vars(protocol).items() if isfunction(value) and not name.startswith("_")}
    bound = sorted(method.__name__ for method in operations.values())
    if set(operations) != set(descriptor.methods_by_name) or bound != sorted(methods):
        described = set(descriptor.methods_by_name)
        raise TypeError(
            f"{descriptor.full_name} and {protocol.__name__} differ in their operations;"
            f" in rpc.py and not in the .proto (run `make proto`): {sorted(set(operations) - described)},"
            f" in the .proto and not in rpc.py: {sorted(described - set(operations))},"
            f" in api.py and not in rpc.py: {sorted(methods - set(bound))},"
            f" in rpc.py and not in api.py: {sorted(set(bound) - methods)}, all of rpc.py: {bound}"
        )


def _operation(descriptor: MethodDescriptor, method: Callable[..., Any]) -> Operation:
    hints = get_type_hints(method, include_extras=True)
    streams = get_origin(hints["return"]) is AsyncIterator
    if streams != descriptor.server_streaming or descriptor.client_streaming:
        raise TypeError(f"{descriptor.full_name} must be a server stream exactly if its method is an AsyncIterator")
    request = _request(descriptor.input_type.name, method, hints)
    answer = get_args(hints["return"])[0] if streams else hints["return"]
    return Operation(
        rpc=descriptor.name,
        method=method.__name__,
        path=f"/{descriptor.containing_service.full_name}/{descriptor.name}",
        streams=streams,
        request=request,
        requests=codec(descriptor.input_type, request),
        answers=codec(descriptor.output_type, answer),
    )


def _request(name: str, method: Callable[..., Any], hints: Mapping[str, Any]) -> type[msgspec.Struct]:
    """A struct with a field for each keyword-only argument."""
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for one in signature(method).parameters.values():
        if one.name in {"self", "ctx"}:
            continue
        if one.kind is not Parameter.KEYWORD_ONLY:
            raise TypeError(f"{method.__qualname__}: argument {one.name} must be keyword-only")
        required = one.default is Parameter.empty
        fields.append((one.name, hints[one.name]) if required else (one.name, hints[one.name], one.default))
    return msgspec.defstruct(name, fields, kw_only=True, frozen=True)
