"""What a request costs in counts: instructions, calls of malloc, system calls; for each pairing of HTTP versions, and for bodies and events.

Instructions are those of our own executable, which are the same on every processor and with every version of the libraries; `counts.json` holds
what they were, and 5 % more or less fails. Those of the libraries are compared only where these are the ones they were pinned with, and what is
received comes in one piece: how many records a larger body makes is a matter of when its pieces come.

    python3 Tests/full/counts.py --pin     writes what is found into counts.json: after a change that is meant to cost that much, or with
                                           another compiler; the commit then says why
"""

import contextlib
import ctypes.util
import json
import os
import re
import subprocess
import sys
import time

import harness
from harness import Proxy, check, main, tool
from counting import compiled, counting_allocations, counting_system_calls, profile_of, under_callgrind
from stub import Client1, Client2, Stub, stub_state

PINNED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "counts.json")
ALLOWANCE = 0.05
# What turns with the clock (deadlines, the log) is in some windows and not in others.
WINDOWS = 3
PATH = b"/anthropic/v1/messages"


def body(size):
    text = b'{"model":"claude-sonnet-4-5","max_tokens":1024,"messages":[{"role":"user","content":"'
    return text + b"x" * (size - len(text) - 4) + b'"}]}'


class Work:
    """One kind of request: what is sent, what is answered, and what one of it is counted by."""

    def __init__(self, size, *, answer=2048, events=0, count=60, each=1):
        self.body, self.answer, self.events, self.count, self.each = body(size), answer, events, count, each

    @property
    def comes_in_one_piece(self):
        return max(len(self.body), self.answer) <= 16 << 10

    def run(self, stub, client):
        """All of it once, as often as it is counted for."""
        stub.bytes, stub.events = self.answer, self.events
        for _ in range(self.count):
            client.ask(PATH, self.body, ((b"anthropic-version", b"2023-06-01"),))
            if self.events:
                client.begin_events()
                for _ in range(self.events + 1):
                    stub.next.release()
                    client.event()
            else:
                assert client.answer() == self.answer


KIB4, KIB64 = Work(4 << 10), Work(64 << 10, count=30)
EVENTS = Work(1 << 10, events=200, count=1, each=200)
LARGE = Work(1 << 10, answer=16 << 20, count=1, each=16)
# Client and provider, what it is, one of what.
ROWS = (
    (1, 1, "4 KiB request", KIB4), (2, 1, "4 KiB request", KIB4), (1, 2, "4 KiB request", KIB4), (2, 2, "4 KiB request", KIB4),
    (1, 1, "64 KiB request", KIB64), (1, 2, "64 KiB request", KIB64), (2, 2, "64 KiB request", KIB64),
    (1, 1, "event", EVENTS), (1, 2, "event", EVENTS), (2, 2, "event", EVENTS),
    (1, 1, "MiB of a 16 MiB answer", LARGE), (1, 2, "MiB of a 16 MiB answer", LARGE),
)


def named(client, provider, what):
    return f"h{client}/h{provider} {what}"


# MARK: - Instructions

def versions():
    """What the figures depend on beside our own code."""
    def said(*command):
        with contextlib.suppress(OSError):
            return subprocess.run(command, capture_output=True, text=True).stdout.strip().split("\n")[0]

    def loaded(name, function, kind):
        with contextlib.suppress(OSError, AttributeError):
            call = getattr(ctypes.CDLL(ctypes.util.find_library(name)), function)
            call.restype = kind
            return call

    crypto = loaded("crypto", "OpenSSL_version", ctypes.c_char_p)
    nghttp2 = loaded("nghttp2", "nghttp2_version", ctypes.c_void_p)
    return {
        "swift": (re.search(r"Swift version (\S+)", said("swift", "--version") or "") or [None, None])[1],
        "machine": os.uname().machine,
        "openssl": crypto(0).decode() if crypto else None,
        # The version's text is the third member of nghttp2_info, behind two numbers.
        "nghttp2": ctypes.c_char_p.from_address(nghttp2(0) + 8).value.decode() if nghttp2 else None,
        "glibc": os.confstr("CS_GNU_LIBC_VERSION"),
        "valgrind": said("valgrind", "--version"),
    }


def instructions(stub):
    """Of our own executable and of the libraries, for one of each row's unit."""
    found = {}
    for provider in (1, 2):
        rows = [row for row in ROWS if row[1] == provider]
        # No vector instructions that one processor has and another not.
        with under_callgrind(stub_state(stub, http2=provider == 2), environment={"OPENSSL_ia32cap": ":0"}) as (proxy, folder):
            number = 0
            for version, _, what, work in rows:
                with contextlib.closing((Client1, Client2)[version - 1](proxy)) as client:
                    work.run(stub, client)
                    profile_of(proxy, folder, number := number + 1)
                    windows = []
                    # How large bodies are cut differs from window to window, and only ever adds.
                    for _ in range(WINDOWS if work.comes_in_one_piece else 3 * WINDOWS):
                        work.run(stub, client)
                        profile = profile_of(proxy, folder, number := number + 1)
                        own = profile.of(harness.BINARY)
                        units = work.count * work.each
                        windows.append((own / units, (profile.total - own) / units))
                    row = found[named(version, provider, what)] = {"own": round(min(w[0] for w in windows))}
                    if work.comes_in_one_piece:
                        row["libraries"] = round(min(w[1] for w in windows))
    return found


def compare(found, here):
    with open(PINNED) as file:
        pinned = json.load(file)
    same = pinned["versions"] == here
    other = ", ".join(f"{name} {here[name]} (pinned with {value})" for name, value in pinned["versions"].items() if here.get(name) != value)
    if other:
        check.show(f"not what the figures were pinned with: {other}; instructions of libraries are not compared")
    again = "python3 Tests/full/counts.py --pin, and the commit says why"
    for name, row in found.items():
        before = pinned["instructions"].get(name)
        if not before:
            check(False, f"{name}: is pinned", "no", again)
            continue
        for part in row if same else ("own",):
            change = row[part] / before[part] - 1
            advice = ""
            if change > ALLOWANCE:
                advice = f"; find out what costs more, or if it is meant{' or the compiler is another one' if other else ''}: {again}"
            elif change < -ALLOWANCE:
                advice = f"; it has become cheaper, so that the next change would pass unseen: {again}"
            check(abs(change) <= ALLOWANCE, f"{name}: instructions of {'our own' if part == 'own' else 'libraries'}",
                  f"{row[part]:,} and {before[part]:,} pinned, {change:+.1%}{advice}", f"± {ALLOWANCE:.0%}")


# MARK: - Allocations

def allocations(stub, library):
    for provider in (1, 2):
        with counting_allocations(library, stub_state(stub, http2=provider == 2)) as (proxy, calls), contextlib.closing(Client1(proxy)) as client:
            work = Work(4 << 10, count=1000)
            work.run(stub, client)
            windows = []
            for _ in range(6):
                before = calls()
                work.run(stub, client)
                windows.append([(now - then) / work.count for now, then in zip(calls(), before)])
            everybody, path = ([window[place] for window in windows] for place in (0, 1))
            check(
                max(path) < 0.01, f"h1/h{provider}: calls of malloc for a 4 KiB request, of the threads that it passes through",
                f"{', '.join(f'{calls:.3f}' for calls in path)} in windows of {work.count}", "under 0.01")
            # By the clock, not by the request: files are looked at, and what is remembered is written down.
            check.show(f"h1/h{provider}: those of all other threads meanwhile, in all: {sum(round(calls * work.count) for calls in everybody)}")


# MARK: - System calls

# One request on connections that stand, while nothing else is under way.
EXPLAINED = {
    "epoll_wait": "a turn of the loop for the request, one for its answer",
    "recvfrom": "the request from its client, the answer from its provider",
    "sendto": "the request to its provider, the answer to its client",
    "write": "the access log: up to 60 KiB of lines at a time, and the bell that wakes its thread",
    "read": "that bell",
}


def system_calls(stub):
    work = Work(4 << 10, count=1000)
    for provider in (1, 2):
        with Proxy(stub_state(stub, http2=provider == 2), environment={"KEYBEARER_DEBUG": "1"}) as proxy, contextlib.closing(Client1(proxy)) as client:
            work.run(stub, client)
            with counting_system_calls(proxy) as calls:
                # Being attached to wakes the thread that looks after the store, which then reads it.
                time.sleep(0.5)
                work.run(stub, client)
        check.show(f"h1/h{provider}: system calls for a 4 KiB request, one at a time")
        for name, why in EXPLAINED.items():
            check.show(f"    {calls.get(name, 0) / work.count:6.3f} {name:<10} {why}")
        others = sum(number for name, number in calls.items() if name not in EXPLAINED)
        check.show(f"    {others / work.count:6.3f} {'others':<10} the store is read again, once: {', '.join(name for name in calls if name not in EXPLAINED)}")
        total = (sum(calls.values()) - others) / work.count
        # A provider that speaks HTTP/2 lets more in by frames of their own, which come in a turn of theirs or with the answer.
        bar = 6.2 if provider == 1 else 7.2
        check(total <= bar, f"h1/h{provider}: system calls for a 4 KiB request", f"{total:.2f}, and {others} in all by others", f"≤ {bar}")
        check(others < 400, f"h1/h{provider}: system calls that are not of requests do not grow with them", others, "under 400")


def suite():
    tool("valgrind")
    stub = Stub()
    here = versions()
    found = instructions(stub)
    if "--pin" in sys.argv:
        with open(PINNED, "w") as file:
            rows = ",\n".join(f"    {json.dumps(name)}: {json.dumps(row)}" for name, row in found.items())
            file.write(f'{{\n  "versions": {json.dumps(here)},\n  "instructions": {{\n{rows}\n  }}\n}}\n')
    compare(found, here)
    allocations(stub, compiled())
    tool("strace")
    system_calls(stub)


if __name__ == "__main__":
    main(suite)
