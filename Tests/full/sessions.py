"""Profiles pinned for a session by what clients send unchanged, bodies of every size held and sent on, and agents by the folder they work in.

curl, the openai and anthropic SDKs, and the binaries of Claude Code and Codex from their wheels (`claude-agent-sdk`, `openai-codex-cli-bin`).
"""

import hashlib
import http.client
import http.server
import json
import os
import subprocess
import sys
import threading
import time

from harness import Proxy, Sandbox, Unavailable, check, clean_environment, eventually, main, payer, settings, status, store, temporary_folder, tool, write_store
from harness import BINARY

CLIENTS = ["openai", "anthropic", "claude-agent-sdk", "openai-codex-cli-bin"]
MIB = 1 << 20


def environment():
    """The Python of a virtual environment with the clients; made in KEYBEARER_VENV if that is named, else for this run alone."""
    folder = os.path.join(os.environ.get("KEYBEARER_VENV") or temporary_folder(), "sessions")
    python = os.path.join(folder, "bin/python")
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    if not os.path.exists(os.path.join(folder, "complete")):
        install = subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *CLIENTS], text=True, stderr=subprocess.PIPE)
        if install.returncode:
            raise Unavailable(f"PyPI gave no clients: {install.stderr.strip().splitlines()[-1:]}")
        open(os.path.join(folder, "complete"), "w").close()
    return python


def bundled(python, module, *path):
    """A file of an installed package."""
    found = subprocess.run([python, "-c", f"import {module}; print({module}.__path__[0])"], text=True, capture_output=True)
    file = os.path.join(found.stdout.strip(), *path)
    if not os.path.exists(file):
        raise Unavailable(f"{module} brings no {path[-1]}")
    return file


def give_two(sandbox):
    """Two keys of each provider: `one` goes first."""
    held = {}
    for provider in ("anthropic", "openai"):
        for name in ("one", "two"):
            made = sandbox.control("POST", "accounts", {"provider": provider, "kind": "api_key", "account": f"{provider}-{name}"})
            held[f"{provider}:{name}"] = {"type": "api_key", "provider": provider, "key": made["key"]}
    write_store(sandbox.state, held)


def payers(sandbox):
    """Who paid for what the provider has seen since it was last asked."""
    entries = sandbox.audit()["entries"]
    sandbox.forget()
    return [payer(entry, sandbox.state) for entry in entries]


def surroundings(variables):
    return {**clean_environment(), "HOME": temporary_folder(), "NO_PROXY": "*", **variables}


def run(arguments, folder=None, **variables):
    return subprocess.run(
        arguments, cwd=folder, env=surroundings(variables), text=True, capture_output=True, timeout=120, stdin=subprocess.DEVNULL)


# MARK: - curl

def curl_suite(sandbox, proxy):
    def ask(body, *fields, path="/openai/v1/chat/completions"):
        arguments = ["-sS", "-H", "Content-Type: application/json", "-d", json.dumps(body), f"http://127.0.0.1:{proxy.port}{path}"]
        answer = run([tool("curl"), *arguments, *[part for field in fields for part in ("-H", field)]])
        return json.loads(answer.stdout)

    message = [{"role": "user", "content": "hi"}]
    session = "Keybearer-Session: curl-1"
    ask({"model": "m@two", "messages": message}, session)
    ask({"model": "m", "messages": message}, session)
    ask({"model": "m", "messages": message}, "Keybearer-Session: curl-2")
    ask({"model": "m@auto", "messages": message}, session)
    paid = payers(sandbox)
    check(paid == ["openai:two", "openai:two", "openai:one", "openai:one"], "curl pins a session by the model's name, until @auto", ", ".join(map(str, paid)))
    made = ask({"model": "m", "input": "hi"}, "Keybearer-Profile: two", path="/openai/v1/responses")
    ask({"model": "m", "input": "hi", "previous_response_id": made["id"]}, path="/openai/v1/responses")
    paid = payers(sandbox)
    check(paid == ["openai:two"] * 2, "a stored answer is asked for where it was made", ", ".join(map(str, paid)))


# MARK: - SDKs

SDK = """
import sys, openai, anthropic
port, call = sys.argv[1:]
o = openai.OpenAI(base_url=f"http://127.0.0.1:{port}/openai/v1", api_key="dummy")
a = anthropic.Anthropic(base_url=f"http://127.0.0.1:{port}/anthropic", api_key="dummy")
m = [{"role": "user", "content": "hi"}]
if call == "openai":
    o.chat.completions.create(model="m@two", messages=m, prompt_cache_key="k1")
    o.chat.completions.create(model="m", messages=m, prompt_cache_key="k1")
    o.chat.completions.create(model="m", messages=m, prompt_cache_key="k2")
    for _ in o.responses.create(model="m@openai:two", input="hi", stream=True): pass
else:
    h = {"X-Session-Id": "s1"}
    a.messages.create(model="m@two", messages=m, max_tokens=5, extra_headers=h)
    a.messages.create(model="m", messages=m, max_tokens=5, extra_headers=h)
    with a.messages.stream(model="m", messages=m, max_tokens=5) as s: s.get_final_message()
"""


def sdk_suite(sandbox, proxy, python):
    bars = {"openai": ["openai:two", "openai:two", "openai:one", "openai:two"], "anthropic": ["anthropic:two", "anthropic:two", "anthropic:one"]}
    for name, bar in bars.items():
        answer = run([python, "-c", SDK, str(proxy.port), name])
        paid = payers(sandbox)
        check(answer.returncode == 0 and paid == bar, f"the {name} SDK pins a session by the model's name", ", ".join(map(str, paid)) or answer.stderr[-300:])


# MARK: - Claude Code and Codex

def claude(python, proxy, model, session, folder=None, home=None):
    binary = bundled(python, "claude_agent_sdk", "_bundled", "claude")
    arguments = [binary, "-p", "say hi", "--model", model, *session]
    return run(
        arguments, folder or temporary_folder(), HOME=home or temporary_folder(), ANTHROPIC_BASE_URL=f"http://127.0.0.1:{proxy.port}/anthropic", ANTHROPIC_AUTH_TOKEN="dummy",
        DISABLE_TELEMETRY="1", CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1", DISABLE_AUTOUPDATER="1")


def claude_suite(sandbox, proxy, python):
    identity = "6f1c0a34-9d5b-4c1e-8a77-0d1e2f3a4b5c"
    home, folder = temporary_folder(), temporary_folder()
    first = claude(python, proxy, "claude-sonnet-4-5@two", ["--session-id", identity], folder, home)
    paid = payers(sandbox)
    check(first.returncode == 0 and paid and set(paid) == {"anthropic:two"}, "claude --model claude-sonnet-4-5@two is served by that profile",
          ", ".join(map(str, paid)) + (first.stderr or first.stdout)[-300:] * (first.returncode != 0))
    again = claude(python, proxy, "claude-sonnet-4-5", ["--resume", identity], folder, home)
    paid = payers(sandbox)
    check(again.returncode == 0 and paid and set(paid) == {"anthropic:two"}, "its next turn, by the plain name, is served by the same profile",
          ", ".join(map(str, paid)) + (again.stderr or again.stdout)[-300:] * (again.returncode != 0))
    second = claude(python, proxy, "claude-sonnet-4-5", [])
    paid = payers(sandbox)
    check(second.returncode == 0 and paid and set(paid) == {"anthropic:one"}, "another session of claude follows the order", ", ".join(map(str, paid)))


def codex_home(proxy, provider):
    home = temporary_folder()
    with open(os.path.join(home, "config.toml"), "w") as file:
        file.write(f"""model_provider = "keybearer"
[model_providers.keybearer]
name = "Keybearer"
base_url = "http://127.0.0.1:{proxy.port}/{provider}"
env_key = "PLACEHOLDER"
wire_api = "responses"
""")
    return home


def codex(python, home, model, *resume):
    """One turn; `resume`: of which session."""
    binary = bundled(python, "codex_cli_bin", "bin", "codex")
    arguments = [binary, "exec", *resume, "--skip-git-repo-check", "--model", model, "say hi"]
    return run(arguments, home, CODEX_HOME=home, PLACEHOLDER="x")


def codex_suite(sandbox, proxy, python):
    home = codex_home(proxy, "openai/v1")
    first = codex(python, home, "gpt-5@two")
    paid = [name for name in payers(sandbox) if name]
    check(first.returncode == 0 and paid and set(paid) == {"openai:two"}, "codex exec --model gpt-5@two is served by that profile",
          ", ".join(paid) + (first.stderr or first.stdout)[-300:] * (first.returncode != 0))
    again = codex(python, home, "gpt-5", "resume", "--last")
    paid = [name for name in payers(sandbox) if name]
    check(again.returncode == 0 and paid and set(paid) == {"openai:two"}, "its next turn, by the plain name, is served by the same profile",
          ", ".join(paid) + (again.stderr or again.stdout)[-300:] * (again.returncode != 0))
    second = codex(python, codex_home(proxy, "openai/v1"), "gpt-5")
    paid = [name for name in payers(sandbox) if name]
    check(second.returncode == 0 and paid and set(paid) == {"openai:one"}, "another session of codex follows the order", ", ".join(paid))


def hold_suite(python):
    """The provider has ended the login while codex works: the turn waits, and goes on when its user has logged in again."""
    sandbox = Sandbox()
    made = sandbox.control("POST", "accounts", {"provider": "openai-codex", "account": "acc-held", "expired": True})
    login = lambda made: {"type": "oauth", "provider": "openai-codex", "accountId": made.pop("account"), **made}
    write_store(sandbox.state, {"openai-codex:me": login(made)})
    sandbox.control("POST", "revoke", {"refresh": made["refresh"]})
    with Proxy(sandbox.state, config=settings(sandbox, "auth: { hold: '60s' }")) as proxy:
        home = codex_home(proxy, "openai-codex")
        binary = bundled(python, "codex_cli_bin", "bin", "codex")
        turn = subprocess.Popen(
            [binary, "exec", "--skip-git-repo-check", "--model", "gpt-5", "say hi"], cwd=home, stdin=subprocess.DEVNULL,
            env=surroundings({"CODEX_HOME": home, "PLACEHOLDER": "x"}), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        asked = [BINARY, "models", "status", "--state-dir", sandbox.state]
        waits = eventually(lambda: "log in again" in run(asked).stdout, within=30, every=0.3)
        time.sleep(2)
        check(waits and turn.poll() is None, "codex waits for a login that the provider has ended, and `status` says what to do")
        fresh = sandbox.control("POST", "accounts", {"provider": "openai-codex", "account": "acc-held"})
        write_store(sandbox.state, {"openai-codex:me": login(fresh)})
        try:
            said = turn.communicate(timeout=60)[0]
        except subprocess.TimeoutExpired:
            turn.kill()
            said = "it did not end: " + turn.communicate()[0]
        paid = [entry["account"] for entry in sandbox.audit()["entries"] if entry.get("account")]
        check(turn.returncode == 0 and "acc-held" in paid, "and its turn is answered once that login is there", said[-300:] * (turn.returncode != 0))
    sandbox.end()


# MARK: - Agents by workspace

def workspace_suite(sandbox, proxy, python):
    folders = {}
    for agent in ("work", "home"):
        folders[agent] = temporary_folder()
        added = run([BINARY, "agents", "add", agent, "--workspace", folders[agent], "--state-dir", sandbox.state])
        made = sandbox.control("POST", "accounts", {"provider": "anthropic", "kind": "api_key", "account": f"anthropic-{agent}"})
        path = os.path.join(sandbox.state, f"agents/{agent}/agent/auth-profiles.json")
        with open(path, "w") as file:
            json.dump({"version": 1, "profiles": {f"anthropic:{agent}": {"type": "api_key", "provider": "anthropic", "key": made["key"]}}}, file)
        check(added.returncode == 0, f"agents add {agent} --workspace", added.stderr.strip())
    # The server looks for new agents twice a minute.
    message = json.dumps({"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]})
    json_type = {"Content-Type": "application/json"}
    served = eventually(lambda: proxy.ask("/agents/home/anthropic/v1/messages", message, fields=json_type)[0] == 200, within=40, every=0.5)
    check(served, "a running server finds new agents")
    sandbox.forget()

    def accounts():
        entries = sandbox.audit()["entries"]
        sandbox.forget()
        return [entry["account"] for entry in entries]

    curl = [tool("curl"), "-sS", "-o", os.devnull, "-H", "Content-Type: application/json", "-d", message]
    curl.append(f"http://127.0.0.1:{proxy.port}/anthropic/v1/messages")
    os.makedirs(os.path.join(folders["work"], "deep/er"))
    for folder in (folders["work"], folders["home"], os.path.join(folders["work"], "deep/er"), temporary_folder()):
        run(curl, folder)
    got = accounts()
    check(got == ["anthropic-work", "anthropic-home", "anthropic-work", "anthropic-one"], "a program's folder chooses the agent", ", ".join(map(str, got)))
    run([*curl[:-1], f"http://127.0.0.1:{proxy.port}/agents/home/anthropic/v1/messages"], folders["work"])
    check(accounts() == ["anthropic-home"], "an agent that the path names goes before the folder")
    began = time.monotonic()
    for _ in range(20):
        run(curl, folders["work"])
    check.show(f"20 curls from a workspace: {(time.monotonic() - began) * 50:.1f} ms each, the process and its look-up included")
    accounts()
    if python:
        answers = {}
        threads = [
            threading.Thread(target=lambda agent=agent: answers.update({agent: claude(python, proxy, "claude-sonnet-4-5", [], folders[agent])}))
            for agent in folders
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        got = set(accounts())
        check(got == {"anthropic-work", "anthropic-home"} and all(not answer.returncode for answer in answers.values()),
              "two claudes in two folders use two accounts with one URL", ", ".join(map(str, sorted(map(str, got)))))


# MARK: - Bodies of every size

class Digester(http.server.BaseHTTPRequestHandler):
    """Answers each request with what it was: its length, how it was framed, and the SHA-256 of its body."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        digest, count = hashlib.sha256(), 0
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                piece = self.rfile.read(size)
                digest.update(piece)
                count += size
                self.rfile.readline()
            self.rfile.readline()
        else:
            left = int(self.headers["Content-Length"])
            while left:
                piece = self.rfile.read(min(left, 1 << 16))
                digest.update(piece)
                count += len(piece)
                left -= len(piece)
        body = json.dumps({"count": count, "sha": digest.hexdigest(), "key": self.headers.get("Authorization")}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def body_of(size, model):
    """A JSON object of `size` bytes with the model behind the prompt; empty for 0."""
    if not size:
        return b""
    frame = json.dumps({"input": "", "model": model}).encode()
    filler = (b"The quick brown fox jumps over it. \\n" * (size // 37 + 1))[: size - len(frame)]
    filler = filler[:-1] + b"." if filler.endswith(b"\\") else filler
    return frame.replace(b'""', b'"' + filler + b'"', 1)


def size_suite(sandbox):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Digester)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    folder = os.path.join(temporary_folder(), "state")
    os.makedirs(os.path.join(folder, "agents/main/agent"))
    write_store(folder, {f"openai:{name}": {"type": "api_key", "provider": "openai", "key": f"sk-{name}"} for name in ("one", "two")})
    with open(os.path.join(folder, "keybearer.json5"), "w") as file:
        json.dump({"providers": {"openai": {"baseURL": f"http://127.0.0.1:{server.server_port}"}}}, file)
    with Proxy(folder) as proxy:
        for size in (0, 4096, 31 * MIB, 33 * MIB):
            for chunked in (False, True):
                body = body_of(size, "m@two")
                # A body longer than what is held goes on as it is: with its length at once, chunked when the limit has come.
                isRead = 0 < size < 32 * MIB
                sent = body.replace(b"m@two", b"m") if isRead else body
                connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)
                pieces = (body[at:at + 65000] for at in range(0, len(body), 65000))
                connection.request(
                    "POST", "/openai/v1/x", pieces if chunked else body, {"Content-Type": "application/json"}, encode_chunked=chunked)
                answer = connection.getresponse()
                seen = json.loads(answer.read())
                wanted = {"count": len(sent), "sha": hashlib.sha256(sent).hexdigest(), "key": "Bearer sk-two" if isRead else "Bearer sk-one"}
                check(answer.status == 200 and seen == wanted, f"a {'chunked ' if chunked else ''}body of {size:,} bytes arrives as it should",
                      f"{seen['count']:,} bytes for {seen['key']}")
                connection.close()
        peak = status(proxy.pid, "VmHWM") // 1024
        check(peak < 300, "what is held is bounded", f"{peak} MiB at most", "300 MiB")
    server.shutdown()


def suite():
    sandbox = Sandbox()
    size_suite(sandbox)
    give_two(sandbox)
    with Proxy(sandbox.state) as proxy:
        curl_suite(sandbox, proxy)
        try:
            python = environment()
        except (Unavailable, subprocess.CalledProcessError) as reason:
            python = None
            check.skip("SDKs, Claude Code and Codex", reason)
        if python:
            sdk_suite(sandbox, proxy, python)
            claude_suite(sandbox, proxy, python)
            codex_suite(sandbox, proxy, python)
            hold_suite(python)
        workspace_suite(sandbox, proxy, python)
    with Proxy(sandbox.state) as proxy:
        listed = run([BINARY, "sessions", "list", "--json", "--state-dir", sandbox.state])
        sessions = json.loads(listed.stdout)["sessions"]
        check(len(sessions) >= 5, "sessions outlive the server", f"{len(sessions)} sessions")
    text = open(os.path.join(sandbox.state, "sessions")).read()
    check("curl-1" not in text and not any(secret in text for secret in map(str, store(sandbox.state)["profiles"].values())),
          "the file of sessions holds no id and no secret")


main(suite)
