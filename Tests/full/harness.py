"""What the slow suites share: checks, a sandbox and a proxy in processes of their own, raw HTTP, /proc. Python 3 standard library only.

Everything is on loopback. Processes are ended by their process id, temporary folders are removed, whatever happens.
"""
import atexit
import contextlib
import glob
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

BINARY = os.environ.get("KEYBEARER_BIN", "")
SUITE = os.path.splitext(os.path.basename(sys.argv[0]))[0]
AGENT = "agents/main/agent"


class Unavailable(Exception):
    """The suite, or a part of it, cannot run on this machine."""


# MARK: - Checks

class Checks:
    """One line a check: the verdict, the sentence, the figure that was measured and the bar."""

    def __init__(self):
        self.counts = {"pass": 0, "FAIL": 0, "skip": 0}

    def __call__(self, holds, sentence, measured="", bar=""):
        tail = f": {measured}" if measured != "" else ""
        tail += f" (bar: {bar})" if bar else ""
        self.note("pass" if holds else "FAIL", sentence + tail)
        return bool(holds)

    def skip(self, sentence, reason):
        self.note("skip", f"{sentence}: {reason}")

    def note(self, verdict, text):
        self.counts[verdict] += 1
        print(f"{verdict}  {SUITE}: {text}", flush=True)

    @staticmethod
    def show(text):
        """A figure without a bar, or a row of a table."""
        print(f"      {text}", flush=True)


check = Checks()


def main(suite):
    """Runs `suite()`, ends what it started, and tells the caller how it went in the file KEYBEARER_RESULTS names."""
    try:
        suite()
    except Unavailable as reason:
        check.skip("the suite cannot run here", reason)
    except Exception as error:  # noqa: BLE001  a suite that breaks off has failed
        import traceback
        traceback.print_exc()
        check(False, "the suite ran to its end", f"{type(error).__name__}: {error}")
    finally:
        nothing_shows()
        cleanup()
    if results := os.environ.get("KEYBEARER_RESULTS"):
        with open(results, "a") as file:
            file.write("{pass} {FAIL} {skip}\n".format(**check.counts))
    sys.exit(1 if check.counts["FAIL"] else 0)


# MARK: - The canary

# What stands where the product's own canary has found a secret on its way out: it must never have to.
WITHHELD = "secret withheld"
_secrets = set()
# What /proc has shown of the processes of this suite.
_seen = []


def remember(profiles):
    """Notes every secret of these entries: none may show in anything that is written for people."""
    for profile in profiles.values():
        for member in ("access", "refresh", "token", "key"):
            value = profile.get(member) if isinstance(profile, dict) else None
            # A shorter one would be found in innocent words.
            if isinstance(value, str) and len(value) >= 16:
                _secrets.add(value)


def nothing_shows():
    """Looks for every secret of this suite in all that its processes have said and logged."""
    said = sum(len(text) for _, text in _seen)
    found = [f"{place}: {secret[:8]}…" for place, text in _seen for secret in _secrets if secret in text]
    for folder in _folders:
        for path in glob.glob(os.path.join(glob.escape(folder), "**/auth-profiles.json"), recursive=True):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                with open(path) as file:
                    remember(json.load(file)["profiles"])
        for pattern in ("**/*.log", "**/access.jsonl*"):
            for path in glob.glob(os.path.join(glob.escape(folder), pattern), recursive=True):
                with contextlib.suppress(OSError):
                    with open(path, encoding="utf-8", errors="replace") as file:
                        text = file.read()
                    said += len(text)
                    name = os.path.basename(path)
                    found += [f"{name}: {secret[:8]}…" for secret in _secrets if secret in text]
                    if WITHHELD in text:
                        found.append(f"{name}: the canary had to act")
    if path := os.environ.get("KEYBEARER_SECRETS"):
        with open(path, "a") as file:
            file.writelines(secret + "\n" for secret in sorted(_secrets))
    if said and _secrets:
        check(not found, "no secret in anything that was said, logged or shown by /proc", found[:5] or f"{len(_secrets)} secrets in {said} bytes")


# MARK: - Processes and folders

_running = []
_folders = []
# What the suites write into a state directory is as private as what Keybearer writes.
os.umask(0o077)


def temporary_folder():
    path = tempfile.mkdtemp(prefix="keybearer-full-")
    _folders.append(path)
    return path


@atexit.register
def cleanup():
    for process in _running:
        if process.poll() is None:
            process.kill()
            process.wait()
    _running.clear()
    while _folders:
        shutil.rmtree(_folders.pop(), ignore_errors=True)


for _number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(_number, lambda number, _: sys.exit(128 + number))


def spawn(arguments, **options):
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, **options)
    _running.append(process)
    return process


def end(process, number=signal.SIGTERM, within=10.0):
    """Ends one process and tells its exit status; kills it when it takes too long."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        return process.wait(within)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None


def eventually(condition, within=5.0, every=0.01):
    """The first true value of `condition()`; its last one when the time is over."""
    limit = time.monotonic() + within
    while True:
        value = condition()
        if value or time.monotonic() > limit:
            return value
        time.sleep(every)


def tool(name):
    path = shutil.which(name)
    if not path:
        raise Unavailable(f"{name} is not installed")
    return path


class Daemon:
    """One process of the binary under test, with its output in files."""

    def __init__(self, arguments, folder, ready, *, environment=None, preexec=None, within=15, within_namespace=()):
        self.output_path = os.path.join(folder, f"{arguments[0]}-{time.monotonic_ns()}.log")
        with open(self.output_path, "wb") as output:
            self.process = spawn(
                [*within_namespace, BINARY, *arguments], stdout=output, stderr=output, env={**clean_environment(), **(environment or {})}, preexec_fn=preexec)
        self.pid = self.process.pid
        found = eventually(lambda: self.process.poll() is not None or re.search(ready, self.output()), within=within)
        if not isinstance(found, re.Match):
            raise RuntimeError(f"`keybearer {' '.join(arguments)}` is not ready: {self.output()[-2000:]}")
        self.ready = found

    def output(self):
        with open(self.output_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def end(self, number=signal.SIGTERM, within=10.0):
        self.look()
        return end(self.process, number, within)

    def look(self):
        """Keeps what /proc shows of the process and its children: their arguments and environments."""
        for pid in [self.pid, *children(self.pid)]:
            for name in ("cmdline", "environ"):
                with contextlib.suppress(OSError):
                    with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as file:
                        _seen.append((f"/proc/{name}", file.read()))

    @property
    def is_alive(self):
        return self.process.poll() is None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end(signal.SIGKILL)


def clean_environment():
    """A home of its own, and nothing that would lead to real credentials or through an outbound proxy."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "HOME": "/nonexistent"}


# MARK: - Packages of others

def environment(name, packages):
    """The Python of a virtual environment with `packages`; made in KEYBEARER_VENV if that is named, else for this run alone."""
    folder = os.path.join(os.environ.get("KEYBEARER_VENV") or temporary_folder(), name)
    python = os.path.join(folder, "bin/python")
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    if not os.path.exists(os.path.join(folder, "complete")):
        install = subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], text=True, stderr=subprocess.PIPE
        )
        if install.returncode:
            raise Unavailable(f"PyPI gave no SDKs: {install.stderr.strip().splitlines()[-1:]}")
        open(os.path.join(folder, "complete"), "w").close()
    return python


# MARK: - The provider

class Sandbox(Daemon):
    """`keybearer sandbox` and its control doors."""

    def __init__(self, folder=None, *, arguments=()):
        self.state = os.path.join(folder or temporary_folder(), "state")
        super().__init__(
            ["sandbox", "--port", "0", "--write-state", self.state, *arguments], os.path.dirname(self.state),
            r"sandbox listening on (https?)://localhost:(\d+)[\s\S]*models status")
        self.scheme, self.port = self.ready[1], int(self.ready[2])
        self.ca = os.path.join(self.state, "sandbox-ca.pem")
        self.base = f"{self.scheme}://localhost:{self.port}"
        self.settings = read(self.state, "keybearer.json5")
        self._connection = None

    def connect(self, timeout=30):
        """A connection to the sandbox itself, without a proxy."""
        raw = socket.create_connection(("127.0.0.1", self.port), timeout)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.tls.wrap_socket(raw, server_hostname="localhost") if self.scheme == "https" else raw

    @property
    def tls(self):
        if not hasattr(self, "_tls"):
            self._tls = ssl.create_default_context(cafile=self.ca)
        return self._tls

    def control(self, method, door, body=None):
        for attempt in (0, 1):
            if self._connection is None:
                self._connection = http.client.HTTPSConnection("localhost", self.port, context=self.tls, timeout=30)
            try:
                data = None if body is None else json.dumps(body)
                self._connection.request(method, f"/sandbox/{door}", data)
                answer = self._connection.getresponse()
                text = answer.read()
                break
            except (OSError, http.client.HTTPException):
                self._connection = None
                if attempt:
                    raise
        if answer.status != 200:
            raise RuntimeError(f"{method} /sandbox/{door}: {answer.status} {text[:300]}")
        return json.loads(text)

    def audit(self):
        return self.control("GET", "audit")

    def reached(self):
        """The requests for models that have come here; logins and refreshes are none."""
        return [entry["target"] for entry in self.audit()["entries"] if "/oauth/" not in entry["target"]]

    def forget(self):
        self.control("DELETE", "audit")
        self.control("DELETE", "faults")

    def fault(self, path, kind, **members):
        self.control("POST", "faults", {"path": path, "kind": kind, **members})

    def login(self, provider="openai-codex", *, expired=True, account=None):
        """A new login, as an entry of auth-profiles.json."""
        login = self.control("POST", "accounts", {"provider": provider, "expired": expired, **({"account": account} if account else {})})
        entry = {
            "type": "oauth", "provider": provider, "access": login["access"], "refresh": login["refresh"], "expires": login["expires"],
            "accountId": login["account"], "email": login["email"],
        }
        remember({"": entry})
        return entry


# MARK: - The store

def read(folder, *path):
    with open(os.path.join(folder, *path), encoding="utf-8") as file:
        return file.read()


def store(state):
    """What auth-profiles.json holds."""
    held = json.loads(read(state, AGENT, "auth-profiles.json"))
    remember(held["profiles"])
    return held


def write_store(state, profiles):
    """Replaces the store as a login by another tool would."""
    remember(profiles)
    path = os.path.join(state, AGENT, "auth-profiles.json")
    with open(path + ".new", "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        json.dump({"version": 1, "profiles": profiles}, file, indent=2)
    os.rename(path + ".new", path)


def secret(profile):
    return profile.get("access") or profile.get("token") or profile.get("key")


def secrets(state):
    """Every secret in the store, the refresh tokens included."""
    return [p[m] for p in store(state)["profiles"].values() for m in ("access", "refresh", "token", "key") if m in p]


def payer(entry, state):
    """The id of the profile whose credential a request in the audit carried."""
    for name, profile in store(state)["profiles"].items():
        if hashlib.sha256(secret(profile).encode()).hexdigest()[:16] == entry["fingerprint"]:
            return name
    return None


# MARK: - The proxy

class Proxy(Daemon):
    """`keybearer serve` on a free port."""

    def __init__(self, state, *, port=0, arguments=(), environment=None, preexec=None, config=None, within=15):
        # Its own log beside the state directory, which the next start may find as it was left.
        folder = os.path.dirname(state)
        where = ["--config", config] if config else []
        super().__init__(
            ["serve", "--state-dir", state, "--listen", f"127.0.0.1:{port}", *where, *arguments], folder,
            r"listening on 127\.0\.0\.1:(\d+)", environment=environment, preexec=preexec, within=within)
        self.port = int(self.ready[1])

    def connect(self, timeout=30, receive_buffer=None):
        raw = socket.socket()
        if receive_buffer:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        raw.settimeout(timeout)
        raw.connect(("127.0.0.1", self.port))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return raw

    def ask(self, target="/openai-codex/v1/responses", body=None, *, method="POST", fields=None, timeout=30):
        """One request on a connection of its own: status, fields, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, target, body if body is not None else PROMPT if method == "POST" else None, fields or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()


PROMPT = b'{"model":"m","input":"hi","stream":true}'
CHAT = b'{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}'
STREAM = {"Sandbox-Interval": "0"}


def settings(sandbox, extra="", *, ollama=None, providers=""):
    """The sandbox's settings with further members in front, in a file of its own.

    `ollama`: the base URL of that provider, the one without credentials: for a plain upstream of the suite's own. `providers`: members of that one."""
    path = os.path.join(os.path.dirname(sandbox.state), f"settings-{time.monotonic_ns()}.json5")
    text = sandbox.settings
    if ollama:
        providers = f"ollama: {{ baseURL: {json.dumps(ollama)} }}"
    if providers:
        text = text.replace("providers: {", f"providers: {{ {providers},")
    if extra:
        text = text.replace("{", "{ " + extra + ",", 1)
    with open(path, "w") as file:
        file.write(text)
    return path


def head(method, target, fields=None, body_length=None):
    """The bytes of a request head."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Authorization: Bearer dummy"]
    if body_length is not None:
        lines += [f"Content-Length: {body_length}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in (fields or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def post(target, body, fields=None):
    """The bytes of a whole POST."""
    return head("POST", target, fields, len(body)) + body


def receive_head(connection):
    """The status line and fields of an answer, and what came with them of its body."""
    buffer = b""
    while b"\r\n\r\n" not in buffer:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError(f"closed within the head: {buffer!r}")
        buffer += piece
    text, _, rest = buffer.partition(b"\r\n\r\n")
    return text.decode("latin-1"), rest


def receive_rest(connection):
    """Everything up to the end of the connection; a reset counts as an end."""
    pieces = []
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(1 << 18):
            pieces.append(piece)
    return b"".join(pieces)


# MARK: - /proc

def status(pid, member):
    """A number of /proc/PID/status, e.g. VmRSS in KiB."""
    for line in open(f"/proc/{pid}/status"):
        if line.startswith(member + ":"):
            return int(line.split()[1])
    return 0


def children(pid):
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]
    return []


def forget_peak(pid):
    """VmHWM starts again from what is resident now."""
    with open(f"/proc/{pid}/clear_refs", "w") as file:
        file.write("5")


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def median(values):
    return sorted(values)[len(values) // 2]


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


# MARK: - Helpers that several suites need

def add_client_keys(state, count):
    """So many keys that nobody holds, before those that there are."""
    path = os.path.join(state, "clients.json")
    with open(path) as file:
        book = json.load(file)
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    for number in range(count):
        digits = "".join(alphabet[number >> shift & 31] for shift in (10, 5, 0))
        book["keys"].insert(0, {"id": "zzzzzzz" + digits, "name": f"k{number}", "code": book["keys"][-1]["code"], "shape": "plain", "createdAt": 1})
    with open(path, "w") as file:
        json.dump(book, file)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Leaves it to the caller to go on."""

    def redirect_request(self, *_):
        return None


def sign_in(address, user=None):
    """What a browser does on a provider's page: the address it is sent to then, or nothing."""
    try:
        urllib.request.build_opener(NoRedirect).open(address + (f"&user={user}" if user else ""), timeout=10)
    except urllib.error.HTTPError as answer:
        return answer.headers["Location"]
    return None
