"""From exec to the first answered request, and what an idle server is resident with.

The settings are those of the sandbox: a provider over TLS on loopback whose authority is trusted besides the system's. Ten profiles are in the
store. Whoever starts a server waits until it serves, here as a service manager does, which asks nothing of the processors meanwhile; the clock runs
from before the process is made until the answer's last byte is here. Idle is a server that has answered, and to which, and by which, nobody is
connected any more.
"""

import contextlib
import re
import socket
import time

import harness
from harness import (
    Sandbox,
    check,
    clean_environment,
    end,
    main,
    median,
    post,
    receive_head,
    settings,
    spawn,
    status,
    store,
    temporary_folder,
    write_store,
)

STARTS, IDLE, PROFILES = 20, 5, 10
REQUEST = post("/openai/v1/chat/completions", b'{"model":"m","messages":[{"role":"user","content":"hi"}]}')


def free_port():
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return listener.getsockname()[1]


@contextlib.contextmanager
def notices():
    """A socket that a server tells of its readiness (sd_notify), and its path."""
    path = f"{temporary_folder()}/notify.sock"
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as notified:
        notified.bind(path)
        notified.settimeout(10)
        yield notified, path


def answer(connection):
    """The answer's status, with all of its body here."""
    connection.sendall(REQUEST)
    text, rest = receive_head(connection)
    length = int(re.search(r"(?i)content-length: (\d+)", text)[1])
    while len(rest) < length:
        rest += connection.recv(65536)
    return int(text.split()[1])


def start(state, config, log):
    """One server on a port that nobody had, its first status, and when it said that it serves and that was answered, in milliseconds."""
    port = free_port()
    with notices() as (notified, path):
        began = time.monotonic()
        process = spawn(
            [harness.BINARY, "serve", "--state-dir", state, "--config", config, "--listen", f"127.0.0.1:{port}"], stdout=log, stderr=log,
            env={**clean_environment(), "NOTIFY_SOCKET": path})
        assert notified.recv(4096).startswith(b"READY=1")
        ready = time.monotonic()
        with contextlib.closing(socket.create_connection(("127.0.0.1", port), 10)) as connection:
            code = answer(connection)
    return process, code, (ready - began) * 1000, (time.monotonic() - began) * 1000


def suite():
    sandbox = Sandbox()
    key = next(profile for profile in store(sandbox.state)["profiles"].values() if profile["provider"] == "openai")
    write_store(sandbox.state, {f"openai:p{number}": dict(key) for number in range(PROFILES)})
    config = settings(sandbox, 'timeouts: { upstreamIdle: "1s" }')
    ready, answered, codes, resident, parts = [], [], set(), [], []
    with open(f"{temporary_folder()}/serve.log", "wb") as log:
        for number in range(STARTS):
            process, code, serves, whole = start(sandbox.state, config, log)
            codes.add(code)
            ready.append(serves)
            answered.append(whole)
            if number < IDLE:
                # A second until the provider's connection is closed, and one more.
                time.sleep(3)
                resident.append(status(process.pid, "VmRSS") / 1024)
                parts.append((status(process.pid, "RssAnon") / 1024, status(process.pid, "RssFile") / 1024))
            end(process)
    check(codes == {200}, f"{STARTS} starts, each with its first request answered")
    check(
        median(answered) < 30, "from exec to the first answered request over TLS",
        f"median {median(answered):.1f} ms ({min(answered):.1f} to {max(answered):.1f}); it said that it serves after {median(ready):.1f} ms", "under 30 ms")
    own, files = (median([part[place] for part in parts]) for place in (0, 1))
    check(
        median(resident) < 14e6 / (1 << 20), "an idle server is resident with",
        f"{median(resident):.1f} MiB: {own:.1f} its own, {files:.1f} of files that processes share", "under 14 MB")


if __name__ == "__main__":
    main(suite)
