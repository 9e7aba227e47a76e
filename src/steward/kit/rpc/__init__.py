"""gRPC: a Protocol's implementation served to, and its client used by, other processes.

`RpcService` describes a service once, from its descriptor and its Protocol; `RpcServer` serves implementations,
`RpcClient` calls them. The caller's `Ctx` travels as a signed token of 60 seconds, failures keep their class, deadline
and cancellation cross, and values are converted by one codec compiled for each pair of message and Python type.
Pitfall: a client and a server of different versions may differ in fields only as protobuf allows, and a reader must
bear a closed set's new value only after it knows it: roll out servers' enums to clients first.
"""
