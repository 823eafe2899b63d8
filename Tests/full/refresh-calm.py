"""Fifty logins that expire at once under load: what the others notice of it, and that a slow token endpoint holds up nobody else's refresh.

h2load asks with a key, at a steady rate, in windows that take turns. Fifty logins are asked for in all of them: in one kind they are good, and it
is the answers that take two seconds; in the other they have expired, and it is the token endpoint. What differs is the refreshes alone.
Everybody else would be another machine: the provider of those logins and those who ask for them get the processor time that nobody else wants,
and h2load and its provider never wait for a processor (where we may say so: root may), so that what is measured is what Keybearer does to requests.
"""

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from counting import counting_system_calls
from harness import PROMPT, Proxy, Sandbox, check, main, percentile, spawn, store, temporary_folder, tool, write_store

LOGINS, ROUNDS, SECONDS, CLIENTS, RATE = 50, 6, 15, 4, 1000
# Starts of one client's refreshes are so far apart (StartSpacing).
APART = 0.25
TARGET = "/openai-codex@l{}/v1/responses"


def as_another_machine(number=0):
    os.sched_setscheduler(number, os.SCHED_IDLE, os.sched_param(0))


def as_one_that_never_waits(number=0):
    try:
        os.sched_setscheduler(number, os.SCHED_FIFO, os.sched_param(1))
        return True
    except PermissionError:
        return False


def threads(sandbox):
    return [int(name) for name in os.listdir(f"/proc/{sandbox.pid}/task")]


def ask(port, apart):
    """Asks for every login, that far apart: prints the statuses, and the seconds until the last was answered."""
    import http.client

    def one(number):
        time.sleep(number * apart)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("POST", TARGET.format(number), PROMPT)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    began = time.monotonic()
    with ThreadPoolExecutor(LOGINS) as askers:
        statuses = list(askers.map(one, range(LOGINS)))
    print(json.dumps([statuses, time.monotonic() - began]))


def storm(proxy, apart=0.0):
    asking = spawn(
        [sys.executable, "-B", __file__, "--ask", str(proxy.port), str(apart)], stdout=subprocess.PIPE, text=True, preexec_fn=as_another_machine)
    return json.loads(asking.communicate()[0])


def window(proxy, folder, apart):
    """The milliseconds that each of h2load's requests took while the logins were asked for, and what became of those."""
    body = os.path.join(folder, "body")
    with open(body, "w") as file:
        file.write('{"model":"m","messages":[{"role":"user","content":"hi"}]}')
    logs = [os.path.join(folder, f"h2load-{number}.log") for number in range(CLIENTS)]
    # A process each, since the connections of one make their requests all at once.
    loads = [
        spawn([tool("h2load"), "--h1", "-c", "1", f"--rps={RATE // CLIENTS}", "-D", str(SECONDS), "-d", body, "-H", "content-type: application/json",
               f"--log-file={log}", f"http://127.0.0.1:{proxy.port}/openai/v1/chat/completions"], stdout=subprocess.DEVNULL, preexec_fn=as_one_that_never_waits)
        for log in logs]
    time.sleep(0.3)
    statuses, seconds = storm(proxy, apart)
    check(statuses == [200] * LOGINS, f"{LOGINS} {'good' if apart else 'expired'} logins are asked for and answered", f"in {seconds:.1f} s")
    rows = []
    for load, log in zip(loads, logs):
        load.wait(SECONDS)
        with open(log) as file:
            rows += [line.split() for line in file]
        os.remove(log)
    check(len(rows) > 0.99 * SECONDS * RATE and all(status == "200" for _, status, _ in rows), f"the others' {len(rows)} requests meanwhile are answered")
    return [int(microseconds) / 1000 for _, _, microseconds in rows]


def state_between(near, far):
    """The state of `far`, whose logins are refreshed there, with the key that is good at `near`; and its settings."""
    both = os.path.join(os.path.dirname(far.state), "both.pem")
    with open(both, "w") as file:
        for sandbox in (near, far):
            with open(sandbox.ca) as authority:
                file.write(authority.read())
    text = far.settings.replace(far.ca, both)
    own = f'openai: {{ baseURL: "{far.base}" }}'
    assert own in text
    path = os.path.join(os.path.dirname(far.state), "between.json5")
    with open(path, "w") as file:
        file.write(text.replace(own, f'openai: {{ baseURL: "{near.base}" }}'))
    return path, {name: profile for name, profile in store(near.state)["profiles"].items() if profile["provider"] == "openai"}


def prepare(far, others, expired, slow=True):
    """Fifty new logins, good or expired, and what takes two seconds, if anything does."""
    write_store(far.state, {**others, **{f"openai-codex:l{number}": far.login(account=f"acc-{number}", expired=expired) for number in range(LOGINS)}})
    # A file changed by someone else is in use within a second.
    time.sleep(1.5)
    far.forget()
    if slow:
        far.fault("/oauth/token" if expired else "/v1/responses", "slow", duration="2s", times=1000)


def suite():
    near, far, folder = Sandbox(), Sandbox(), temporary_folder()
    for thread in threads(far):
        as_another_machine(thread)
    if not all([as_one_that_never_waits(thread) for thread in threads(near)]):
        check.show("h2load and its provider may wait for a processor here, since real-time scheduling is refused: their waits are in what follows")
    config, others = state_between(near, far)
    with Proxy(far.state, config=config) as proxy:
        calm, loud = [], []
        for number in range(ROUNDS):
            found = {}
            for expired in (False, True) if number % 2 == 0 else (True, False):
                prepare(far, others, expired)
                found[expired] = window(proxy, folder, 0.0 if expired else APART)
            check.show("p99 {:.2f} ms, while they are refreshed {:.2f} ms".format(*(percentile(found[kind], 0.99) for kind in (False, True))))
            calm += found[False]
            loud += found[True]
        for share, name in ((0.5, "median"), (0.99, "p99")):
            before, after = percentile(calm, share), percentile(loud, share)
            check(
                after < before * 1.2, f"{name} of requests with another profile, {RATE}/s, while {LOGINS} are refreshed",
                f"{before:.2f} ms, then {after:.2f} ms, × {after / before:.2f}", "under × 1.20")
        prepare(far, {**others, "anthropic:late": far.login("anthropic")}, True)
        crowd = threading.Thread(target=storm, args=(proxy,))
        crowd.start()
        time.sleep(0.5)
        began = time.monotonic()
        code = proxy.ask("/anthropic@late/v1/messages", b'{"model":"m","max_tokens":1,"messages":[]}')[0]
        seconds = time.monotonic() - began
        crowd.join()
        check(code == 200 and seconds < 1, "an expired login of another provider is refreshed behind 50 that wait for a slow one", f"in {seconds:.2f} s", "under 1 s")
    # Fifty again, as fast as they may start: counts, which no load moves.
    with Proxy(far.state, config=config, environment={"KEYBEARER_DEBUG": "1"}) as proxy:
        prepare(far, others, True, slow=False)
        with counting_system_calls(proxy) as calls:
            statuses, _ = storm(proxy)
        check(statuses == [200] * LOGINS, f"{LOGINS} expired logins are asked for and answered under strace")
        total = sum(calls.values()) / LOGINS
        most = ", ".join(f"{count / LOGINS:.0f} {name}" for name, count in list(calls.items())[:6])
        check(total <= 600, "system calls for a refresh and the request that waits for it, in all threads", f"{total:.0f}: {most}…", "≤ 600")


if __name__ == "__main__":
    ask(int(sys.argv[2]), float(sys.argv[3])) if "--ask" in sys.argv else main(suite)
