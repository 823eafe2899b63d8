"""Logins at a terminal and in pipes, against an authorization server that is not ours (Authlib) and the sandbox's own device form."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import harness
from harness import AGENT, Proxy, Sandbox, Unavailable, check, clean_environment, eventually, read, sign_in, temporary_folder
from terminal import DISPLAY, TERMINAL, Terminal, free_port, in_environment

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = ["authlib", "flask", "pexpect"]
OPEN = "http://127.0.0.1:"


# MARK: - The server, the browser and the terminal

class Authlib:
    """The authorization server in a process of its own, and a state directory that points at it."""

    def __init__(self):
        self.callback = free_port()
        redirect = f"http://localhost:{self.callback}/auth/callback"
        folder = temporary_folder()
        self.log = open(os.path.join(folder, "server.log"), "wb")
        self.process = harness.spawn([sys.executable, "-B", os.path.join(HERE, "logins-server.py")], stdout=subprocess.PIPE, stderr=self.log,
                                     env={**clean_environment(), "REDIRECT_URI": redirect})
        self.port = int(self.process.stdout.readline() or 0)
        self.base = OPEN + str(self.port)
        self.state = os.path.join(folder, "state")
        os.makedirs(os.path.join(self.state, "providers"))
        with open(os.path.join(self.state, "providers/authlib.json5"), "w") as file:
            json.dump({"openai-codex": {"sendsElsewhere": True, "baseURL": self.base + "/model", "oauth": {
                "tokenURL": self.base + "/token", "authorizeURL": self.base + "/authorize", "clientID": "authlib-client", "login": {
                    "redirectURI": redirect, "device": {"form": "rfc8628", "startURL": self.base + "/device_authorization"}}}}}, file)

    def post(self, door, **members):
        ask = urllib.request.Request(f"{self.base}/test/{door}", json.dumps(members).encode(), {"Content-Type": "application/json"})
        urllib.request.urlopen(ask, timeout=10).read()

    def steer(self, **members):
        self.post("steer", **members)

    @property
    def seen(self):
        return json.load(urllib.request.urlopen(self.base + "/test/seen", timeout=10))

    def profiles(self):
        try:
            return json.loads(read(self.state, AGENT, "auth-profiles.json"))["profiles"]
        except FileNotFoundError:
            return {}


class State:
    """A state directory without a server of its own."""

    def __init__(self, path):
        self.state = path


def visit(address, host=None):
    """Status, fields and text of a page."""
    ask = urllib.request.Request(address, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(ask, timeout=40) as page:
            return page.status, page.headers, page.read().decode()
    except urllib.error.HTTPError as page:
        return page.code, page.headers, page.read().decode()


def pipe(server, *arguments, command=("models", "auth", "login"), input="", environment=None, within=30):
    """The command without a terminal."""
    return subprocess.run([harness.BINARY, *command, *arguments, "--state-dir", server.state], input=input, text=True, capture_output=True,
                          env={**clean_environment(), **(environment if environment is not None else DISPLAY)}, timeout=within)


# MARK: - Parts

def callback(server):
    terminal = Terminal(server, "--no-browser")
    address = terminal.address()
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
    check(list(query) == ["response_type", "client_id", "redirect_uri", "scope", "code_challenge", "code_challenge_method", "state",
                          "id_token_add_organizations", "codex_cli_simplified_flow", "originator"] and query["originator"] == "keybearer",
          "the authorization request has the documented parameters in their order, and our own originator")
    back = sign_in(address, "ann")
    wrong = back.replace(query["state"], "0" * len(query["state"]))
    for name, ask, status in [
        ("another state", (wrong,), 400), ("no state", (re.sub("&state=[^&]*", "", back),), 400),
        ("another path", (back.replace("/auth/callback", "/other"),), 404), ("another host", (back, "evil.example"), 421),
        ("a rebound name", (back, f"evil.example:{server.callback}"), 421),
    ]:
        got = visit(*ask)
        check(got[0] == status and "evil" not in got[2] and query["state"] not in got[2], f"a callback with {name} is refused", got[0], status)
    status, fields, text = visit(back)
    check(status == 200 and "Logged in" in text, "the right callback is answered when the login is stored", status)
    policy = fields["Content-Security-Policy"]
    check(policy.startswith("default-src 'none'; style-src 'sha256-") and fields["Cache-Control"] == "no-store"
          and fields["Referrer-Policy"] == "no-referrer", "the page loads nothing and tells nothing", policy[:40])
    check(terminal.end() == 0, "the command ends with 0", terminal.text[-200:] if terminal.child.exitstatus else "")
    profile = server.profiles().get("openai-codex:ann@authlib.example", {})
    check(set(profile) == {"type", "provider", "access", "refresh", "expires", "accountId", "email"} and profile["accountId"] == "acct-ann",
          "the profile is called by the e-mail and holds access, refresh, expires and accountId", sorted(profile))
    check(abs(profile["expires"] / 1000 - time.time() - 3600) < 30, "its end is the token's")
    sent = server.seen["token"][-1]
    check(len(sent["code_verifier"]) >= 43 and sent["code_verifier"] not in address, "the verifier was in the exchange alone")
    check(profile["access"] not in terminal.text and profile["refresh"] not in terminal.text, "no token is shown")
    with socket.socket() as probe:
        check(probe.connect_ex(("127.0.0.1", server.callback)) != 0, "after one callback nothing listens")
    check(visit_fails(back), "a second callback finds nobody")


def visit_fails(address):
    try:
        visit(address)
        return False
    except OSError:
        return True


def ipv6_and_renewal(server):
    before = server.profiles()
    terminal = Terminal(server, "--no-browser")
    back = sign_in(terminal.address(), "ann").replace("localhost", "[::1]")
    check(visit(back)[0] == 200 and terminal.end() == 0, "a browser that finds localhost at ::1 gets through")
    after = server.profiles()
    check(list(after) == list(before) and "renewed" in terminal.text, "logging in again renews the same profile", list(after))
    check(after != before, "with new tokens")


def pastes(server):
    for name, form in [
        ("the address", lambda back, code, state: back), ("code#state", lambda back, code, state: f"{code}#{state}"),
        ("the query", lambda back, code, state: f"code={code}&state={state}"), ("the bare code", lambda back, code, state: code),
    ]:
        terminal = Terminal(server, "--no-browser")
        back = sign_in(terminal.address(), "ann")
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back).query))
        terminal.paste(form(back, query["code"], query["state"]))
        code = terminal.end()
        check(code == 0 and query["code"] not in terminal.text, f"{name} is taken while the callback waits, and not shown", code, 0)
    terminal = Terminal(server, "--paste")
    address = terminal.address()
    back = sign_in(address, "ann")
    for line, advice in [
        (address, "That is the address to open"), ("what?", "neither an address nor a code"),
        (back.split("?")[0], "There is no code"), (re.sub("state=[^&]*", "state=0123", back), "belongs to another login"),
    ]:
        terminal.paste(line)
        terminal.expect(re.escape(advice), within=5)
        check(True, f"a wrong paste is told and the wait goes on: {advice}")
    with socket.socket() as probe:
        check(probe.connect_ex(("127.0.0.1", server.callback)) != 0, "--paste listens on no port")
    terminal.paste(back)
    check(terminal.end() == 0, "and the right one is taken")
    long = Terminal(server, "--paste")
    back = sign_in(long.address(), "ann")
    long.paste(back + "&padding=" + "x" * 6000)
    check(long.end() == 0, "a line longer than a terminal's own 4096 bytes is taken")


def refusals(server):
    terminal = Terminal(server, "--no-browser")
    back = sign_in(terminal.address(), "ann")
    used = urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["code"][0]
    visit(back)
    check(terminal.end() == 0, "a code is used")
    again = Terminal(server, "--paste")
    again.address()
    again.paste(used)
    check(again.end() == 1 and "invalid_grant" in again.text, "the same code again is refused, with exit code 1", again.child.exitstatus, 1)
    denied = Terminal(server, "--no-browser")
    back = sign_in(denied.address())
    status, _, text = visit(back)
    check("access_denied" in back and status == 400 and "Not logged in" in text and denied.end() == 1 and "access_denied" in denied.text,
          "a person who says no ends the login, on the page and at the terminal")
    before = server.profiles()
    other = Terminal(server, "--no-browser", "--profile-id", "openai-codex:ann@authlib.example")
    visit(sign_in(other.address(), "bob"))
    code = other.end()
    after = server.profiles()
    check(code == 1 and "another account" in other.text and after["openai-codex:ann@authlib.example"] == before["openai-codex:ann@authlib.example"]
          and after["openai-codex:bob@authlib.example"]["accountId"] == "acct-bob",
          "another account does not overwrite the profile that was asked for, and its login is kept", list(after))
    check(list(after)[: len(before)] == list(before), "a second account is a second profile")


def device(server):
    terminal = Terminal(server, environment={"SSH_CONNECTION": "192.0.2.7 50000 192.0.2.9 22"})
    terminal.expect(r"enter the code\s+([A-Z]{4}-[A-Z]{4})")
    code = terminal.child.match[1]
    terminal.expect("Waiting")
    check(f"ssh -L {server.callback}:127.0.0.1:{server.callback} me@192.0.2.9" in terminal.text and "paste" in terminal.text,
          "over SSH: the code, the ssh -L line, and paste open")
    server.post("decide", user_code=code, user="dora", approve=True)
    check(terminal.end() == 0 and server.profiles()["openai-codex:dora@authlib.example"]["accountId"] == "acct-dora",
          "a confirmed device code is a stored login (RFC 8628)")
    pasted = Terminal(server, environment={})
    pasted.expect("enter the code")
    back = sign_in(pasted.address(), "dora")
    pasted.paste(back)
    check(pasted.end() == 0, "without a display: a paste is taken while the device code waits")
    tunnelled = Terminal(server, environment={})
    visit(sign_in(tunnelled.address(), "dora"))
    check(tunnelled.end() == 0, "and so is a callback, as ssh -L brings it")

    server.steer(slow_down=1)
    polls = len(server.seen["polls"])
    slow = Terminal(server, "--device-code")
    slow.expect(r"enter the code\s+([A-Z]{4}-[A-Z]{4})")
    code = slow.child.match[1]
    eventually(lambda: len(server.seen["polls"]) > polls, within=5, every=0.1)
    server.post("decide", user_code=code, user="dora", approve=True)
    check(slow.end() == 0, "slow_down is survived")
    times = server.seen["polls"][polls:]
    check(len(times) == 2 and times[1] - times[0] >= 6, "the poll after slow_down comes five seconds later than the interval",
          f"{times[1] - times[0]:.1f} s" if len(times) > 1 else len(times), "6 s")

    for name, act, word in [
        ("refused", lambda code: server.post("decide", user_code=code, user="dora", approve=False), "access_denied"),
        ("expired", lambda code: None, "expired_token"),
    ]:
        server.steer(device_life=600 if name == "refused" else 0)
        terminal = Terminal(server, "--device-code")
        terminal.expect(r"enter the code\s+([A-Z]{4}-[A-Z]{4})")
        act(terminal.child.match[1])
        check(terminal.end() == 1 and word in terminal.text, f"a device code that is {name} ends the login ({word})")
    server.steer(device_life=600)


def openai_device():
    """OpenAI's own form, which no server but theirs and our sandbox speaks."""
    sandbox = Sandbox()
    for approve in (True, False):
        terminal = Terminal(sandbox, "--device-code")
        terminal.expect(r"enter the code\s+([A-Z]{4}-[A-Z]{4})")
        body = {"user_code": terminal.child.match[1], **({"account": "device-user"} if approve else {"deny": True})}
        sandbox.control("POST", "approve", body)
        code = terminal.end()
        check(code == (0 if approve else 1), f"OpenAI's device login ends with {'a login' if approve else 'a refusal'}", code)
    check("device-user" in read(sandbox.state, AGENT, "auth-profiles.json"), "and the login is stored")


def ctrl_c(server):
    before = server.profiles()
    for name, start in [
        ("while it waits for the browser", lambda: Terminal(server, "--no-browser")),
        ("while it waits for a paste", lambda: Terminal(server, "--paste")),
        ("while it waits for a device", lambda: Terminal(server, "--device-code")),
    ]:
        terminal = start()
        terminal.expect("Waiting")
        check(not terminal.child.getecho(), f"{name}: what is typed is not shown") if "device" not in name else None
        terminal.child.sendintr()
        began = time.monotonic()
        code = terminal.end()
        check(code == 130 and "nothing was stored" in terminal.text, f"Ctrl-C {name} ends it", f"{code} in {time.monotonic() - began:.1f} s", 130)
    shell = Terminal(server)
    shell.child.close()
    import pexpect
    shell = pexpect.spawn("/bin/sh", env={**clean_environment(), **TERMINAL, "PS1": "$ "}, encoding="utf-8", timeout=10)
    shell.sendline(f"{harness.BINARY} login --paste --state-dir {server.state}")
    shell.expect("Waiting")
    shell.sendintr()
    shell.expect("nothing was stored")
    time.sleep(0.3)
    check(shell.getecho(), "afterwards the terminal shows again what is typed")
    shell.close()
    check(server.profiles() == before, "nothing is written by any of them")

    server.steer(token_delay=2.0)
    terminal = Terminal(server, "--paste")
    back = sign_in(terminal.address(), "eve")
    terminal.paste(back)
    terminal.expect("Exchanging the code")
    for _ in range(3):
        terminal.child.sendintr()
        time.sleep(0.1)
    terminal.expect("is waited for")
    code = terminal.end()
    check(code == 0 and "openai-codex:eve@authlib.example" in server.profiles(), "Ctrl-C in an exchange is held back, and the login stored", code)
    terminal = Terminal(server, "--paste")
    terminal.paste(sign_in(terminal.address(), "eve"))
    terminal.expect("Exchanging the code")
    os.kill(terminal.child.pid, signal.SIGTERM)
    check(terminal.end() == 0, "and so is SIGTERM")
    server.steer(token_delay=0.0)


def pipes_and_ports(server):
    address = None
    process = harness.subprocess.Popen([harness.BINARY, "login", "--no-browser", "--state-dir", server.state], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**clean_environment(), **DISPLAY})
    for line in process.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+/authorize\?\S+", line):
            address = found[0]
            break
    status = visit(sign_in(address, "ann"))[0]
    output, errors = process.communicate(timeout=20)
    check(status == 200 and process.returncode == 0 and "\x1b" not in output + errors and output.count("\n") == 1,
          "in a pipe: plain lines, and one line of answer", output.strip()[:60])
    waited = pipe(server, "--timeout", "1s")
    check(waited.returncode == 1 and "nobody logged in within 1 s" in waited.stderr, "the wait ends, and says so", waited.stderr[-120:].strip())
    ended = pipe(server, "--paste", input="not a code\n")
    check(ended.returncode == 1 and "standard input ended" in ended.stderr, "a pipe that ends without a code is told")
    for family, at in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind((at, server.callback))
            other.listen()
            began = time.monotonic()
            alone = pipe(server)
            check(alone.returncode == 1 and f"port {server.callback}" in alone.stderr, f"port taken at {at} without a terminal is told at once",
                  f"{time.monotonic() - began:.1f} s")
            terminal = Terminal(server, "--no-browser")
            address = terminal.address()
            check("is taken by another program" in terminal.text, f"port taken at {at} at a terminal: paste, at once")
            terminal.paste(sign_in(address, "ann"))
            check(terminal.end() == 0, "and the paste is taken")
    for arguments, word in [
        (("--provider", "anthropic"), "setup-token"), (("--provider", "openai"), "paste-api-key"), (("--provider", "nobody"), "no provider"),
        (("--device-code", "--paste"), "exclude each other"), (("--timeout", "5"), "from 1s to 1h"), (("--timeout", "2h"), "from 1s to 1h"),
    ]:
        wrong = pipe(server, *arguments)
        check(wrong.returncode == 64 and word in wrong.stderr and len(wrong.stderr.strip().splitlines()) <= 2,
              f"wrong use is one clear line: {' '.join(arguments)}", wrong.returncode, 64)


def browser(server):
    folder = temporary_folder()
    record = os.path.join(folder, "record")
    script = os.path.join(folder, "xdg-open")
    with open(script, "w") as file:
        file.write(f'#!/bin/sh\nprintf "%s\\n" "$@" > {record}.new\nenv >> {record}.new\nls -l /proc/self/fd >> {record}.new\nmv {record}.new {record}\n')
    os.chmod(script, 0o755)
    opened = {"PATH": folder + ":" + os.environ["PATH"], **DISPLAY, "OPENAI_API_KEY": "sk-in-the-environment"}
    terminal = Terminal(server, environment=opened)
    address = terminal.address()
    check(bool(eventually(lambda: os.path.exists(record))), "xdg-open is started")
    text = read(folder, "record")
    check("socket:" not in text and "auth-profiles" not in text and "anon_inode" not in text, "with none of our descriptors")
    check(text.splitlines()[0] == address and "sk-in-the-environment" not in text, "with the address alone, and without the keys of the environment")
    visit(sign_in(address, "ann"))
    terminal.end()
    check(server.seen["token"][-1]["code_verifier"] not in text and "Your browser opens" in terminal.text, "nothing secret is in its arguments")
    failing = os.path.join(folder, "failing")
    with open(failing, "w") as file:
        file.write("#!/bin/sh\nexit 3\n")
    os.chmod(failing, 0o755)
    terminal = Terminal(server, environment={**DISPLAY, "BROWSER": failing})
    terminal.address()
    if "could not be opened" not in terminal.text:
        terminal.expect("could not be opened")
    terminal.child.sendintr()
    check(terminal.end() == 130, "a browser that fails is told")


def real_browser(server):
    """Chromium goes the whole way by itself: the provider's page, the redirect, ours."""
    try:
        chromium = harness.tool("chromium")
    except Unavailable as reason:
        return check.skip("a real browser logs in", reason)
    folder = temporary_folder()

    def look(address):
        shown = subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}", "--virtual-time-budget=1000",
                                "--enable-logging=stderr", "--dump-dom", address], text=True, capture_output=True, timeout=90)
        return shown.stdout, [line for line in shown.stderr.splitlines() if "CONSOLE" in line]

    terminal = Terminal(server, "--no-browser")
    address = terminal.address()
    page, console = look(f"http://localhost:{server.callback}/auth/callback?code=%3Cscript%3Ealert(1)%3C/script%3E&state=wrong")
    check("not the login that is waited for" in page and "alert" not in page, "a foreign answer is refused in Chromium, and not echoed", console)
    page, console = look(address + "&user=ann")
    check(terminal.end() == 0 and "Logged in" in page and not console, "Chromium logs in, and its console has no complaint about the page", console)


def rotation(server):
    """The stored login is refreshed by the proxy, and the server rotates."""
    path = os.path.join(server.state, AGENT, "auth-profiles.json")
    document = json.loads(read(server.state, AGENT, "auth-profiles.json"))
    document["profiles"] = {"openai-codex:ann@authlib.example": document["profiles"]["openai-codex:ann@authlib.example"]}
    for round in (1, 2):
        before = document["profiles"]["openai-codex:ann@authlib.example"]
        before["expires"] = 1
        with open(path, "w") as file:
            json.dump(document, file)
        with Proxy(server.state) as proxy:
            status = proxy.ask("/openai-codex/responses")[0]
        document = json.loads(read(server.state, AGENT, "auth-profiles.json"))
        after = document["profiles"]["openai-codex:ann@authlib.example"]
        told = server.seen["bearers"][-1]
        check(status == 200 and told["live"] and told["account"] == "acct-ann" and after["refresh"] != before["refresh"],
              f"refresh {round}: Authlib rotates, and the request goes with the new token and the account", told["account"])


def setup_token(server):
    good = "sk-ant-oat01-" + "x" * 90
    folder = temporary_folder()
    claude = os.path.join(folder, "claude")
    with open(claude, "w") as file:
        file.write(f'#!/bin/sh\n[ "$1" = setup-token ] && [ -t 0 ] || exit 9\necho "your token: {good}"\nread -p "done? " answer\n')
    os.chmod(claude, 0o755)
    command = ("models", "auth", "setup-token")
    terminal = Terminal(server, command=command, environment={"PATH": folder + ":" + os.environ["PATH"]})
    terminal.expect("done")
    terminal.child.send("\r")
    terminal.expect("not shown")
    time.sleep(0.2)
    shown = terminal.text.count(good)
    terminal.paste(good)
    code = terminal.end()
    profile = server.profiles().get("anthropic:manual", {})
    check(code == 0 and profile.get("token") == good and profile.get("type") == "token" and terminal.text.count(good) == shown,
          "`claude setup-token` talks at our terminal, and what it prints is pasted unseen", code)
    check(abs(profile["expires"] / 1000 - time.time() - 365 * 86400) < 60, "its year is noted")
    for text, word in [("sk-ant-api03-" + "x" * 90, "does not look like"), ("sk-ant-oat01-short", "shorter"), ("", "no setup-token")]:
        wrong = pipe(server, "--profile-id", "anthropic:other", command=command, input=text)
        check(wrong.returncode == 64 and word in wrong.stderr, f"a setup-token is checked: {word}", wrong.stderr.strip()[:80])
    piped = pipe(server, "--profile-id", "anthropic:piped", command=command, input=good + "\n")
    check(piped.returncode == 0 and "anthropic:piped" in server.profiles() and good not in piped.stdout + piped.stderr, "and taken from a pipe")
    terminal = Terminal(server, "--paste", command=command)
    terminal.expect("not shown")
    terminal.child.sendintr()
    check(terminal.end() != 0, "Ctrl-C at the hidden prompt ends it")


def add_and_list(server):
    terminal = Terminal(server, command=("models", "auth", "add"))
    terminal.expect("What do you have")
    terminal.paste("3")
    terminal.expect("Whose is it")
    terminal.paste("groq")
    terminal.expect("not shown")
    time.sleep(0.2)
    terminal.paste("gsk_of_the_suite")
    check(terminal.end() == 0 and server.profiles()["groq:default"]["key"] == "gsk_of_the_suite" and "gsk_of" not in terminal.text,
          "`models auth add` asks twice, and stores a key without showing it")
    listed = json.loads(pipe(server, "--json", command=("models", "auth", "list")).stdout)["auth"]
    check([entry["id"] for entry in listed] == list(server.profiles()), "`models auth list --json` has every profile, in stored order")
    text = pipe(server, command=("models", "auth", "list")).stdout + json.dumps(listed)
    hidden = [value for profile in server.profiles().values() for name, value in profile.items() if name in ("access", "refresh", "token", "key")]
    check(not any(secret in text for secret in hidden), "and none of their secrets")


def environment_keys(server):
    """A key of the environment is used where there is no profile, shown as such, and read once."""
    folder = temporary_folder()
    state = os.path.join(folder, "state")
    os.makedirs(os.path.join(state, "providers"))
    with open(os.path.join(state, "providers/model.json5"), "w") as file:
        json.dump({name: {"sendsElsewhere": True, "baseURL": server.base + "/model"} for name in ("openai", "anthropic")}, file)
    keys = {"OPENAI_API_KEY": "sk-of-the-environment", "ANTHROPIC_API_KEY": "sk-ant-of-the-environment"}
    with Proxy(state, environment=keys) as proxy:
        _, fields, _ = proxy.ask("/openai/responses")
        check(fields["Keybearer-Profile"] in ("openai:env", "openai%3Aenv") and server.seen["bearers"][-1]["value"] == keys["OPENAI_API_KEY"],
              "without a profile the environment's key is sent, and Keybearer-Profile says so", fields["Keybearer-Profile"])
        stored = pipe(State(state), "--provider", "openai", command=("models", "auth", "paste-api-key"), input="sk-stored")
        used = eventually(lambda: (name := proxy.ask("/openai/responses")[1]["Keybearer-Profile"]) not in ("openai:env", "openai%3Aenv") and name, within=3)
        check(stored.returncode == 0 and server.seen["bearers"][-1]["value"] == "sk-stored", "a profile that is stored takes its place", used)
        check(not any(secret in proxy.output() for secret in keys.values()), "no key is in the log")
    status = pipe(State(state), "--json", command=("models", "status"), environment=keys).stdout
    told = {entry["provider"]: entry for entry in json.loads(status)["auth"]["providers"]}
    check(told["anthropic"]["effective"] == {"kind": "env", "detail": "ANTHROPIC_API_KEY"} and told["openai"]["effective"]["kind"] == "profiles"
          and told["openai"]["env"] == {"source": "env: OPENAI_API_KEY", "used": False}, "status shows them as such", told["anthropic"]["effective"])
    text = pipe(State(state), command=("models", "status"), environment=keys).stdout
    check("anthropic:env" in text and "$ANTHROPIC_API_KEY" in text and not any(secret in status + text for secret in keys.values()),
          "and nothing of the keys")


def suite():
    server = Authlib()
    for part in (callback, ipv6_and_renewal, pastes, refusals, device, ctrl_c, pipes_and_ports, browser, setup_token, add_and_list, real_browser,
                 rotation, environment_keys):
        harness.check.show(part.__name__)
        part(server)
    openai_device()


if __name__ == "__main__":
    in_environment(suite, "logins", PACKAGES)
