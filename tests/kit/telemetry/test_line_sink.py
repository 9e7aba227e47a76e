"""Lines of the access log that come close together leave in one system call, and none stays behind."""

import asyncio
import io

from steward.kit.telemetry.logs import LineSink


class Flushes(io.BytesIO):
    """Counts how often it was flushed."""

    count = 0

    def flush(self) -> None:
        self.count += 1


def sink_to(stream: io.BytesIO) -> LineSink:
    return LineSink(stream, dropped=lambda: None)


async def test_lines_of_a_busy_moment_leave_together() -> None:
    stream = Flushes()
    sink = sink_to(stream)
    sink.write_soon(b"first\n")
    await asyncio.sleep(0)
    assert stream.count == 1, "after a quiet moment a line does not wait"
    for _ in range(20):
        sink.write_soon(b"more\n")
        await asyncio.sleep(0)
    assert stream.count == 1
    await asyncio.sleep(0.03)
    assert stream.count == 2


async def test_end_of_the_process_leaves_no_line_behind() -> None:
    stream = Flushes()
    sink = sink_to(stream)
    sink.write_soon(b"first\n")
    await asyncio.sleep(0)
    sink.write_soon(b"last\n")
    sink.flush()
    assert stream.count == 2
