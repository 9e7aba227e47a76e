"""The arithmetic of the benchmarks: percentiles, figures, ratios and the end of an answer. No servers."""

import pytest

from bench.http_load import Figures, Load, Round, UnexpectedAnswer, answer_end, cpu_ratios, figures, percentile


def a_round(requests: int, *, seconds: float = 1.0, cpu_s: float = 1.0, latency_s: float = 0.001) -> Round:
    return Round(Load(seconds, [latency_s] * requests), server_cpu_s=cpu_s, postgres_cpu_s=cpu_s / 2)


def test_percentile_is_the_nearest_rank() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert [percentile(values, share) for share in (0.0, 0.2, 0.5, 0.99, 1.0)] == [1.0, 1.0, 3.0, 5.0, 5.0]


def test_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_figures_are_medians_of_rounds_and_percentiles_of_all_requests() -> None:
    rounds = [
        a_round(100, cpu_s=0.1, latency_s=0.001),
        a_round(200, cpu_s=0.4, latency_s=0.002),
        # A round that something else disturbed moves no median.
        a_round(10, cpu_s=9.0, latency_s=0.9),
    ]
    assert figures(rounds) == Figures(
        requests=310,
        rps=100.0,
        p50_ms=pytest.approx(2.0),
        p99_ms=pytest.approx(900.0),
        server_cpu_us=pytest.approx(2000.0),
        postgres_cpu_us=pytest.approx(1000.0),
    )


def test_ratio_compares_cpu_per_request_of_rounds_side_by_side() -> None:
    peer = [a_round(100, cpu_s=0.4), a_round(100, cpu_s=0.6)]
    ours = [a_round(200, cpu_s=0.2), a_round(100, cpu_s=0.1)]
    assert cpu_ratios(peer, ours) == [pytest.approx(4.0), pytest.approx(6.0)]


def test_ratio_refuses_rounds_without_a_partner() -> None:
    with pytest.raises(ValueError, match="zip"):
        cpu_ratios([a_round(1)], [])


def test_end_of_an_answer_is_known_once_its_head_is_whole() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\n"
    assert answer_end(head[:-1]) is None
    assert answer_end(head) == len(head) + 5
    assert answer_end(head + b"hello") == len(head) + 5


def test_answer_of_unknown_length_is_refused() -> None:
    with pytest.raises(UnexpectedAnswer, match="without Content-Length"):
        answer_end(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
