"""Eight processes that share a state directory, four hundred clients, one expired login: the provider sees one refresh."""

import asyncio
import os
import re
import signal
import time

from harness import Proxy, PROMPT, STREAM, Sandbox, check, eventually, main, post, store, write_store

PROCESSES, CLIENTS, ROUNDS = 8, 50, 5
PROFILE = "openai-codex:race"
REQUEST = post("/openai-codex/v1/responses", PROMPT, {**STREAM, "Connection": "close"})


async def one(port, start):
    """Connects, waits for the others, asks; the status of the answer, or the error."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await start.wait()
        writer.write(REQUEST)
        answer = await asyncio.wait_for(reader.read(), 60)
        writer.close()
        status = int(answer.split(b" ", 2)[1])
        return status if status != 200 or b"response.completed" in answer else "truncated"
    except (OSError, IndexError, ValueError, asyncio.TimeoutError) as error:
        return type(error).__name__


async def stampede(ports, then=None):
    """All clients at once; the answers by port, and the seconds it took."""
    start = asyncio.Event()
    clients = [(port, asyncio.create_task(one(port, start))) for port in ports for _ in range(CLIENTS)]
    await asyncio.sleep(0.2)
    began = time.monotonic()
    start.set()
    if then:
        await asyncio.to_thread(then)
    answers = {}
    for port, client in clients:
        answers.setdefault(port, []).append(await client)
    return answers, time.monotonic() - began


def fresh_expiry(sandbox, proxies):
    """A new login that has expired, put into the store by "another tool", and in use everywhere."""
    write_store(sandbox.state, {PROFILE: sandbox.login()})
    # DESIGN: a file changed by someone else is in use within a second.
    time.sleep(1)
    sandbox.forget()


def totals(answers):
    counts = {}
    for status in (status for some in answers.values() for status in some):
        counts[status] = counts.get(status, 0) + 1
    return counts


def judge(sandbox, counts, expected, name):
    audit = sandbox.audit()
    seen = f"{audit['tokenPosts']} POST, {audit['reusesDetected']} reuses, answers {counts}"
    check(
        audit["tokenPosts"] == 1
        and audit["refreshesGranted"] == 1
        and audit["reusesDetected"] == 0
        and audit["refused"] == 0
        and counts == {200: expected},
        name,
        seen,
        f"1 POST, 0 reuses, {expected} × 200",
    )


def lane_holder(sandbox, proxies):
    """The process that holds a lane's lock: /proc/locks names inode and process."""
    locks = os.path.join(sandbox.state, "keybearer/locks")
    lanes = {os.stat(os.path.join(locks, name)).st_ino for name in os.listdir(locks) if name.startswith("lane-")}
    for line in open("/proc/locks"):
        found = re.search(r"FLOCK\s+ADVISORY\s+WRITE (\d+) \S+:(\d+) ", line)
        if found and int(found[2]) in lanes:
            return next((proxy for proxy in proxies if proxy.pid == int(found[1])), None)
    return None


def suite():
    sandbox = Sandbox()
    write_store(sandbox.state, {PROFILE: sandbox.login()})
    proxies = [Proxy(sandbox.state) for _ in range(PROCESSES)]
    ports = [proxy.port for proxy in proxies]
    everyone = PROCESSES * CLIENTS

    for number in range(ROUNDS):
        fresh_expiry(sandbox, proxies)
        answers, seconds = asyncio.run(stampede(ports))
        judge(sandbox, totals(answers), everyone, f"{PROCESSES} processes × {CLIENTS} clients, round {number + 1}, in {seconds:.2f} s")

    fresh_expiry(sandbox, proxies)
    sandbox.fault("/oauth/token", "slow", duration="2s")
    answers, seconds = asyncio.run(stampede(ports))
    judge(sandbox, totals(answers), everyone, f"a token endpoint that takes 2 s, in {seconds:.2f} s")

    waiter_dies(sandbox, proxies)
    holder_dies(sandbox)


def waiter_dies(sandbox, proxies):
    """One process is killed while it waits for another's refresh."""
    fresh_expiry(sandbox, proxies)
    sandbox.fault("/oauth/token", "slow", duration="2s")
    victims = []

    def kill_a_waiter():
        holder = eventually(lambda: lane_holder(sandbox, proxies), within=2)
        time.sleep(0.5)
        victim = next(proxy for proxy in proxies if proxy is not holder)
        victim.end(signal.SIGKILL)
        victims.extend([holder, victim])

    answers, seconds = asyncio.run(stampede([proxy.port for proxy in proxies], kill_a_waiter))
    check(victims[0] is not None, "the process that refreshes is told by its lock")
    answers.pop(victims[1].port)
    judge(sandbox, totals(answers), (PROCESSES - 1) * CLIENTS, f"one waiting process is killed, in {seconds:.2f} s")


def holder_dies(sandbox):
    """The process that refreshes is killed between the provider's commit and the answer: the point at which a login may be lost. The
    others must neither hang nor ask more than once, and nothing may be blanked."""
    proxies = [Proxy(sandbox.state) for _ in range(PROCESSES)]
    fresh_expiry(sandbox, proxies)
    before = store(sandbox.state)["profiles"][PROFILE]
    sandbox.fault("/oauth/token", "slow", duration="2s")
    victims = []

    def kill_the_holder():
        eventually(lambda: sandbox.audit()["refreshesGranted"], within=5)
        holder = lane_holder(sandbox, proxies)
        holder.end(signal.SIGKILL)
        victims.append(holder)

    answers, seconds = asyncio.run(stampede([proxy.port for proxy in proxies], kill_the_holder))
    answers.pop(victims[0].port)
    counts = totals(answers)
    audit = sandbox.audit()
    check(
        set(counts) <= {200, 403} and sum(counts.values()) == (PROCESSES - 1) * CLIENTS and seconds < 10,
        "the refreshing process is killed (an unavoidable point): every other client is answered",
        f"{counts} in {seconds:.2f} s",
        "200 or 403, under 10 s",
    )
    check(audit["tokenPosts"] <= 2, "the token in doubt is tried at most once more", f"{audit['tokenPosts']} POSTs", "≤ 2")
    after = store(sandbox.state)["profiles"][PROFILE]
    check(after == before or 200 in counts, "nothing in the store is blanked or overwritten by a loser")
    for proxy in proxies:
        proxy.end()


main(suite)
