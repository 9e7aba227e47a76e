"""Settings of logs, metrics and traces."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class LogFormat(StrEnum):
    AUTO = "auto"
    """Text where standard error is a terminal, JSON everywhere else."""
    JSON = "json"
    """One JSON object a line, for programs."""
    TEXT = "text"
    """One line a record (and one for each frame of a stack), for a person at a terminal."""


class TelemetrySettings(msgspec.Struct, frozen=True, kw_only=True):
    """What this process tells of itself, and where to."""

    service_name: Annotated[
        str, Meta(min_length=1, max_length=64, description="Name of this process in logs and traces.")
    ] = "steward"
    log_level: Annotated[LogLevel, Meta(description="Records below this level are not written.")] = LogLevel.INFO
    log_format: Annotated[LogFormat, Meta(description="How log lines look: for programs or for people.")] = (
        LogFormat.AUTO
    )
    otlp_endpoint: Annotated[
        str,
        Meta(
            pattern=r"^(https?://\S+)?$",
            description="OpenTelemetry collector that takes spans over gRPC, as http://host:4317 or https://…; "
            "empty sends none.",
        ),
    ] = ""
    trace_sample_ratio: Annotated[
        float,
        Meta(ge=0, le=1, description="Share of new traces that are sent; a caller's decision for its trace is kept."),
    ] = 1.0
    metrics_tenant_labels: Annotated[
        int,
        Meta(ge=0, le=10_000, description="How many tenants get a metrics label of their own; the rest are `other`."),
    ] = 200
