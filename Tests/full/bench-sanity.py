"""What a request costs the proxy, in system calls and processor time: a sanity check, not a comparison (that is the bench's job)."""

import contextlib
import re
import time

from harness import (
    Proxy,
    STREAM,
    Sandbox,
    CHAT,
    check,
    cpu_seconds,
    head,
    main,
    median,
    percentile,
    post,
    receive_head,
    tool,
)
from counting import counting_system_calls

REQUESTS = 2000


def keep_alive(proxy, request, count):
    """One request after the other on one connection; the time of each in milliseconds."""
    times = []
    with contextlib.closing(proxy.connect()) as connection:
        for _ in range(count):
            began = time.perf_counter()
            connection.sendall(request)
            text, rest = receive_head(connection)
            length = re.search(r"(?i)content-length: (\d+)", text)
            while len(rest) < int(length[1]) if length else not rest.endswith(b"0\r\n\r\n"):
                rest += connection.recv(65536)
            times.append((time.perf_counter() - began) * 1000)
    return times


def suite():
    tool("strace")
    sandbox = Sandbox()
    plain = post("/openai/v1/chat/completions", CHAT.replace(b',"stream":true', b""))
    with Proxy(sandbox.state, environment={"KEYBEARER_DEBUG": "1"}) as proxy:
        keep_alive(proxy, plain, 200)
        for name, request in (
            ("plain POST", plain),
            ("GET", head("GET", "/openai/v1/models")),
            ("stream of 11 events", post("/openai/v1/chat/completions", CHAT, STREAM)),
        ):
            before = cpu_seconds(proxy.pid)
            began = time.monotonic()
            times = keep_alive(proxy, request, REQUESTS)
            rate = REQUESTS / (time.monotonic() - began)
            micros = (cpu_seconds(proxy.pid) - before) / REQUESTS * 1e6
            check.show(
                f"{name}, one connection: {rate:.0f} requests/s, median {median(times):.3f} ms, p99 {percentile(times, 0.99):.3f} ms, "
                f"{micros:.0f} µs of processor time each"
            )
        with counting_system_calls(proxy) as calls:
            keep_alive(proxy, plain, REQUESTS)
        calls = {name: number / REQUESTS for name, number in calls.items()}
        total = sum(calls.values())
        check(
            total <= 6.5,
            "system calls for a keep-alive request, one at a time, TLS upstream",
            f"{total:.2f} ({', '.join(f'{name} {number:.2f}' for name, number in calls.items() if number >= 0.01)})",
            "≤ 6.5",
        )


main(suite)
