"""A server in operation: settings that change under load, systemd's notifications and sockets, too few descriptors, one user with too many
connections."""

import contextlib
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

from harness import (
    AGENT, BINARY, CHAT, PROMPT, Daemon, Proxy, Sandbox, check, children, clean_environment, cpu_seconds, end, eventually, main, post,
    receive_head, settings, spawn, store, temporary_folder, tool, write_store,
)

TARGET = "/openai/v1/chat/completions"


# MARK: - Settings

class Host:
    """A provider's host that notes what it is sent."""

    def __init__(self):
        self.seen = []
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                host.seen.append((self.path, self.headers.get("Authorization")))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()


def own(state, path="/-/status"):
    """What the server says on its control socket."""
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as control:
        control.connect(os.path.join(state, "run/control.sock"))
        control.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        text = b""
        while piece := control.recv(65536):
            text += piece
    return json.loads(text.partition(b"\r\n\r\n")[2])


def state_folder(profiles):
    state = os.path.join(temporary_folder(), "state")
    os.makedirs(os.path.join(state, AGENT))
    write_store(state, profiles)
    return state


def write(path, text):
    with open(path + ".new", "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


def reloads_under_load():
    """Providers come and go before two others, so that their numbers change with each reload: no credential goes to the other's host."""
    one, two = Host(), Host()
    keys = {"one": "key-of-provider-one-0001", "two": "key-of-provider-two-0002"}
    state = state_folder({f"{name}:a": {"type": "api_key", "provider": name, "key": key} for name, key in keys.items()})
    path = os.path.join(state, "keybearer.json5")

    def text(round):
        others = {f"aa{number}": {"baseURL": "http://127.0.0.1:9"} for number in range(round % 4)}
        pair = {"one": {"baseURL": one.url}, "two": {"baseURL": two.url}}
        if round % 2:
            pair = dict(reversed(pair.items()))
        return json.dumps({"providers": {**others, **pair}, "workers": 2})

    write(path, text(0))
    statuses, over = {}, threading.Event()
    with Proxy(state) as proxy:
        def ask(name):
            while not over.is_set():
                with contextlib.closing(proxy.connect()) as connection:
                    for _ in range(20):
                        connection.sendall(f"GET /{name}/v1/{name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                        head, rest = receive_head(connection)
                        while not rest:
                            rest = connection.recv(100)
                        statuses[head[9:12]] = statuses.get(head[9:12], 0) + 1

        crowd = [threading.Thread(target=ask, args=(name,)) for name in ("one", "two") * 2]
        for thread in crowd:
            thread.start()
        before = own(state)["settings"]["generation"]
        for round in range(1, 31):
            write(path, text(round))
            if round % 3 == 0:
                os.kill(proxy.pid, signal.SIGHUP)
            time.sleep(0.3)
        over.set()
        for thread in crowd:
            thread.join()
        count = own(state)["settings"]["generation"] - before
        check(count >= 25, "settings that change are read by themselves, and on SIGHUP", f"{count} times in 9 s", "25 of 30 or more")
        check(set(statuses) == {"200"}, "all requests meanwhile are served", statuses)
        wrong = [seen for host, name in ((one, "one"), (two, "two")) for seen in host.seen
                 if seen != (f"/v1/{name}", f"Bearer {keys[name]}")]
        check(not wrong, "and every credential went to its own host alone", f"{len(one.seen) + len(two.seen)} requests, {len(wrong)} wrong")

        write(path, '{ providers: { one: { baseURL: "http://example.com" } } }')
        problem = eventually(lambda: own(state)["settings"]["problem"])
        check(problem and "one.baseURL" in problem["message"] and f"{path}:1" in problem["message"],
              "an error in the file is told on /-/status with its line", (problem or {}).get("message", "").strip()[:160])
        check("one.baseURL" in proxy.output(), "and in the log")
        check(proxy.ask("/one/v1/one", method="GET")[0] == 200, "and the last settings serve")
        write(path, json.dumps({"providers": {"one": {"baseURL": one.url}}, "workers": 1, "listen": ["127.0.0.1:1"]}))
        fixed = eventually(lambda: own(state)["settings"]["notBeforeRestart"])
        check(fixed == ["workers"], "what waits for the next start is named (listen was given as a flag)", fixed)
        check(own(state)["settings"]["problem"] is None, "and the error is gone")
        check(proxy.end() == 0, "SIGTERM ends it")


# MARK: - systemd

class Manager:
    """A service manager's socket: what it has been told."""

    def __init__(self, abstract):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = f"keybearer-{os.getpid()}-{time.monotonic_ns()}" if abstract else os.path.join(temporary_folder(), "notify")
        self.socket.bind("\0" + name if abstract else name)
        self.address = "@" + name if abstract else name
        self.socket.settimeout(5)

    def told(self):
        try:
            return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())
        except socket.timeout:
            return {}


def notifications(sandbox):
    for abstract in (False, True):
        kind = "abstract" if abstract else "path"
        manager = Manager(abstract)
        with Proxy(sandbox.state, environment={"NOTIFY_SOCKET": manager.address}) as proxy:
            told = manager.told()
            check(told.get("READY") == "1" and "127.0.0.1" in told.get("STATUS", ""), f"{kind}: READY=1 when it serves", told)
            children = subprocess.run(["pgrep", "-P", str(proxy.pid)], capture_output=True, text=True).stdout.split()
            environments = [open(f"/proc/{child}/environ").read() for child in children]
            check(children and not any("NOTIFY_SOCKET" in text for text in environments), f"{kind}: no child has NOTIFY_SOCKET",
                  f"{len(children)} children")
            now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            os.kill(proxy.pid, signal.SIGHUP)
            told = manager.told()
            late = int(told.get("MONOTONIC_USEC", "0")) - now
            check(told.get("RELOADING") == "1" and 0 <= late < 5_000_000, f"{kind}: RELOADING=1 with the time", told)
            check(manager.told().get("READY") == "1", f"{kind}: and READY=1 after it")
            os.kill(proxy.pid, signal.SIGTERM)
            check(manager.told().get("STOPPING") == "1", f"{kind}: STOPPING=1 when it is told to end")


def activation(sandbox):
    program = tool("systemd-socket-activate")
    folder = temporary_folder()
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = os.path.join(folder, "kb.sock")
    log = open(os.path.join(folder, "activate.log"), "wb")
    process = spawn(
        [program, "-l", f"127.0.0.1:{port}", "-l", path, "--fdname=web:unix", BINARY, "serve", "--state-dir", sandbox.state],
        env=clean_environment(), stdout=log, stderr=log)
    listens = eventually(lambda: os.path.exists(path))
    check(listens, "systemd-socket-activate listens")
    request = post(TARGET, CHAT, {"Connection": "close", "Sandbox-Interval": "0"})

    def ask(family, address):
        with contextlib.closing(socket.socket(family)) as client:
            client.settimeout(20)
            client.connect(address)
            client.sendall(request)
            return receive_head(client)[0][9:12]

    check(ask(socket.AF_INET, ("127.0.0.1", port)) == "200", "the first request starts it, and is served")
    check(ask(socket.AF_UNIX, path) == "200", "the Unix socket beside it as well")
    addresses = own(sandbox.state)["addresses"]
    check(addresses == [f"127.0.0.1:{port}", f"unix:{path}"], "it serves there and nowhere else", addresses)
    check(end(process) == 0, "SIGTERM ends it")
    check(os.path.exists(path), "the socket's file is left to who made it")
    foreign = subprocess.run(
        [BINARY, "serve", "--state-dir", sandbox.state, "--listen", "127.0.0.1:0", "--log-level", "nonsense"], capture_output=True,
        env={**clean_environment(), "LISTEN_PID": "1", "LISTEN_FDS": "1"})
    check(foreign.returncode == 64, "sockets for another process are not taken", foreign.returncode)
    broken = subprocess.run(
        ["sh", "-c", f'exec 3</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "{BINARY}" serve --state-dir "{sandbox.state}"'],
        capture_output=True, text=True, env=clean_environment())
    check(broken.returncode == 1 and "descriptor 3" in broken.stderr, "a descriptor that does not listen is named", broken.stderr.strip())


# MARK: - Limits

def descriptors(sandbox):
    """prlimit on a running server: it stops taking connections, idles, and the store can still write."""
    tool("prlimit")
    saved = store(sandbox.state)["profiles"]
    write_store(sandbox.state, {**saved, "openai-codex:late": sandbox.login()})
    with Proxy(sandbox.state) as proxy:
        assert proxy.ask(TARGET, CHAT, fields={"Sandbox-Interval": "0"})[0] == 200
        first = proxy.connect()
        subprocess.run(["prlimit", "--pid", str(proxy.pid), "--nofile=96:96"], check=True)
        sandbox.forget()
        crowd = []
        for _ in range(200):
            with contextlib.suppress(OSError):
                crowd.append(proxy.connect(3))
        time.sleep(0.5)
        highest = max(int(name) for name in os.listdir(f"/proc/{proxy.pid}/fd"))
        check(highest <= 64 + 1, "connections leave a third of the descriptors to the store", f"highest {highest}", "65")
        before = cpu_seconds(proxy.pid)
        time.sleep(3)
        spent = cpu_seconds(proxy.pid) - before
        check(spent <= 0.05, "it idles meanwhile: processor time of 3 s", f"{spent:.2f} s", "0.05 s")
        pauses = len(re.findall("accepting pauses", proxy.output()))
        check(pauses == 1, "the log says once that accepting pauses", pauses, 1)
        first.sendall(post("/openai-codex@late/v1/responses", PROMPT, {"Sandbox-Interval": "0"}))
        first.settimeout(10)
        receive_head(first)
        renewed = store(sandbox.state)["profiles"]["openai-codex:late"]["refresh"]
        check(renewed != saved.get("openai-codex:late", {}).get("refresh") and sandbox.audit()["refreshesGranted"] == 1,
              "an expired login is refreshed and written down meanwhile", sandbox.audit()["refreshesGranted"])
        for connection in crowd:
            connection.close()
        began = time.monotonic()
        served = eventually(lambda: attempt(proxy), within=5)
        check(served, "it serves again when they have left", f"after {time.monotonic() - began:.2f} s", "5 s")
        check("accepting goes on" in proxy.output(), "and says so")


def attempt(proxy):
    with contextlib.suppress(OSError):
        return proxy.ask("/-/healthz", method="GET", timeout=2)[0] == 200
    return False


def users(sandbox):
    config = settings(sandbox, "limits: { connectionsPerUser: 20 }")
    with Proxy(sandbox.state, config=config) as proxy:
        crowd = [proxy.connect(5) for _ in range(20)]
        time.sleep(0.2)
        status, _, body = proxy.ask("/-/healthz", method="GET")
        check(status == 503 and b"user_limit" in body, "one user's 21st connection is told so", f"{status}", "503 user_limit")
        crowd[0].sendall(b"GET /-/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        check(receive_head(crowd[0])[0][9:12] == "200", "the 20 others go on")
        check(own(sandbox.state)["connections"] >= 20, "the control socket is not counted")
        for connection in crowd:
            connection.close()
        check(eventually(lambda: attempt(proxy)), "and it is served when they have left")


def confinement(sandbox):
    """What a server has taken from itself. Its log's folder is a link, as of those who keep logs elsewhere."""
    logs = temporary_folder()
    os.symlink(logs, os.path.join(sandbox.state, "logs"))
    with Proxy(sandbox.state) as proxy:
        lines = dict(line.split(":\t", 1) for line in open(f"/proc/{proxy.pid}/status") if ":\t" in line)
        check(lines["NoNewPrivs"].strip() == "1", "no_new_privs is set")
        if "confined: no program" not in proxy.output():
            check("not confined to its folders: " in proxy.output(), "the log says that the kernel does not confine it")
            return check.skip("a server that confines itself", "this kernel has no Landlock")
        saved = store(sandbox.state)["profiles"]
        write_store(sandbox.state, {**saved, "openai-codex:confined": sandbox.login()})
        status = eventually(lambda: proxy.ask("/openai-codex@confined/v1/responses", PROMPT)[0] == 200) and 200
        fresh = store(sandbox.state)["profiles"]["openai-codex:confined"]
        check(status == 200 and fresh["expires"] > time.time() * 1000, "confined, it writes a refreshed login down")
        check(eventually(lambda: os.path.exists(os.path.join(logs, "access.jsonl"))), "and the access log, where the folder's link leads")
        elsewhere(sandbox, proxy, saved)
    confined_first(sandbox)


def confined_first(sandbox):
    """A thread that was there before would not be confined; a program that is started after it could not be run."""
    folder = temporary_folder()
    trace = os.path.join(folder, "trace")
    command = [tool("strace"), "-f", "-qq", "-o", trace, "-e", "trace=clone,clone3,landlock_restrict_self"]
    with Daemon(["serve", "--state-dir", sandbox.state, "--listen", "127.0.0.1:0"], folder, "listening on", within_namespace=command) as traced:
        # strace lets go of the server when it is ended itself.
        for child in children(traced.pid):
            os.kill(child, signal.SIGTERM)
        traced.process.wait(20)
    calls = [line.split(None, 1)[1].partition("(")[0] if "CLONE_THREAD" not in line else "thread" for line in open(trace) if "(" in line]
    first = next((index for index, call in enumerate(calls) if call == "thread"), 0)
    check(calls[:first].count("landlock_restrict_self") == 1 and calls[0] in ("clone3", "clone"),
          "it confines itself after its runner was started, and before it has a thread", calls[:first + 1])


def elsewhere(sandbox, proxy, saved):
    """A store that becomes a link to where a confined server may not write: its login is not spent."""
    path = os.path.join(sandbox.state, "agents/main/agent/auth-profiles.json")
    away = os.path.join(temporary_folder(), "auth-profiles.json")
    write_store(sandbox.state, {**saved, "openai-codex:away": sandbox.login()})
    os.rename(path, away)
    os.symlink(away, path)
    before = sandbox.audit()["refreshesGranted"]
    held = open(away).read()
    code = eventually(lambda: proxy.ask("/openai-codex@away/v1/responses", PROMPT)[0] == 503) and 503
    check(code == 503 and sandbox.audit()["refreshesGranted"] == before and open(away).read() == held,
          "a store elsewhere is not written to, and no login is spent that could not be kept", code)
    os.unlink(path)
    os.rename(away, path)
    write_store(sandbox.state, saved)


def suite():
    reloads_under_load()
    sandbox = Sandbox()
    confinement(sandbox)
    notifications(sandbox)
    activation(sandbox)
    users(sandbox)
    descriptors(sandbox)


main(suite)
