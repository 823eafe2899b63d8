"""Clients that leave, broken upstreams, signals, slow and idle clients, too few descriptors, stores that change, and kill -9."""

import contextlib
import os
import re
import resource
import shutil
import signal
import socket
import threading
import time

from harness import (
    AGENT,
    CHAT,
    PROMPT,
    Proxy,
    Sandbox,
    check,
    cpu_seconds,
    eventually,
    head,
    main,
    median,
    percentile,
    post,
    receive_head,
    receive_rest,
    settings,
    store,
    write_store,
)

TARGET = "/openai/v1/chat/completions"


def stream(proxy, events, interval, timeout=30):
    """A stream under way: the connection and what has arrived of its body."""
    connection = proxy.connect(timeout)
    connection.sendall(post(TARGET, CHAT, {"Sandbox-Events": events, "Sandbox-Interval": interval, "Connection": "close"}))
    _, rest = receive_head(connection)
    while rest.count(b"data:") < 3:
        rest += connection.recv(65536)
    return connection, rest


def leaving_clients(sandbox, proxy):
    for name, leave in (
        ("closes", lambda connection: connection.close()),
        (
            "resets",
            lambda connection: (connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"), connection.close()),
        ),
    ):
        worst = 0
        for _ in range(5):
            sandbox.control("DELETE", "audit")
            connection, _ = stream(proxy, 1000, "100ms")
            began = time.monotonic()
            leave(connection)
            gone = eventually(lambda: sandbox.audit()["aborted"] == 1, within=5, every=0.005)
            worst = max(worst, time.monotonic() - began if gone else 5)
        check(worst < 0.25, f"a client {name} mid-stream: its upstream is closed, worst of 5", f"{worst * 1000:.0f} ms", "under 250 ms")
    sandbox.control("DELETE", "audit")
    sandbox.fault("/v1/chat/completions", "slow", duration="5s")
    connection = proxy.connect()
    connection.sendall(post(TARGET, CHAT))
    time.sleep(0.3)
    began = time.monotonic()
    connection.close()
    gone = eventually(lambda: sandbox.audit()["aborted"] == 1, within=7, every=0.005)
    seconds = time.monotonic() - began
    check(gone and seconds < 0.25, "a client leaves before the answer: its upstream is closed", f"{seconds * 1000:.0f} ms", "under 250 ms")


def broken_upstreams(sandbox, proxy):
    """What a provider breaks is seen as broken by the client, and by nobody else."""
    request = post(TARGET, CHAT, {"Connection": "close", "Sandbox-Interval": "0"})
    for kind, members, is_sound in (
        ("cut", {"afterBytes": 600}, lambda text: text.startswith(b"HTTP/1.1 200") and not text.endswith(b"0\r\n\r\n")),
        ("drop", {}, lambda text: text.startswith(b"HTTP/1.1 502")),
        ("status", {"status": 500}, lambda text: text.startswith(b"HTTP/1.1 500")),
    ):
        sandbox.control("DELETE", "audit")
        sandbox.fault("/v1/chat/completions", kind, **members)
        with contextlib.closing(proxy.connect()) as connection:
            connection.sendall(request)
            text = receive_rest(connection)
        posts = sandbox.audit()["modelRequests"]
        after = proxy.ask(TARGET, CHAT)[0]
        check(
            is_sound(text) and posts == 1 and after == 200,
            f"an upstream that answers with {kind}: the client sees it, a POST is not sent twice",
            f"{text[:12]!r}, {posts} request, the next one {after}",
        )
    sandbox.fault("/v1/models", "cut", afterBytes=20)
    with contextlib.closing(proxy.connect()) as connection:
        connection.sendall(head("GET", "/openai/v1/models", {"Connection": "close"}))
        text, body = receive_head(connection)
        body += receive_rest(connection)
    length = int(re.search(r"(?i)content-length: (\d+)", text)[1])
    check(len(body) < length, "an upstream cut within a Content-Length: so is the client's answer", f"{len(body)} of {length} bytes")


# MARK: - Signals


def signals(sandbox):
    proxy = Proxy(sandbox.state)
    connection, seen = stream(proxy, 12, "100ms")
    idle = proxy.connect()
    proxy.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    refused = False
    try:
        proxy.connect(2).close()
    except OSError:
        refused = True
    idle.settimeout(1)
    check(refused and idle.recv(1) == b"", "SIGTERM during a stream: new connections are refused, idle ones closed")
    seen += receive_rest(connection)
    code = proxy.process.wait(10)
    check(b"[DONE]" in seen and seen.endswith(b"0\r\n\r\n") and code == 0, "SIGTERM during a stream lets it end", f"exit {code}", "exit 0")

    proxy = Proxy(sandbox.state)
    connection, seen = stream(proxy, 1000, "100ms")
    proxy.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    began = time.monotonic()
    proxy.process.send_signal(signal.SIGTERM)
    seen += receive_rest(connection)
    code = proxy.process.wait(10)
    seconds = time.monotonic() - began
    check(
        b"[DONE]" not in seen and not seen.endswith(b"0\r\n\r\n") and seconds < 1,
        "a second SIGTERM cuts it, visibly",
        f"after {seconds * 1000:.0f} ms, exit {code}",
        "under 1 s",
    )

    with Proxy(sandbox.state) as proxy:
        began = time.monotonic()
        code = proxy.end()
        check(code == 0, "SIGTERM with nothing to do", f"exit {code} after {(time.monotonic() - began) * 1000:.0f} ms", "exit 0")


def signal_during_refresh(sandbox):
    """The token endpoint has spent the refresh token and is slow to say so; two signals do not make us forget to listen."""
    saved = store(sandbox.state)["profiles"]
    for count in (1, 2):
        login = sandbox.login()
        write_store(sandbox.state, {"openai-codex:signal": login})
        sandbox.forget()
        sandbox.fault("/oauth/token", "slow", duration="2s")
        proxy = Proxy(sandbox.state)
        answers = []
        client = threading.Thread(target=lambda: answers.append(attempt(proxy)))
        client.start()
        eventually(lambda: sandbox.audit()["refreshesGranted"] == 1)
        for _ in range(count):
            proxy.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
        code = proxy.process.wait(15)
        client.join()
        kept = store(sandbox.state)["profiles"]["openai-codex:signal"]["refresh"] != login["refresh"]
        with Proxy(sandbox.state) as proxy:
            again = attempt(proxy)
        audit = sandbox.audit()
        check(
            kept and again == 200 and audit["tokenPosts"] == 1 and code == 0,
            f"{count} SIGTERM during a refresh: the token is kept",
            f"exit {code}, the client got {answers[0]}, the next process {again}, {audit['tokenPosts']} POST",
            "exit 0, 200, 1 POST",
        )
    write_store(sandbox.state, saved)


def attempt(proxy):
    try:
        return proxy.ask(body=PROMPT)[0]
    except Exception as error:  # noqa: BLE001  cut is an answer, too
        return type(error).__name__


# MARK: - Slow and idle clients


def slow_head(sandbox):
    config = settings(sandbox, 'timeouts: { head: "2s", bodyIdle: "2s", keepAlive: "2s" }')
    with Proxy(sandbox.state, config=config) as proxy:
        for name, pieces in (("head", head("POST", TARGET)[:-4]), ("first byte alone", b"P")):
            with contextlib.closing(proxy.connect(10)) as connection:
                began = time.monotonic()
                answer = dribble(connection, pieces, 0.25)
                seconds = time.monotonic() - began
            check(
                answer.startswith(b"HTTP/1.1 408") and 1.9 < seconds < 3,
                f"slowloris, {name}: closed after its absolute deadline",
                f"{seconds:.2f} s, {answer[:12]!r}",
                "408 at 2 s",
            )
        with contextlib.closing(proxy.connect(10)) as connection:
            connection.sendall(head("POST", TARGET, {}, 100) + b"{")
            began = time.monotonic()
            answer = connection.recv(65536)
            check(
                answer.startswith(b"HTTP/1.1 408"),
                "a body that stops arriving",
                f"{time.monotonic() - began:.2f} s, {answer[:12]!r}",
                "408 at 2 s",
            )
        with contextlib.closing(proxy.connect(10)) as connection:
            began = time.monotonic()
            silent = connection.recv(1) == b""
            check(silent, "a connection without a request is closed", f"{time.monotonic() - began:.2f} s")


def dribble(connection, data, pause):
    """A byte every `pause` seconds until the other side has had enough."""
    connection.settimeout(pause)
    position = 0
    for _ in range(60):
        with contextlib.suppress(socket.timeout):
            return connection.recv(65536)
        if position < len(data):
            with contextlib.suppress(OSError):
                connection.sendall(data[position : position + 1])
            position += 1
    return b"never"


def idle_connections(sandbox, proxy):
    def round_of_requests():
        with contextlib.closing(proxy.connect()) as connection:
            times = []
            for _ in range(100):
                began = time.monotonic()
                connection.sendall(head("GET", "/openai/v1/models"))
                text, rest = receive_head(connection)
                length = int(re.search(r"(?i)content-length: (\d+)", text)[1])
                while len(rest) < length:
                    rest += connection.recv(65536)
                times.append((time.monotonic() - began) * 1000)
            return times

    round_of_requests()
    alone = round_of_requests()
    idle = [proxy.connect() for _ in range(500)]
    # Half of them have begun a head.
    for connection in idle[::2]:
        connection.sendall(b"GET / HT")
    time.sleep(0.3)
    before = cpu_seconds(proxy.pid)
    time.sleep(1)
    spent = cpu_seconds(proxy.pid) - before
    crowded = round_of_requests()
    check(
        median(crowded) < 5,
        "500 idle connections: a request's median",
        f"{median(crowded):.2f} ms (alone {median(alone):.2f}), " f"p99 {percentile(crowded, 0.99):.2f}",
        "under 5 ms",
    )
    check(spent <= 0.02, "500 idle connections: processor time of a second", f"{spent:.2f} s", "0.02 s")
    for connection in idle:
        connection.close()


def few_descriptors(sandbox):
    limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    login = sandbox.login()
    saved = store(sandbox.state)["profiles"]
    write_store(sandbox.state, {**saved, "openai-codex:few": login})
    with Proxy(sandbox.state, preexec=limit) as proxy:
        sandbox.forget()
        crowd = []
        for _ in range(150):
            with contextlib.suppress(OSError):
                crowd.append(proxy.connect(2))
        time.sleep(0.3)
        before = cpu_seconds(proxy.pid)
        time.sleep(2)
        spent = cpu_seconds(proxy.pid) - before
        check(
            spent < 0.2 and proxy.is_alive,
            "64 descriptors, 150 connections: processor time of two seconds",
            f"{spent:.2f} s",
            "under 0.2 s",
        )
        for connection in crowd:
            connection.close()
        began = time.monotonic()
        status = eventually(lambda: attempt_chat(proxy) == 200, within=10)
        check(status, "64 descriptors: it serves again when they have left", f"after {time.monotonic() - began:.2f} s", "10 s")

        # As many as leave a few: an expired token must be refreshed and written even so, or not be spent.
        crowd = []
        for _ in range(60):
            with contextlib.suppress(OSError):
                crowd.append(proxy.connect(2))
        early = proxy.connect(2) if not crowd else crowd[0]
        with contextlib.suppress(OSError):
            early.settimeout(8)
            early.sendall(post("/openai-codex@few/v1/responses", PROMPT, {"Sandbox-Interval": "0"}))
            early.recv(65536)
        for connection in crowd:
            connection.close()
        answer = eventually(lambda: attempt_pin(proxy) == 200, within=30, every=0.5)
        audit = sandbox.audit()
        check(
            answer and audit["reusesDetected"] == 0,
            "64 descriptors, all taken, and a refresh: no token is lost",
            f"{audit['tokenPosts']} POST, {audit['reusesDetected']} reuses",
            "0 reuses",
        )
    write_store(sandbox.state, saved)


def attempt_chat(proxy):
    with contextlib.suppress(Exception):
        return proxy.ask(TARGET, CHAT, timeout=2)[0]
    return None


def attempt_pin(proxy):
    with contextlib.suppress(Exception):
        return proxy.ask("/openai-codex@few/v1/responses", timeout=10)[0]
    return None


# MARK: - Changes by others


def changed_store(sandbox):
    """A login by another tool is in use within a second: right after the start, and where there was no store before."""
    saved = store(sandbox.state)["profiles"]
    worst = 0
    for number in range(15):
        keys = [
            sandbox.control("POST", "accounts", {"provider": "openai", "kind": "api_key", "account": f"{name}-{number}"})["key"]
            for name in ("old", "new")
        ]
        entries = [{"openai:changed": {"type": "api_key", "provider": "openai", "key": key}} for key in keys]
        write_store(sandbox.state, entries[0])
        with Proxy(sandbox.state) as proxy:
            write_store(sandbox.state, entries[1])
            began = time.monotonic()
            seen = eventually(lambda: b'" new-' in proxy.ask(TARGET, CHAT)[2], within=3)
            worst = max(worst, time.monotonic() - began if seen else 3)
    check(worst < 1, "a store that another tool changes as we start is in use, worst of 15", f"after {worst * 1000:.0f} ms", "within 1 s")

    shutil.rmtree(os.path.join(sandbox.state, "agents"))
    with Proxy(sandbox.state) as proxy:
        before = proxy.ask(TARGET, CHAT)[0]
        os.makedirs(os.path.join(sandbox.state, AGENT), 0o700)
        write_store(sandbox.state, saved)
        began = time.monotonic()
        seen = eventually(lambda: proxy.ask(TARGET, CHAT)[0] == 200, within=40, every=0.05)
        seconds = time.monotonic() - began
        check(
            before == 403 and seen and seconds < 1.5,
            "the first profile of a new installation is in use",
            f"{before}, then 200 after {seconds:.2f} s",
            "within about 1 s",
        )


# MARK: - kill -9


def killed(sandbox):
    proxy = Proxy(sandbox.state)
    port = proxy.port
    connection, seen = stream(proxy, 1000, "50ms")
    proxy.end(signal.SIGKILL)
    receive_rest(connection)
    began = time.monotonic()
    with Proxy(sandbox.state, port=port) as proxy:
        status = proxy.ask(TARGET, CHAT)[0]
        check(
            status == 200, "kill -9 mid-stream, and a start on the same port", f"{status} after {(time.monotonic() - began) * 1000:.0f} ms"
        )


def suite():
    sandbox = Sandbox()
    with Proxy(sandbox.state) as proxy:
        leaving_clients(sandbox, proxy)
        broken_upstreams(sandbox, proxy)
        idle_connections(sandbox, proxy)
    signals(sandbox)
    signal_during_refresh(sandbox)
    slow_head(sandbox)
    few_descriptors(sandbox)
    changed_store(sandbox)
    killed(sandbox)


main(suite)
