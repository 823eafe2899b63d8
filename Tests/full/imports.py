"""Logins that other programs have made, imported in each mode: the real `codex` and an imitation of Claude Code's writer, each in turn with
Keybearer through alternating expiries, against a provider that revokes a login whose refresh token comes twice; and `--adopt` and `--undo`
killed at every system call that matters.

KEYBEARER_CODEX names the `codex` executable; else it comes from PyPI (openai-codex-cli-bin), or from --venv. KEYBEARER_ROUNDS: how many expiries.
"""

import base64
import glob
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

from harness import (
    BINARY,
    Proxy,
    Sandbox,
    Unavailable,
    check,
    clean_environment,
    main,
    settings,
    store,
    temporary_folder,
    tool,
    write_store,
)

ROUNDS = int(os.environ.get("KEYBEARER_ROUNDS", "200"))
LIMIT = 400


# MARK: - The programs


def codex_binary():
    if path := os.environ.get("KEYBEARER_CODEX"):
        return path
    folder = os.path.join(os.environ.get("KEYBEARER_VENV") or temporary_folder(), "codex")
    if not glob.glob(f"{folder}/lib/python3*/site-packages/codex_cli_bin/bin/codex"):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = subprocess.run([f"{folder}/bin/pip", "install", "--quiet", "openai-codex-cli-bin"], stderr=subprocess.PIPE, text=True)
        if install.returncode:
            raise Unavailable(f"PyPI gave no codex: {install.stderr.strip().splitlines()[-1:]}")
    return glob.glob(f"{folder}/lib/python3*/site-packages/codex_cli_bin/bin/codex")[0]


def jwt_with(token, **claims):
    """The same token with other claims; nobody here verifies its signature."""
    head, payload, signature = token.split(".")
    members = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    text = base64.urlsafe_b64encode(json.dumps({**members, **claims}).encode()).rstrip(b"=").decode()
    return f"{head}.{text}.{signature}"


class Tool:
    """A program with a login of its own in a file, in a home of its own."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.home = temporary_folder()
        os.makedirs(os.path.dirname(self.path))
        self.login()

    def environment(self):
        return {**clean_environment(), "HOME": self.home}

    def read(self):
        with open(self.path) as file:
            return json.load(file)

    def write(self, value):
        # In place, as these programs do.
        with open(self.path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            json.dump(value, file, indent=2)

    def keybearer(self, *arguments, prefix=()):
        return subprocess.run(
            [*prefix, BINARY, *arguments],
            env={**self.environment(), "KEYBEARER_DEBUG": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    @property
    def refresh(self):
        """The refresh token it holds; None when it has none."""
        try:
            return self.token(self.read())
        except (OSError, ValueError, KeyError, TypeError):
            return None


class Codex(Tool):
    owner, provider, profile = "codex", "openai-codex", "openai-codex:codex"
    target = "/openai-codex/responses"
    upstream = "/backend-api/codex/responses"

    @property
    def path(self):
        return f"{self.home}/.codex/auth.json"

    @staticmethod
    def token(root):
        return root["tokens"]["refresh_token"]

    def login(self):
        made = self.sandbox.control("POST", "accounts", {"provider": self.provider})
        tokens = {"id_token": made["access"], "access_token": made["access"], "refresh_token": made["refresh"], "account_id": made["account"]}
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.write({"auth_mode": "chatgpt", "OPENAI_API_KEY": None, "tokens": tokens, "last_refresh": now})

    def expire(self):
        root = self.read()
        root["tokens"]["access_token"] = jwt_with(root["tokens"]["access_token"], exp=int(time.time()) - 60)
        self.write(root)

    def run(self, *, through=None):
        """One turn of the real program, with its own login or through Keybearer; whether it had an answer."""
        own = ["-c", f'chatgpt_base_url="{self.sandbox.base}/backend-api"', "-c", f'openai_base_url="{self.sandbox.base}/backend-api/codex"']
        trust = {"CODEX_CA_CERTIFICATE": self.sandbox.ca, "CODEX_REFRESH_TOKEN_URL_OVERRIDE": f"{self.sandbox.base}/oauth/token"}
        turn = subprocess.run(
            [codex_binary(), "exec", "--skip-git-repo-check", "--disable", "enable_request_compression", *([] if through else own), "say hi"],
            env={**self.environment(), **trust},
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.said = turn.stdout + turn.stderr
        return turn.returncode == 0 and "Hello from account" in turn.stdout


class ClaudeWriter(Tool):
    """What Claude Code does with its file, as far as it is known: it renews an expired login and writes it in place."""

    owner, provider, profile = "claude-code", "anthropic", "anthropic:claude-code"
    target = "/anthropic/v1/messages"
    upstream = "/v1/messages"
    client_id = "9d1c250a-e61b-44d9-88ed-5944d1962f5e"

    @property
    def path(self):
        return f"{self.home}/.claude/.credentials.json"

    @staticmethod
    def token(root):
        return root["claudeAiOauth"]["refreshToken"]

    def login(self):
        made = self.sandbox.control("POST", "accounts", {"provider": self.provider})
        self.write(
            {
                "claudeAiOauth": {
                    "accessToken": made["access"],
                    "refreshToken": made["refresh"],
                    "expiresAt": made["expires"],
                    "scopes": ["user:inference"],
                },
                "mcpOAuth": {"other": {"kept": True}},
            }
        )

    def expire(self):
        root = self.read()
        root["claudeAiOauth"]["expiresAt"] = int(time.time() * 1000) - 60_000
        self.write(root)

    def run(self, *, through=None):
        if through:
            return through.ask(self.target, MESSAGE, fields=ANTHROPIC)[0] == 200
        root = self.read()
        login = root["claudeAiOauth"]
        if login["expiresAt"] < time.time() * 1000:
            body = {"grant_type": "refresh_token", "refresh_token": login["refreshToken"], "client_id": self.client_id}
            request = urllib.request.Request(
                f"{self.sandbox.base}/v1/oauth/token", json.dumps(body).encode(), {"content-type": "application/json"}
            )
            with urllib.request.urlopen(request, context=self.sandbox.tls) as answer:
                given = json.loads(answer.read())
            login["accessToken"], login["refreshToken"] = given["access_token"], given["refresh_token"]
            login["expiresAt"] = int(time.time() * 1000) + given["expires_in"] * 1000
            self.write(root)
        return True


MESSAGE = b'{"model":"m","max_tokens":8,"messages":[{"role":"user","content":"hi"}]}'
ANTHROPIC = {"anthropic-version": "2023-06-01", "content-type": "application/json"}


def ask(program, proxy):
    """One request by Keybearer itself: status and body."""
    body, fields = (MESSAGE, ANTHROPIC) if program.provider == "anthropic" else (None, {"Sandbox-Interval": "0"})
    status, _, text = proxy.ask(program.target, body, fields=fields)
    return status, text.decode(errors="replace")


class Scene:
    """A sandbox, a program, and a Keybearer without a profile at a port that its settings name."""

    def __init__(self, make):
        self.sandbox = Sandbox()
        self.state = self.sandbox.state
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.config = settings(self.sandbox, f'listen: ["127.0.0.1:{self.port}"]')
        write_store(self.state, {})
        self.program = make(self.sandbox)
        self.sandbox.forget()

    @property
    def where(self):
        return ["--state-dir", self.state, "--config", self.config]

    def import_(self, *arguments, prefix=()):
        return self.program.keybearer("import", self.program.owner, *arguments, *self.where, prefix=prefix)

    def proxy(self):
        return Proxy(self.state, port=self.port, config=self.config)

    @property
    def held(self):
        """The refresh token that our store holds."""
        return store(self.state)["profiles"].get(self.program.profile, {}).get("refresh")

    def expire_ours(self):
        held = store(self.state)["profiles"]
        held[self.program.profile]["expires"] = 1
        write_store(self.state, held)

    def verdict(self, name, wanted, flaws):
        audit = self.sandbox.audit()
        check(not flaws, f"{name}: every turn was answered, or refused with what to do", flaws[:3] or f"{ROUNDS} expiries")
        check(
            audit["familiesRevoked"] == 0 and audit["reusesDetected"] == 0 and audit["refreshesGranted"] == wanted,
            f"{name}: no login was ended, and each expiry was renewed once",
            f"{audit['refreshesGranted']} renewals, {audit['reusesDetected']} reuses, {audit['familiesRevoked']} families revoked",
            f"{wanted}, 0, 0",
        )


# MARK: - Alternating expiries


def overlay(make, name):
    """The program alone renews; Keybearer is asked before it and after it, in turn."""
    scene = Scene(make)
    program, flaws = scene.program, []
    done = scene.import_("--overlay")
    check(done.returncode == 0, f"{name}, overlay: imported", (done.stdout + done.stderr).strip())
    with scene.proxy() as proxy:
        for number in range(ROUNDS):
            program.expire()
            if number % 2:
                posts = scene.sandbox.audit()["tokenPosts"]
                time.sleep(0.1)
                status, text = ask(program, proxy)
                if status != 403 or "overlay_expired" not in text or f"run {'codex' if program.owner == 'codex' else 'claude'} once" not in text:
                    flaws.append(f"{number}: expired: {status} {text[:200]}")
                if scene.sandbox.audit()["tokenPosts"] != posts:
                    flaws.append(f"{number}: Keybearer asked the token endpoint")
            if not program.run():
                flaws.append(f"{number}: {program.owner} had no answer: {program.said[-300:]}")
            time.sleep(0.1)
            if (status := ask(program, proxy)[0]) != 200:
                flaws.append(f"{number}: after it was renewed: {status}")
            if number % 10 == 0:
                # A 401 leads to the file, never to the token endpoint.
                scene.sandbox.fault(program.upstream, "status", status=401)
                if (status := ask(program, proxy)[0]) != 403:
                    flaws.append(f"{number}: refused by the provider: {status}")
                scene.sandbox.control("DELETE", "faults")
    scene.verdict(f"{name}, overlay", ROUNDS, flaws)
    check(program.refresh is not None and scene.held is None, f"{name}, overlay: the login is {name}'s alone")


def adopt(make, name):
    """Keybearer alone renews; the program, pointed at it, and a request of our own find the token expired in turn."""
    scene = Scene(make)
    program, flaws = scene.program, []
    given = program.refresh
    done = scene.import_("--adopt")
    check(done.returncode == 0, f"{name}, adopt: taken over", (done.stdout + done.stderr).strip()[:300])
    with scene.proxy() as proxy:
        check(program.refresh is None and scene.held == given, f"{name}, adopt: the login is Keybearer's alone")
        for number in range(ROUNDS):
            scene.expire_ours()
            time.sleep(0.1)
            turns = [lambda: program.run(through=proxy), lambda: ask(program, proxy)[0] == 200]
            for turn in turns if number % 2 else reversed(turns):
                if not turn():
                    flaws.append(f"{number}: no answer: {getattr(program, 'said', '')[-300:]}")
    scene.verdict(f"{name}, adopt", ROUNDS, flaws)
    undone = scene.import_("--undo")
    check(
        undone.returncode == 1 and "was renewed since" in undone.stderr and scene.held is not None,
        f"{name}, adopt: what was renewed since is not given back",
        undone.stderr.strip()[:200],
    )


def both_own(make, name):
    """What the modes are there to prevent, so that the provider is seen to punish it."""
    scene = Scene(make)
    root = scene.program.read()["tokens"]
    write_store(
        scene.state,
        {
            scene.program.profile: {
                "type": "oauth",
                "provider": scene.program.provider,
                "access": root["access_token"],
                "refresh": root["refresh_token"],
                "expires": 1,
                "accountId": root["account_id"],
            }
        },
    )
    refused = scene.import_("--overlay")
    check(refused.returncode == 1 and "holds this very login" in refused.stderr, f"{name}: a login that Keybearer holds already is not imported")
    scene.program.expire()
    with scene.proxy() as proxy:
        ask(scene.program, proxy)
        scene.program.run()
    audit = scene.sandbox.audit()
    check(audit["familiesRevoked"] == 1, f"{name}: a copy with two owners, the control: its login is ended", audit["familiesRevoked"], "1")


# MARK: - kill -9 within --adopt and --undo

CALLS = ["mkdirat", "openat", "renameat", "renameat2", "rename", "unlinkat", "unlink", "fsync", "fdatasync", "pwrite64", "write", "fchmod"]


def crash(make, call, number, undo):
    """One crash and what came of it; None when the command has no such call."""
    scene = SCENES.setdefault(make, None) or SCENES.update({make: Scene(make)}) or SCENES[make]
    program = scene.program
    for path in glob.glob(program.path + ".keybearer-*") + glob.glob(f"{scene.state}/keybearer/imports/*"):
        os.unlink(path)
    for name in ("config.toml", "settings.json"):
        for path in glob.glob(f"{os.path.dirname(program.path)}/{name}*"):
            os.unlink(path)
    write_store(scene.state, {})
    program.login()
    given = program.refresh
    if undo and scene.import_("--adopt").returncode:
        return {"call": "adopt", "flaws": ["could not be prepared"]}
    strace = [tool("strace"), "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}"]
    ended = scene.import_("--undo" if undo else "--adopt", prefix=strace)
    if ended.returncode == 0:
        return None
    row = {"call": f"{call} {number}", "flaws": []}
    if ended.returncode not in (137, -9):
        row["flaws"].append(f"was not killed: {ended.returncode} {ended.stderr[:200]}")
    if program.refresh == given and scene.held == given:
        row["flaws"].append("two owners")
    # Whoever looks at the store next settles it.
    program.keybearer("models", "status", *scene.where)
    owners = [name for name, token in (("program", program.refresh), ("keybearer", scene.held)) if token == given]
    row["owner"] = "+".join(owners)
    if len(owners) != 1:
        row["flaws"].append(f"{len(owners)} owners after it was settled")
    if program.owner == "claude-code" and program.read().get("mcpOAuth") != {"other": {"kept": True}}:
        row["flaws"].append("what else was in the file is gone")
    # And it works for its owner: once more by the same command, or by a renewal.
    if owners == ["keybearer"]:
        scene.expire_ours()
        fresh = program.keybearer("token", program.profile, *scene.where)
        if fresh.returncode:
            row["flaws"].append(f"the login is of no use: {fresh.stderr[:200]}")
    else:
        again = scene.import_("--adopt")
        if again.returncode or scene.held != given or program.refresh:
            row["flaws"].append(f"cannot be taken over afterwards: {again.stderr[:200]}")
    return row


SCENES = {}


def crashes(make, name, undo):
    rows = []
    for call in CALLS:
        for number in range(1, LIMIT):
            row = crash(make, call, number, undo)
            if row is None:
                break
            rows.append(row)
    verb = "undo" if undo else "adopt"
    owners = {}
    for row in rows:
        owners[row.get("owner")] = owners.get(row.get("owner"), 0) + 1
    flawed = [f"{row['call']}: {'; '.join(row['flaws'])}" for row in rows if row["flaws"]]
    check(rows and not flawed, f"{name}: killed anywhere in --{verb}, the login has one owner and works", flawed[:5] or f"{len(rows)} crashes: {owners}")
    check({"program", "keybearer"} <= set(owners), f"{name}: --{verb} was killed before and after the change of owner", owners)
    audit = SCENES[make].sandbox.audit()
    check(audit["familiesRevoked"] == 0, f"{name}: no login was ended by any of it", audit["familiesRevoked"], "0")


def codex_that_runs(scene):
    """It may hold the login in memory."""
    program = scene.program
    sleeper = os.path.join(program.home, "codex")
    with open(sleeper, "w") as file:
        file.write("#!/bin/sh\nsleep 30\n")
    os.chmod(sleeper, 0o700)
    running = subprocess.Popen([sleeper], env=program.environment())
    try:
        time.sleep(0.2)
        refused = scene.import_("--adopt")
        check(
            refused.returncode == 1 and f"process {running.pid}" in refused.stderr and program.refresh and scene.held is None,
            "codex: a login is not taken from a codex that runs",
            refused.stderr.strip()[:200],
        )
    finally:
        running.kill()
        running.wait()


def dead_login(scene):
    """One that its provider has ended goes back as it was."""
    program = scene.program
    program.expire()
    scene.sandbox.control("POST", "revoke", {"refresh": program.refresh})
    before = program.read()
    refused = scene.import_("--adopt")
    check(
        refused.returncode == 1 and "has ended the login" in refused.stderr and program.read() == before and scene.held is None,
        "codex: a login that is over is not taken over",
        refused.stderr.strip()[:200],
    )
    check(not os.path.exists(f"{program.home}/.codex/config.toml"), "codex: and codex is pointed where it was")


def suite():
    wanted = os.environ.get("KEYBEARER_PARTS", "codex,claude,kills").split(",")
    if "kills" in wanted:
        tool("strace")
        codex_that_runs(Scene(Codex))
        dead_login(Scene(Codex))
        for make, name in ((Codex, "codex's file"), (ClaudeWriter, "Claude Code's file")):
            for undo in (False, True):
                crashes(make, name, undo)
    if "claude" in wanted:
        for mode in (overlay, adopt):
            mode(ClaudeWriter, "imitation of Claude Code")
    if "codex" in wanted:
        version = subprocess.run([codex_binary(), "--version"], capture_output=True, text=True).stdout.strip()
        check.show(version)
        both_own(Codex, "codex")
        for mode in (overlay, adopt):
            mode(Codex, "codex")


main(suite)
