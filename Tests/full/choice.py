"""What choosing a profile costs a request: allocations and instructions among 1 and 1,000 profiles, and the reading of a body's model.

Counts, not times, where there are counts: calls of malloc by a preloaded library, instructions by callgrind (the same total for the same work,
whatever else the machine does). The share that the look at a body has in forwarding it is processor time, in pairs.
"""

import contextlib
import json
import os
import re
import statistics
import time

import harness
from harness import (
    Proxy,
    Sandbox,
    check,
    main,
    post,
    receive_head,
    store,
    tool,
    write_store,
)
from counting import compiled, counting_allocations, processor_time, profile_of, under_callgrind

REQUESTS = 300
# What the rest of the process does now and then (it watches the store, writes down what was used) is in some windows and not in others.
WINDOWS = 10
SESSION = {"Keybearer-Session": "the-one-that-asks"}
# Passing over those that rest is a loop of loads, of which a processor of today does three instructions and more in a cycle: at 3 GHz, 9,000
# in a microsecond.
INSTRUCTIONS_A_MICROSECOND = 8000


def profiles(sandbox, count):
    """The key that the sandbox takes, `count` times, so that whoever is chosen serves."""
    saved = store(sandbox.state)["profiles"]
    key = next(profile for profile in saved.values() if profile["provider"] == "openai")
    return {f"openai:p{number:04}": dict(key) for number in range(count)}


def resting(sandbox, ids):
    """All of these rest for an hour, as the provider has said."""
    path = os.path.join(sandbox.state, harness.AGENT, "auth-state.json")
    until = int(time.time() * 1000) + 3_600_000
    stats = {name: {"cooldownUntil": until, "cooldownReason": "rate_limit", "errorCount": 1, "lastFailureAt": until - 3_600_000} for name in ids}
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"version": 1, "usageStats": stats}, file)


def turn(connection, request):
    connection.sendall(request)
    text, rest = receive_head(connection)
    length = int(re.search(r"(?i)content-length: (\d+)", text)[1])
    while len(rest) < length:
        rest += connection.recv(65536)
    return text


def requests(proxy, request, count):
    with contextlib.closing(proxy.connect()) as connection:
        for _ in range(count):
            text = turn(connection, request)
    return text


# MARK: - Allocations

def allocations(sandbox, library, request):
    """Calls of malloc and its kin a request, in steady state, of all threads; and the last answer's head."""
    with counting_allocations(library, sandbox.state) as (proxy, read):
        requests(proxy, request, 100)
        windows = []
        for _ in range(WINDOWS):
            before, _ = read()
            text = requests(proxy, request, REQUESTS)
            windows.append((read()[0] - before) / REQUESTS)
        return min(windows), text


# MARK: - Instructions

def instructions(sandbox, request, count=60):
    """What the worker took for a request."""
    with under_callgrind(sandbox.state) as (proxy, folder):
        requests(proxy, request, 50)
        profile_of(proxy, folder, 1)
        windows = []
        for window in range(WINDOWS):
            requests(proxy, request, count)
            windows.append(profile_of(proxy, folder, window + 2).total / count)
        return min(windows)


# MARK: - The look at a body

def body(size, *, model_last):
    text = json.dumps("The quick brown fox jumps over the lazy dog.\n" * (size // 45))[1:-1]
    prompt = f'"input":"{text}"'
    members = [prompt, '"model":"gpt-5"'] if model_last else ['"model":"gpt-5"', prompt]
    return ("{" + ",".join(members) + "}").encode()


def share_of_look(proxy, content, pairs=120, count=25):
    """Processor time of forwarding it as JSON, over the same as plain text, which is not looked into: the median of pairs, and how far that may
    be from the truth (its standard error, by the quartiles)."""
    asked = {kind: post("/openai/v1/files/nothing", content, {"Content-Type": kind}) for kind in ("application/json", "text/plain")}
    shares = []
    for pair in range(pairs):
        spent = {}
        for kind in sorted(asked, reverse=pair % 2 == 0):
            before = processor_time(proxy.pid)
            requests(proxy, asked[kind], count)
            spent[kind] = processor_time(proxy.pid) - before
        shares.append(spent["application/json"] / spent["text/plain"] - 1)
    low, middle, high = statistics.quantiles(shares, n=4)
    return middle, 1.2533 * (high - low) / 1.349 / pairs**0.5


def suite():
    tool("valgrind")
    library = compiled()
    sandbox = Sandbox()
    plain = post("/openai/v1/chat/completions", b'{"model":"m","messages":[{"role":"user","content":"hi"}]}')
    in_session = post("/openai/v1/chat/completions", b'{"model":"m","messages":[{"role":"user","content":"hi"}]}', SESSION)
    found = {}
    for name, count, rests in (("1 profile", 1, 0), ("1,000 profiles", 1000, 0), ("1,000 of which 999 rest", 1000, 999)):
        ids = profiles(sandbox, count)
        write_store(sandbox.state, ids)
        resting(sandbox, list(ids)[:rests])
        calls, text = allocations(sandbox, library, plain)
        of_session, _ = allocations(sandbox, library, in_session)
        check(f"Keybearer-Profile: openai:p{rests:04}" in text, f"{name}: the one that was meant to serve did")
        found[name] = (calls, of_session, instructions(sandbox, plain))
        check.show(f"{name}: {calls:.2f} allocations, in a session {of_session:.2f}, {found[name][2]:,.0f} instructions a request")
    alone = found["1 profile"]
    for name, (calls, of_session, count) in found.items():
        # One that every choice made would be a whole one more; OpenSSL's own come to a little more or less.
        check(max(calls, of_session) - alone[0] < 0.8, f"{name}: choosing allocates nothing", f"{calls:.2f} and {of_session:.2f}, alone {alone[0]:.2f}")
        check(
            count - alone[2] < INSTRUCTIONS_A_MICROSECOND, f"{name}: choosing takes less than a microsecond",
            f"{count - alone[2]:,.0f} instructions more than among one")
    write_store(sandbox.state, profiles(sandbox, 2))
    resting(sandbox, [])
    with Proxy(sandbox.state) as proxy:
        for name, last in (("first", False), ("last", True)):
            share, error = share_of_look(proxy, body(1 << 20, model_last=last))
            check(share < 0.02, f"the model of a 1 MiB body, {name} in it: reading it costs under 2 % of forwarding", f"{share:.2%} ± {error:.2%}")


if __name__ == "__main__":
    main(suite)
