"""Client keys and admitted pages, as people use them: made, changed and revoked beside a running server; other users, other machines, HTTP/2;
ten thousand of them; and a hostile page in a real browser."""

import contextlib
import glob
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from harness import (
    BINARY, CHAT, Proxy, Sandbox, Unavailable, add_client_keys, check, clean_environment, eventually, main, percentile, post, receive_head, settings, spawn, status,
    temporary_folder, tool,
)

TARGET = "/openai/v1/chat/completions"
STREAM = {"Sandbox-Interval": "0"}


class Keys:
    """`keybearer clients` on one state directory."""

    def __init__(self, state):
        self.state = state
        self.shown = []

    def run(self, *arguments):
        run = subprocess.run(
            [BINARY, "clients", *arguments, "--state-dir", self.state], capture_output=True, text=True, env=clean_environment(), timeout=60)
        return run.returncode, run.stdout, run.stderr

    def add(self, *arguments):
        code, out, err = self.run("add", *arguments)
        if code:
            raise RuntimeError(err)
        self.shown.append(out.strip())
        return out.strip()


def ask(proxy, key=None, body=CHAT, target=TARGET):
    fields = {"Content-Type": "application/json", **STREAM, **({"Authorization": f"Bearer {key}"} if key else {})}
    code, head, body = proxy.ask(target, body, fields=fields)
    detail = ""
    if code != 200:
        with contextlib.suppress(ValueError, KeyError):
            own = json.loads(body)["keybearer"]
            detail = own.get("detail") or own["code"]
    return (code, detail) if detail else code


def by_command(sandbox):
    """Everything a key can be told, beside a running server."""
    keys = Keys(sandbox.state)
    with Proxy(sandbox.state) as proxy:
        key = keys.add("ci", "--providers", "openai", "--models", "m,gpt-5*", "--rate", "100/min", "--expires", "30d")
        check(re.fullmatch(r"kb_[a-z2-9]{10}_[A-Za-z0-9]{40}", key), "add prints the key and nothing else", f"{len(key)} characters")
        check(ask(proxy, key) == 200, "the key serves at once")
        check(ask(proxy) == 200, "our own user needs none")
        check(ask(proxy, key, target="/openai-codex/v1/responses") == (403, "providers"), "another provider: 403 with the rule's name")
        check(ask(proxy, key, b'{"model":"other"}') == (403, "models"), "another model: 403 with the rule's name")
        check(ask(proxy, key[:-1] + ("A" if key[-1] != "A" else "B")) == (403, "key_refused"), "a changed key is refused")
        for shape, pattern in (("anthropic", r"sk-ant-api03-[A-Za-z0-9_-]{93}AA"), ("openai", r"sk-proj-[A-Za-z0-9_-]{40,}"),
                               ("google", r"AIza[0-9A-Za-z_-]{35}")):
            shaped = keys.add(f"as-{shape}", "--placeholder", shape)
            check(re.fullmatch(pattern, shaped) and ask(proxy, shaped) == 200, f"a key in the form of {shape} serves", f"{len(shaped)} characters")
        began = time.monotonic()
        code, out, _ = keys.run("rotate", "ci")
        took = time.monotonic() - began
        fresh = out.strip()
        keys.shown.append(fresh)
        check(code == 0 and ask(proxy, key) == (403, "key_refused") and ask(proxy, fresh) == 200, "rotate: the old one is refused, the new one serves",
              f"the command took {took:.2f} s")
        connection = proxy.connect()
        connection.sendall(post(TARGET, CHAT, {"Authorization": f"Bearer {fresh}", "Sandbox-Events": "1000", "Sandbox-Interval": "50ms"}))
        receive_head(connection)
        code, _, _ = keys.run("revoke", "ci")
        connection.settimeout(3)
        ended = False
        with contextlib.suppress(socket.timeout):
            try:
                while connection.recv(65536):
                    pass
                ended = True
            except ConnectionError:
                ended = True
        check(code == 0 and ended, "revoke ends a stream under way")
        check(ask(proxy, fresh) == (403, "key_refused"), "and refuses what comes after")
        code, out, _ = keys.run("list", "--json")
        check(not any(secret in out for secret in keys.shown), "list shows no key")
        check(keys.run("show", "nobody")[0] == 1 and keys.run("add", "ci", "--rate", "x")[0] == 64, "wrong use is told by the exit code")

        budget = keys.add("budget", "--budget-tokens", "30")
        seen = [ask(proxy, budget) for _ in range(20)]
        refused = seen.index((403, "budget-tokens")) if (403, "budget-tokens") in seen else None
        check(refused, "a budget of tokens is used up", f"after {refused} requests")
        rate = keys.add("rate", "--rate", "3/h")
        check([ask(proxy, rate) for _ in range(4)] == [200] * 3 + [(429, "key_rate")], "a rate is kept")
        proxy.end()
        said = proxy.output()
    with Proxy(sandbox.state) as proxy:
        check(ask(proxy, budget) == (403, "budget-tokens"), "a budget outlives the server")
        said += proxy.output()
    files = [open(path, errors="replace").read() for path in glob.glob(os.path.join(sandbox.state, "**/*"), recursive=True) if os.path.isfile(path)]
    parts = [secret.rpartition("_")[2] for secret in keys.shown]
    check(not any(part in text for part in parts for text in [said, *files]), "no key is in a log or file", f"{len(parts)} keys, {len(files)} files")
    mode = os.stat(os.path.join(sandbox.state, "clients.json")).st_mode & 0o777
    check(mode == 0o600, "clients.json is 0600", oct(mode))


def other_users(sandbox):
    """Another user of the machine needs a key, on the port as everywhere."""
    if os.geteuid() != 0:
        return check.skip("other users", "needs root")
    folder = os.path.dirname(sandbox.state)
    key = Keys(sandbox.state).add("guest")
    config = settings(sandbox)
    for path, mode in ((folder, 0o755), (config, 0o644)):
        os.chmod(path, mode)
    subprocess.run(["chown", "-R", "41001:41001", sandbox.state], check=True)
    caller = "import http.client,sys\nc=http.client.HTTPConnection('127.0.0.1',int(sys.argv[1]))\n" \
             "c.request('POST',sys.argv[2],sys.stdin.read(),dict(a.split('=',1) for a in sys.argv[3:]))\nr=c.getresponse();r.read();print(r.status)"

    def call(user, port, *fields, target=TARGET):
        run = subprocess.run(
            ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", sys.executable, "-c", caller, str(port), target, *fields],
            input=CHAT.decode(), capture_output=True, text=True, timeout=60)
        return run.stdout.strip()

    def become():
        os.setgroups([])
        os.setgid(41001)
        os.setuid(41001)

    shown = f"Authorization=Bearer {key}"
    with Proxy(sandbox.state, config=config, preexec=become) as proxy:
        check(call(41001, proxy.port) == "200", "our own user needs no key")
        check(call(41002, proxy.port) == "403", "another user without one is refused")
        check(call(41002, proxy.port, shown) == "200", "and served with one")
        check(call(41002, proxy.port, shown, target="/-/sessions/unpin?session=x") == "403", "but not what is under /-/")
    anyone = settings(sandbox, 'clients: { loopback: "any" }')
    os.chmod(anyone, 0o644)
    with Proxy(sandbox.state, config=anyone, preexec=become) as proxy:
        check(call(41002, proxy.port) == "403" and call(41002, proxy.port, shown) == "200", 'with clients.loopback "any" and keys, others need one')
    with contextlib.suppress(Unavailable):
        run = spawn(
            [tool("strace"), "-f", "-qq", "-o", "/dev/null", "-e", "trace=socket", "-e", "inject=socket:error=EPROTONOSUPPORT:when=3+", BINARY,
             "serve", "--state-dir", sandbox.state, "--listen", "127.0.0.1:0"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=clean_environment(), preexec_fn=become)
        time.sleep(2)
        check(run.poll() is None, "where the kernel does not tell who calls, it starts with keys")
        # strace lets go of the server when it is ended itself.
        for child in open(f"/proc/{run.pid}/task/{run.pid}/children").read().split():
            os.kill(int(child), signal.SIGTERM)
        run.wait(20)
    subprocess.run(["chown", "-R", "0:0", sandbox.state], check=True)


def network(sandbox):
    """Beyond loopback: keys alone, and said loudly."""
    address = next((line.split()[3].split("/")[0] for line in subprocess.run(
        ["ip", "-o", "-4", "addr", "show", "scope", "global"], capture_output=True, text=True).stdout.splitlines()), None) \
        if shutil.which("ip") else None
    empty = os.path.join(temporary_folder(), "state")
    os.makedirs(empty)
    run = subprocess.run([BINARY, "serve", "--state-dir", empty, "--insecure-listen", "0.0.0.0:0"], capture_output=True, text=True, timeout=30,
                         env=clean_environment())
    check(run.returncode == 1 and "clients add" in run.stderr, "without a key no address beyond loopback is opened", run.stderr.strip()[-120:])
    run = subprocess.run([BINARY, "serve", "--state-dir", empty, "--listen", "0.0.0.0:0"], capture_output=True, text=True, timeout=30,
                         env=clean_environment())
    check(run.returncode == 64, "and --listen takes none at all", run.returncode)
    key = Keys(sandbox.state).add("far")
    with Proxy(sandbox.state, arguments=["--insecure-listen", "0.0.0.0:0"]) as proxy:
        check("WITHOUT TLS" in proxy.output(), "the log says loudly that there is no TLS")
        port = int(re.search(r"0\.0\.0\.0:(\d+)", proxy.output())[1])

        def far(fields, host=f"127.0.0.1:{port}"):
            with contextlib.closing(socket.create_connection((address or "127.0.0.1", port))) as client:
                text = post(TARGET, CHAT, {**fields, "Connection": "close", **STREAM}).replace(b"Host: localhost", f"Host: {host}".encode())
                client.sendall(text.replace(b"Authorization: Bearer dummy\r\n", b""))
                return receive_head(client)[0][9:12]

        check(far({}) == "403", "there, our own user needs a key too")
        check(far({"x-api-key": key}) == "200", "and is served with one")
        check(far({"x-api-key": key}, host=f"{address or '10.1.2.3'}:{port}") == "200", "an address stands in Host")
        check(far({"x-api-key": key}, host="evil.test") == "421", "a strange name does not")


def many(sandbox):
    """Ten thousand keys cost nothing that shows."""
    state = os.path.join(temporary_folder(), "state")
    shutil.copytree(sandbox.state, state, ignore=shutil.ignore_patterns("run"))
    keys = Keys(state)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(state, "clients.json"))
    key = keys.add("last")

    def latency():
        with Proxy(state) as proxy:
            times = []
            with contextlib.closing(proxy.connect()) as connection:
                request = f"GET /-/healthz HTTP/1.1\r\nHost: localhost\r\nx-api-key: {key}\r\n\r\n".encode()
                for _ in range(3000):
                    began = time.perf_counter()
                    connection.sendall(request)
                    connection.recv(4096)
                    times.append(time.perf_counter() - began)
            # Other work on the machine only ever adds.
            return percentile(times, 0.02) * 1e6, status(proxy.pid, "VmRSS")

    few, before = latency()
    add_client_keys(state, 10_000)
    full, after = latency()
    check(full < few * 1.25 + 5, "a request with one key of 10,000, the fastest of fifty", f"{full:.1f} µs, with one of 1: {few:.1f} µs",
          "no difference that shows")
    check(after - before < 40_000, "and what they hold", f"{after - before} KiB", "40 MiB")


def http2(sandbox):
    """The same over HTTP/2 with prior knowledge."""
    curl = tool("curl")
    keys = Keys(sandbox.state)
    key = keys.add("h2", "--models", "m")
    keys.run("allow-origin", "app://h2.test")
    with Proxy(sandbox.state) as proxy:
        def call(*arguments):
            run = subprocess.run(
                [curl, "-s", "-i", "--http2-prior-knowledge", f"http://127.0.0.1:{proxy.port}{TARGET}", *arguments], capture_output=True, text=True,
                timeout=30)
            return run.stdout

        body = ["-H", "Content-Type: application/json", "-H", "Sandbox-Interval: 0", "-d", CHAT.decode()]
        check(call(*body, "-H", f"Authorization: Bearer {key}").startswith("HTTP/2 200"), "HTTP/2: a key serves")
        check("key_refused" in call("-H", f"Authorization: Bearer {key}x"), "HTTP/2: a wrong one is refused")
        check('"detail":"models"' in call(*body[:-1], '{"model":"o"}', "-H", f"Authorization: Bearer {key}"), "HTTP/2: outside its policy is refused")
        check("origin_refused" in call("-H", "Origin: https://evil.test"), "HTTP/2: a strange page is refused")
        told = call(*body, "-H", "Origin: app://h2.test").lower()
        check("access-control-allow-origin: app://h2.test" in told and "vary: origin" in told, "HTTP/2: an admitted one is told so")
        preflight = call("-X", "OPTIONS", "-H", "Origin: app://h2.test", "-H", "Access-Control-Request-Method: POST").lower()
        check(preflight.startswith("http/2 204") and "access-control-allow-methods" in preflight, "HTTP/2: a preflight is answered")


PAGE = """<!doctype html><body><script>
const base = "http://127.0.0.1:PORT", out = {};
async function attempt(name, body) { try { out[name] = await body(); } catch (error) { out[name] = "blocked"; } }
(async () => {
  const json = { method: "POST", headers: { "content-type": "application/json", "authorization": "Bearer x" }, body: '{"model":"m","messages":[]}' };
  await attempt("cors", async () => (await fetch(base + "TARGET", json)).status);
  await attempt("simple", async () => (await fetch(base + "TARGET", { method: "POST", body: json.body })).status);
  await attempt("nocors", async () => { await fetch(base + "TARGET", { method: "POST", mode: "no-cors", body: json.body }); return "sent"; });
  await attempt("status", async () => (await fetch(base + "/-/status")).status);
  await attempt("credentials", async () => (await fetch(base + "/-/healthz", { credentials: "include" })).status);
  await attempt("image", () => new Promise((good, bad) => { const i = new Image(); i.onload = () => good("loaded"); i.onerror = bad; i.src = base + "/-/healthz"; }));
  await attempt("script", () => new Promise((good, bad) => { const s = document.createElement("script"); s.onload = () => good("loaded"); s.onerror = bad; s.src = base + "/-/healthz"; document.body.append(s); }));
  await attempt("websocket", () => new Promise((good, bad) => { const w = new WebSocket(base.replace("http", "ws") + "/openai/v1/realtime"); w.onopen = () => good("open"); w.onerror = bad; }));
  await attempt("events", () => new Promise((good, bad) => { const e = new EventSource(base + "/-/healthz"); e.onopen = () => good("open"); e.onerror = bad; }));
  await attempt("form", () => new Promise(good => { const f = document.createElement("form"); f.method = "post"; f.action = base + "TARGET"; f.target = "t"; f.enctype = "text/plain"; const n = document.createElement("iframe"); n.name = "t"; document.body.append(n, f); f.submit(); setTimeout(() => good("sent"), 500); }));
  await fetch("/report", { method: "POST", body: JSON.stringify(out) });
})();
</script>"""


def browser(sandbox):
    """Chromium, with a page of another origin: nothing that it tries reaches the provider; once admitted, it may."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if not program:
        return check.skip("a hostile page in a browser", "chromium is not installed")
    reports = []
    with Proxy(sandbox.state) as proxy:
        class Site(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                page = PAGE.replace("PORT", str(proxy.port)).replace("TARGET", TARGET).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def do_POST(self):
                reports.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
        threading.Thread(target=site.serve_forever, daemon=True).start()
        origin = f"http://hostile.test:{site.server_address[1]}"

        def visit():
            reports.clear()
            process = spawn(
                [program, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={temporary_folder()}",
                 "--host-resolver-rules=MAP hostile.test 127.0.0.1", "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
                 "--remote-debugging-port=0", f"{origin}/"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env={**clean_environment(), "HOME": temporary_folder()})
            eventually(lambda: reports, within=40)
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            return reports[0] if reports else None

        sandbox.forget()
        out = visit()
        if out is None:
            return check(False, "the page in Chromium has reported")
        check(all(out[name] == "blocked" for name in ("cors", "simple", "status", "credentials", "image", "script", "websocket", "events")),
              "Chromium: a hostile page reads nothing", out)
        reached = len(sandbox.reached())
        check(reached == 0, "and nothing of it reaches the provider, forms and no-cors included", f"{reached} requests", "0")
        code, _, _ = Keys(sandbox.state).run("allow-origin", origin)
        out = visit() or {}
        check(code == 0 and out.get("cors") == 200 and out.get("simple") in (200, 400), "Chromium: once admitted it is served, preflight and all", out)
        Keys(sandbox.state).run("deny-origin", origin)
        out = visit() or {}
        check(out.get("cors") == "blocked", "and no more when that is taken back", out.get("cors"))


def suite():
    sandbox = Sandbox()
    by_command(sandbox)
    http2(sandbox)
    network(sandbox)
    many(sandbox)
    browser(sandbox)
    other_users(sandbox)


main(suite)
