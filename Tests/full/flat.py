"""What does not grow with what there is: cost per request among many profiles, sessions and open streams, and with a second worker; and what is
resident after ten minutes of mixed load (KEYBEARER_FLAT_MINUTES for another time).

Instructions of our own executable where they tell, which are the same whatever else the machine does; else processor time in pairs, whose windows
take turns.
"""

import contextlib
import os
import random
import resource
import subprocess
import threading
import time

import harness
from harness import Proxy, Sandbox, check, main, median, status, temporary_folder, tool
from counting import processor_time, profile_of, under_callgrind
from stub import Client1, Client2, Stub, stub_state

PATH = b"/anthropic/v1/messages"
BODY = b'{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"' + b"x" * 4000 + b'"}]}'
SESSIONS, STREAMS = 100_000, 5_000
MINUTES = float(os.environ.get("KEYBEARER_FLAT_MINUTES", "10"))


def requests(client, count, sessions=None):
    """One after the other, of a session each time where there are some."""
    for number in range(count):
        client.ask(PATH, BODY, ((b"keybearer-session", b"s-%d" % sessions(number)),) if sessions else ())
        client.answer()


# MARK: - Profiles and sessions

def instructions(state, sessions=None, count=60):
    """Of our own executable, of the worker, a request."""
    with under_callgrind(state) as (proxy, folder), contextlib.closing(Client1(proxy)) as client:
        requests(client, 50, sessions)
        profile_of(proxy, folder, 1)
        windows = []
        for number in (2, 3, 4):
            requests(client, count, sessions)
            windows.append(profile_of(proxy, folder, number).of(harness.BINARY) / count)
        return min(windows)


def flat(found, what, allowance=0.02):
    """Judges counts by the first of them."""
    first = next(iter(found.values()))
    for name, count in found.items():
        check(count <= first * (1 + allowance), f"{what}: {name}", f"{count:,.0f} instructions a request, {count / first - 1:+.1%}", f"+{allowance:.0%}")


def profiles(stub):
    flat({f"{count} profiles": instructions(stub_state(stub, http2=True, profiles=count)) for count in (1, 100, 1000)}, "cost per request")


def sessions(stub):
    state = stub_state(stub, http2=True)
    alone = instructions(state, lambda number: 7)
    with Proxy(state) as proxy:
        with contextlib.closing(Client1(proxy)) as client:
            began = time.monotonic()
            requests(client, SESSIONS, lambda number: number)
            check.show(f"{SESSIONS} sessions begun at {SESSIONS / (time.monotonic() - began):.0f} a second")
        proxy.end()
    pick = random.Random(1)
    known = harness.read(state, "sessions").count("\nsession ")
    check.show(f"{known} of them are known after a restart")
    flat({"1 session": alone, f"{SESSIONS} sessions, another one each time": instructions(state, lambda number: pick.randrange(SESSIONS))}, "cost per request")


# MARK: - Open streams

def open_streams(stub, proxy, count):
    """So many streams that have begun and go on: each client connection is held by what is returned."""
    stub.holds = True
    clients = [Client1(proxy) for _ in range(count)]
    for client in clients:
        client.ask(PATH, BODY)
    for client in clients:
        client.begin_events()
    stub.holds = False
    return clients


def in_pairs(acts, rounds=12):
    """Processor time of each act, which names its process and how often it does its work: nanoseconds for one, a list an act."""
    spent = [[] for _ in acts]
    for turn in range(rounds):
        for place, (pid, count, act) in sorted(enumerate(acts), reverse=turn % 2 == 0):
            before = processor_time(pid)
            act(count)
            spent[place].append((processor_time(pid) - before) / count)
    return spent


def streams(stub):
    with Proxy(stub_state(stub, http2=True)) as few, Proxy(stub_state(stub, http2=True), within=30) as many:
        held = open_streams(stub, many, STREAMS) + open_streams(stub, few, 1)
        one, other = Client1(few), Client1(many)
        requests(one, 500), requests(other, 500)
        acts = [(few.pid, 300, lambda count: requests(one, count)), (many.pid, 300, lambda count: requests(other, count))]
        alone, among = in_pairs(acts, rounds=48)
        ratios = [b / a for a, b in zip(alone, among)]
        check(
            median(ratios) < 1.1, f"cost per request beside {STREAMS} open streams, against one",
            f"{median(among) / 1000:.1f} µs and {median(alone) / 1000:.1f} µs of processor time, {median(ratios):.2f} times", "under 1.10")
        for client in held:
            client.close()


# MARK: - Workers

def workers():
    tool("h2load")
    sandbox = Sandbox()
    body = os.path.join(temporary_folder(), "body")
    with open(body, "wb") as file:
        file.write(b'{"model":"m","messages":[{"role":"user","content":"' + b"x" * 4000 + b'"}]}')

    def load(proxy):
        def act(count):
            said = subprocess.run(
                ["h2load", "--h1", "-c", "32", "-n", str(count), "-d", body, "-H", "content-type: application/json",
                 f"http://127.0.0.1:{proxy.port}/openai/v1/chat/completions"], capture_output=True, text=True).stdout
            assert f"{count} succeeded" in said, said[-500:]
        return act

    with Proxy(sandbox.state, arguments=["--workers", "1"]) as single, Proxy(sandbox.state, arguments=["--workers", "2"]) as double:
        load(single)(4000), load(double)(4000)
        one, two = in_pairs([(single.pid, 8000, load(single)), (double.pid, 8000, load(double))], rounds=10)
        ratios = [b / a for a, b in zip(one, two)]
        check(
            median(ratios) <= 1.1, "cost per request with two workers, against one",
            f"{median(two) / 1000:.1f} µs and {median(one) / 1000:.1f} µs of processor time, {median(ratios):.2f} times", "≤ 1.10")


# MARK: - Ten minutes

def mixed(stub, proxy, kind, chance, until, counts):
    """One client's part of the load: connections that stay and that go, requests of all sizes, streams that end and that are left."""
    while time.monotonic() < until:
        with contextlib.suppress(ConnectionError), contextlib.closing(kind(proxy)) as client:
            for _ in range(chance.randrange(1, 40)):
                size = chance.choice((500, 500, 4000, 4000, 4000, 64_000, 1_000_000))
                session = b"s-%d" % chance.randrange(1000)
                client.ask(PATH, b'{"model":"m","messages":[{"role":"user","content":"' + b"x" * size + b'"}]}', ((b"keybearer-session", session),))
                if chance.random() < 0.01:
                    break
                client.answer()
                counts[kind] = counts.get(kind, 0) + 1


def ten_minutes(stub):
    state = stub_state(stub, http2=True, profiles=100)
    end = MINUTES * 60
    resident = []
    with Proxy(state) as proxy:
        began, counts = time.monotonic(), {}
        clients = [
            threading.Thread(target=mixed, args=(stub, proxy, (Client1, Client2)[number % 2], random.Random(number), began + end, counts)) for number in range(4)
        ]
        for client in clients:
            client.start()
        chance = random.Random(99)
        while time.monotonic() < began + end:
            # What the provider answers with changes all the time.
            stub.bytes = chance.choice((200, 2048, 2048, 30_000, 500_000))
            time.sleep(0.5)
            resident.append((time.monotonic() - began, status(proxy.pid, "VmRSS"), status(proxy.pid, "RssAnon")))
        for client in clients:
            client.join()
        check.show(f"{sum(counts.values())} requests in {MINUTES:g} minutes")
        minute = min(60, end / 10)
        early = median([rss for at, rss, _ in resident if minute - 5 <= at <= minute + 5])
        late = median([rss for at, rss, _ in resident if at >= end - 10])
        for share in (0.1, 0.25, 0.5, 0.75, 1):
            at, rss, anon = resident[min(len(resident) - 1, int(len(resident) * share))]
            check.show(f"after {at:.0f} s: {rss} KiB resident, {anon} KiB of it its own")
        check(
            late <= early * 1.02, f"resident after {MINUTES:g} minutes of mixed load, against after {minute:.0f} s", f"{late} and {early} KiB, {late / early - 1:+.1%}",
            "+2 %")


def suite():
    tool("valgrind")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    stub = Stub()
    profiles(stub)
    sessions(stub)
    streams(stub)
    workers()
    ten_minutes(stub)


if __name__ == "__main__":
    main(suite)
