"""Where a secret must not show, and what must not get through: command line, environment, logs, answers, files; malformed requests."""

import base64
import contextlib
import glob
import http.server
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

from harness import (
    BINARY,
    CHAT,
    Proxy,
    Sandbox,
    check,
    children,
    clean_environment,
    end,
    eventually,
    main,
    secrets,
    settings,
    spawn,
    store,
    temporary_folder,
    write_store,
)

SHARED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../shared")


# MARK: - Secrets


def no_secret_shows(sandbox):
    """Every secret there is, looked for everywhere a process shows things; with things going wrong, since errors tell most."""
    saved = store(sandbox.state)["profiles"]
    bad = {"type": "api_key", "provider": "openai", "key": "sk-canary-refused-by-the-provider"}
    write_store(sandbox.state, {**saved, "openai-codex:canary": sandbox.login(), "openai:bad": bad})
    mirror = Mirror()
    write_store(
        sandbox.state,
        {
            **store(sandbox.state)["profiles"],
            "groq:echo": {"type": "api_key", "provider": "groq", "key": "gsk-canary-that-comes-back"},
            "copilot:me": {"type": "token", "provider": "copilot", "token": "gho-canary-that-tokens-are-minted-of"},
        },
    )
    base = f"http://127.0.0.1:{mirror.port}"
    config = settings(
        sandbox, providers=f'groq: {{ baseURL: "{base}" }}, copilot: {{ baseURL: "{base}", mint: {{ url: "{base}/mint", method: "GET" }} }}'
    )
    client = subprocess.run(
        [BINARY, "clients", "add", "canary", "--state-dir", sandbox.state], capture_output=True, text=True, check=True, env=clean_environment()
    ).stdout.split()[-1]
    known = set(secrets(sandbox.state))
    answers = b""
    with Proxy(sandbox.state, config=config, arguments=["--log-level", "trace"]) as proxy:
        sandbox.forget()
        sandbox.fault("/oauth/token", "garbage")
        for target in (
            "/openai-codex@canary/v1/responses",
            "/openai-codex@canary/v1/responses",
            "/openai@bad/v1/chat/completions?key=sk-canary-query",
            "/openai/v1/chat/completions",
            "/openai@nobody/v1/x",
            "/anthropic@key/v1/messages",
            "/groq/openai/v1/chat/completions",
            "/copilot/chat/completions",
            "/nowhere",
        ):
            status, fields, body = proxy.ask(
                target, CHAT, fields={"Authorization": "Bearer sk-canary-client", "x-api-key": "sk-canary-client"}
            )
            answers += str(fields).encode() + body
            if "codex" in target:
                time.sleep(2)
        for target in ("/openai/v1/chat/completions", "/groq/v1/x", f"/groq/v1/x?key={client}"):
            status, fields, body = proxy.ask(target, CHAT, fields={} if "?" in target else {"Authorization": f"Bearer {client}"})
            answers += str(fields).encode() + body
        answers += proxy.ask("/-/status", method="GET")[2]
        known |= set(secrets(sandbox.state)) | {"sk-canary-client", "sk-canary-query", client, client.rpartition("_")[2], *mirror.minted}
        check(
            mirror.minted and b'"masked":' in answers and b"*" * 26 in answers and proxy.output().count("sent a secret of groq:echo") == 1,
            "a secret that a provider sends back is masked, counted, and told once",
        )
        shown = {"answers": answers, "command line": b"", "environment": b""}
        for pid in (proxy.pid, *children(proxy.pid)):
            shown["command line"] += open(f"/proc/{pid}/cmdline", "rb").read()
            with contextlib.suppress(PermissionError):
                shown["environment"] += open(f"/proc/{pid}/environ", "rb").read()
        dumpable = is_closed_to_others(proxy.pid)
        code = proxy.end()
        shown["log"] = proxy.output().encode()
    for path in glob.glob(os.path.join(sandbox.state, "logs/*")):
        shown[os.path.basename(path)] = open(path, "rb").read()
    for path in glob.glob(os.path.join(sandbox.state, "keybearer/**/*"), recursive=True):
        if os.path.isfile(path):
            shown[os.path.relpath(path, sandbox.state)] = open(path, "rb").read()
    found = [(place, secret[:12] + "…") for place, text in shown.items() for secret in known if secret.encode() in text]
    check(
        code == 0 and len(shown) >= 6 and not found,
        f"no secret in {', '.join(sorted(name for name in shown if '/' not in name))}, journal and locks",
        found or f"{len(known)} secrets looked for in {sum(map(len, shown.values()))} bytes",
    )
    check(dumpable, "no core dump and no debugger: /proc/PID belongs to root, the core limit is 0")
    loose = [
        path
        for path in [sandbox.state, *glob.glob(os.path.join(sandbox.state, "**"), recursive=True)]
        if os.stat(path).st_mode & 0o077 and not path.endswith("sandbox-ca.pem")
    ]
    check(not loose, "nothing in the state directory is open to others", loose or "")
    write_store(sandbox.state, saved)


class Mirror:
    """A provider that says what it was sent, as an error; and whose tokens are minted."""

    def __init__(self):
        self.minted = set()
        mirror = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                mirror.minted.add(f"minted-canary-{len(mirror.minted)}-0123456789")
                self.say(200, json.dumps({"token": sorted(mirror.minted)[-1], "expires_at": int(time.time()) + 3600}))

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.say(500, json.dumps({"error": {"message": f"not with {dict(self.headers)}"}}), self.headers["Authorization"])

            def say(self, status, text, echo="none"):
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.send_header("X-Echo", echo)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()


def no_core(sandbox):
    """What a signal leaves that makes others dump their core: nothing."""
    pattern = open("/proc/sys/kernel/core_pattern").read().strip()
    if "/" in pattern or pattern.startswith("|"):
        return check.skip("core dumps", f"the kernel puts them elsewhere ({pattern})")
    folder = temporary_folder()

    def unlimited():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        os.chdir(folder)

    other = spawn(["sleep", "60"], preexec_fn=unlimited)
    time.sleep(0.2)
    end(other, signal.SIGABRT)
    dumped = glob.glob(f"{folder}/core*")
    for path in dumped:
        os.unlink(path)
    for number in (signal.SIGQUIT, signal.SIGSEGV, signal.SIGABRT):
        with Proxy(sandbox.state, preexec=unlimited) as proxy:
            # Root may raise the limit again; the kernel still finds the process not dumpable.
            with contextlib.suppress(PermissionError):
                resource.prlimit(proxy.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            proxy.process.send_signal(number)
            eventually(lambda: not proxy.is_alive, within=1)
    left = glob.glob(f"{folder}/core*")
    check(dumped and not left, "no core is dumped where another program's is, by SIGQUIT, SIGSEGV or SIGABRT", left or dumped)


def is_closed_to_others(pid):
    """PR_SET_DUMPABLE 0 is not told by the kernel, but it takes the process's memory from its own user; limits tells the rest."""
    core = re.search(r"Max core file size\s+(\d+)", open(f"/proc/{pid}/limits").read())
    return core is not None and core[1] == "0" and os.stat(f"/proc/{pid}/mem").st_uid == 0


# MARK: - Malformed requests


def smuggling(sandbox):
    runner, corpus = os.path.join(SHARED, "tools/smuggle.py"), os.path.join(SHARED, "corpus/http1.jsonl")
    if not os.path.exists(runner) or not os.path.exists(corpus):
        return check.skip("malformed and ambiguous requests", "tools/smuggle.py is not in ../shared")
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
        upstream = free.getsockname()[1]
    # The corpus asks for Host names and paths of its own.
    hosts = sorted({host for host in corpus_hosts(corpus)})
    config = settings(
        sandbox, f'routes: {{ default: "ollama" }}, gate: {{ hosts: {json.dumps(hosts)} }}', ollama=f"http://127.0.0.1:{upstream}"
    )
    out = os.path.join(temporary_folder(), "result.jsonl")
    with Proxy(sandbox.state, config=config) as proxy:
        run = subprocess.run(
            [
                sys.executable,
                "-B",
                runner,
                "run",
                "--target",
                f"127.0.0.1:{proxy.port}",
                "--upstream-listen",
                f"127.0.0.1:{upstream}",
                "--corpus",
                corpus,
                "--out",
                out,
            ],
            capture_output=True,
            text=True,
            timeout=900,
        )
        alive = proxy.is_alive
    rows = [json.loads(line) for line in open(out)]
    counts = {}
    for row in rows:
        counts[row["verdict"]] = counts.get(row["verdict"], 0) + 1
    bad = [row for row in rows if row["verdict"] in ("DANGEROUS", "RISKY", "LOOKALIKE", "MALFORMED", "RUNNER-ERROR")]
    check(
        alive and run.returncode == 0 and rows and not bad,
        "malformed and ambiguous requests: none DANGEROUS, RISKY, LOOKALIKE or MALFORMED",
        f"{counts}" + "".join(f"; {row['verdict']} {row['name']}: {row['why']}" for row in bad[:5]),
        f"0 of {len(rows)}",
    )
    strict = [
        row for row in rows if row["expect"] == "accept" and row["oracle"].startswith("ok") and row["verdict"] not in ("CANON", "RISKY")
    ]
    check.show(
        f"valid requests not passed on: {len(strict)}"
        + "".join(f"\n        {row['name']}: {row['verdict']} {row['why']}" for row in strict[:12])
    )


def corpus_hosts(path):
    """Every name in a Host field of the corpus that could be one."""
    for line in open(path):
        for host in re.findall(rb"(?i)\nhost:[ \t]*([a-z0-9.-]+)", base64.b64decode(json.loads(line)["b64"])):
            name = host.decode().lower()
            if re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", name):
                yield name


def suite():
    sandbox = Sandbox()
    no_secret_shows(sandbox)
    no_core(sandbox)
    smuggling(sandbox)


main(suite)
