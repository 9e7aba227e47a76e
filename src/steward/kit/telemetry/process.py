"""CPU and memory of this process and its host, read when they are scraped."""

from collections.abc import Iterator
from pathlib import Path

import psutil
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from steward.kit.clock import Clock

_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_SHORTEST_S = 0.5


class ProcessUsage(Collector):
    """`steward_cpu_usage_percent`, `steward_memory_usage_bytes` and `steward_memory_limit_bytes` by scope.

    Process CPU is a share of one CPU, for that is what one Python process can use; host CPU is a share of all. Both
    cover the time since the scrape before, or since the start. The memory limit of the process is that of its control
    group (v2), or the host's memory.
    """

    def __init__(self, clock: Clock, cgroup_limit: Path = _CGROUP_LIMIT) -> None:
        self._clock = clock
        self._process = psutil.Process()
        self._cgroup_limit = cgroup_limit
        self._read_at = clock.monotonic()
        self._process_s = self._process_seconds()
        self._host_busy_s, self._host_s = _host_seconds()
        self._percent = {"process": 0.0, "host": 0.0}

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing is read at registration."""
        yield from ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        self._read_cpu()
        cpu = GaugeMetricFamily(
            "steward_cpu_usage_percent",
            "CPU used since the scrape before: by the process of one CPU, by the host of all.",
            labels=["scope"],
        )
        for scope, percent in self._percent.items():
            cpu.add_metric([scope], percent)
        yield cpu
        host = psutil.virtual_memory()
        used = GaugeMetricFamily("steward_memory_usage_bytes", "Memory in use (process: resident).", labels=["scope"])
        used.add_metric(["process"], self._process.memory_info().rss)
        used.add_metric(["host"], host.total - host.available)
        yield used
        limit = GaugeMetricFamily("steward_memory_limit_bytes", "Memory there is to use.", labels=["scope"])
        limit.add_metric(["process"], min(self._group_limit() or host.total, host.total))
        limit.add_metric(["host"], host.total)
        yield limit

    def _read_cpu(self) -> None:
        elapsed = self._clock.monotonic() - self._read_at
        if elapsed < _SHORTEST_S:  # The figures of so short a time would be noise: two scrapers get the same ones.
            return
        process_s = self._process_seconds()
        busy_s, host_s = _host_seconds()
        self._percent["process"] = 100 * (process_s - self._process_s) / elapsed
        if host_s > self._host_s:
            self._percent["host"] = 100 * (busy_s - self._host_busy_s) / (host_s - self._host_s)
        self._read_at += elapsed
        self._process_s, self._host_busy_s, self._host_s = process_s, busy_s, host_s

    def _process_seconds(self) -> float:
        times = self._process.cpu_times()
        return times.user + times.system

    def _group_limit(self) -> int | None:
        try:
            text = self._cgroup_limit.read_text().strip()
        except OSError:
            return None
        return int(text) if text.isdecimal() else None


def _host_seconds() -> tuple[float, float]:
    """CPU seconds of the host since its start: busy ones, and all."""
    times = psutil.cpu_times()._asdict()
    # Linux counts guest time in user time already.
    total = sum(seconds for name, seconds in times.items() if name not in {"guest", "guest_nice"})
    return total - times["idle"] - times.get("iowait", 0.0), total
