"""Fifty logins that expire at once under load: what the others notice of it, and that a slow token endpoint holds up nobody else's refresh.

The token endpoint takes two seconds for each. A client of its own asks with a key, at a steady rate, and is measured from the moment at which
each request was due; windows with and without the storm take turns, and ratios are of neighbours.
"""

import json
import subprocess
import sys
import threading
import time

from harness import Proxy, PROMPT, Sandbox, check, main, median, percentile, store, write_store

LOGINS, ROUNDS, RATE = 50, 4, 250
TARGET = "/openai-codex@l{}/v1/responses"


def steady(port, seconds):
    """The client: prints the delays of its requests in milliseconds, from when each was due."""
    from stub import Client1

    class Address:
        def connect(self, timeout):
            import socket

            connection = socket.create_connection(("127.0.0.1", port), timeout)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection

    client, delays = Client1(Address()), []
    began = time.monotonic() + 0.05
    for number in range(int(seconds * RATE)):
        due = began + number / RATE
        time.sleep(max(0, due - time.monotonic()))
        client.ask(b"/openai/v1/chat/completions", b'{"model":"m","messages":[{"role":"user","content":"hi"}]}')
        client.answer()
        delays.append((time.monotonic() - due) * 1000)
    print(json.dumps(delays))


def window(proxy, seconds, meanwhile=None):
    """Delays of the steady client, and what `meanwhile` came to."""
    client = subprocess.Popen([sys.executable, "-B", __file__, "--steady", str(proxy.port), str(seconds)], stdout=subprocess.PIPE, text=True)
    time.sleep(0.5)
    result = meanwhile() if meanwhile else None
    delays = json.loads(client.communicate()[0])
    return delays, result


def storm(sandbox, proxy):
    """Every expired login is asked for at once: statuses, and the seconds until the last was answered."""
    answers = []

    def ask(number):
        answers.append(proxy.ask(TARGET.format(number), PROMPT, timeout=60)[0])

    began = time.monotonic()
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(LOGINS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers, time.monotonic() - began


def expire(sandbox, others):
    write_store(sandbox.state, {**others, **{f"openai-codex:l{number}": sandbox.login(account=f"acc-{number}") for number in range(LOGINS)}})
    # A file changed by someone else is in use within a second.
    time.sleep(1.5)
    sandbox.forget()
    sandbox.fault("/oauth/token", "slow", duration="2s", times=1000)


def suite():
    sandbox = Sandbox()
    others = {name: profile for name, profile in store(sandbox.state)["profiles"].items() if profile["provider"] == "openai"}
    with Proxy(sandbox.state) as proxy:
        window(proxy, 2)
        ratios, quiet_ones, loud_ones = {0.5: [], 0.99: []}, [], []
        for _ in range(ROUNDS):
            expire(sandbox, others)
            quiet, _ = window(proxy, 16)
            loud, (answers, seconds) = window(proxy, 16, lambda: storm(sandbox, proxy))
            check(answers == [200] * LOGINS, f"{LOGINS} expired logins asked for at once are all refreshed and answered", f"in {seconds:.1f} s")
            for share, found in ratios.items():
                found.append(percentile(loud, share) / percentile(quiet, share))
            quiet_ones += quiet
            loud_ones += loud
        for share, name in ((0.5, "median"), (0.99, "p99")):
            before, after = percentile(quiet_ones, share), percentile(loud_ones, share)
            check(
                median(ratios[share]) < 1.2, f"{name} of requests with another profile meanwhile, {RATE}/s",
                f"{before:.2f} ms, in the storm {after:.2f} ms; ratios of neighbours {', '.join(f'{ratio:.2f}' for ratio in ratios[share])}",
                "median of ratios under 1.20")
        expire(sandbox, {**others, "anthropic:late": sandbox.login("anthropic")})
        crowd = threading.Thread(target=storm, args=(sandbox, proxy))
        crowd.start()
        time.sleep(0.5)
        began = time.monotonic()
        code = proxy.ask("/anthropic@late/v1/messages", b'{"model":"m","max_tokens":1,"messages":[]}')[0]
        seconds = time.monotonic() - began
        crowd.join()
        check(code == 200 and seconds < 1, "an expired login of another provider is refreshed behind 50 that wait for a slow one", f"in {seconds:.2f} s", "under 1 s")


if __name__ == "__main__":
    steady(int(sys.argv[2]), float(sys.argv[3])) if "--steady" in sys.argv else main(suite)
