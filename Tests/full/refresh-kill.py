"""The real process, killed or refused by the kernel at every system call of a refresh that matters, against a provider that revokes a
login whose refresh token comes twice (spec/threats.md §3, T1 and T2).

strace attaches to a running `keybearer serve` and acts on the N-th call of one kind in one thread. What was lost is judged by what the
provider saw, by what journal and store hold, and by whether a new process can still serve.
"""

import contextlib
import glob
import hashlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import time

from harness import AGENT, Proxy, Sandbox, Unavailable, check, end, eventually, main, spawn, store, temporary_folder, tool, write_store

PROFILE = "openai-codex:kill"
# Everything that changes a file, and every file that is opened; then the request itself, for the point "sent".
FILE_CALLS = ["mkdirat", "fallocate", "pwrite64", "fdatasync", "fsync", "unlinkat", "renameat", "write", "openat"]
NETWORK_CALLS = ["connect", "sendto", "poll", "recvfrom"]
# A second refresh finds its journal made already, as every one but the first does.
WARM_CALLS = ["pwrite64", "fdatasync", "fsync", "unlinkat", "renameat"]
LIMIT = 400


# MARK: - The process under the knife


class Knife:
    """strace on a running process, with one thing to inject."""

    def __init__(self, proxy, call, action):
        self.log = os.path.join(temporary_folder(), "strace")
        self.call = call
        # --decode-pids=comm names threads; -y names files.
        said = self.log + "-said"
        with open(said, "w") as errors:
            self.process = spawn(
                [
                    tool("strace"),
                    "-f",
                    "-qq",
                    "-y",
                    "--decode-pids=comm",
                    "-s",
                    "16",
                    "-o",
                    self.log,
                    "-p",
                    str(proxy.pid),
                    "-e",
                    f"trace={call}",
                    "-e",
                    f"inject={call}:{action}",
                ],
                stderr=errors,
            )
        if not eventually(lambda: all(self._is_traced(path) for path in glob.glob(f"/proc/{proxy.pid}/task/*/status")), every=0.005):
            with open(said) as errors:
                words = errors.read().strip()
            raise Unavailable(f"strace cannot attach to a process here: {words or 'it did not in 5 s, and says nothing'}")

    @staticmethod
    def _is_traced(path):
        with contextlib.suppress(OSError):
            return "TracerPid:\t0\n" not in open(path).read()
        return True

    def withdraw(self):
        end(self.process, signal.SIGINT)

    def place(self, number):
        """The thread and the arguments of the call at which it acted: nobody else had so many of the kind."""
        counts = {}
        for line in open(self.log, errors="replace"):
            found = re.match(r"(\d+)<([^>]*)> +" + self.call + r"\((.*)", line)
            if not found:
                continue
            counts[found[1]] = counts.get(found[1], 0) + 1
            if counts[found[1]] == number:
                return found[2], found[3]
        return None


def subject(arguments):
    """A short name for what a call was about."""
    for pattern, name in [
        (r"keybearer/journal/[0-9a-f]+-[0-9a-f]+>, \"KBINTENT", "journal: intent"),
        (r"journal/[0-9a-f]+-[0-9a-f]+>, \"KBANSWER", "journal: answer"),
        (r"journal/[0-9a-f]+-[0-9a-f]+>, \"\\0", "journal: zeros"),
        (r"journal/[0-9a-f]+-", "journal"),
        (r"locks/client-|^\d+<[^>]*keybearer/locks>\)", "spacing"),
        (r"locks/lane-|\"lane-", "lane lock"),
        (r"locks/store-|\"store-", "store lock"),
        (r"\.auth-profiles\.json\.\w+\.keybearer-tmp", "store: new file"),
        (r"\.auth-state\.json\.", "state: new file"),
        (r"\.probe\.", "probe"),
        (r"auth-profiles\.json", "store"),
        (r"auth-state\.json", "state"),
        (r"agents/main/agent>, \"\.\"|^\d+<[^>]*agents/main/agent>\)", "store's folder"),
        (r"eventfd", "mailbox"),
        (r"serve-\d+\.log", "log"),
        (r"access\.jsonl", "access log"),
        (r"socket:", "socket"),
        (r"ca\.pem|/ssl/|/etc/", "trust, resolver"),
        (r"keybearer[/>\"]", "keybearer folder"),
    ]:
        if re.search(pattern, arguments):
            return name
    return "folder on the way"


# MARK: - What is left behind


def journal(state):
    """Whether the last intent is open, and whether its answer is whole: the layout of Credentials/RefreshJournal.swift."""
    intents = []
    for path in glob.glob(os.path.join(state, "keybearer/journal/*")):
        data = open(path, "rb").read()
        length = int.from_bytes(data[8:12], "little")
        payload = data[12 : 12 + length]
        if data[:8] != b"KBINTENT" or hashlib.sha256(payload).digest() != data[12 + length : 44 + length]:
            continue
        intent, answer = json.loads(payload), data[4096:]
        size = int.from_bytes(answer[8:12], "little")
        content = answer[44 : 44 + size]
        whole = answer[:8] == b"KBANSWER" and hashlib.sha256(content).digest() == answer[12:44]
        intents.append((intent["at"], intent["open"], whole and content[:16].hex() == intent["attempt"]))
    return max(intents)[1:] if intents else (False, False)


def store_flaw(state):
    """Why the store is not as it must be after any crash; None when it is."""
    path = os.path.join(state, AGENT, "auth-profiles.json")
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
        held = store(state)["profiles"][PROFILE]
    except (OSError, ValueError, KeyError) as error:
        return repr(error)
    if mode != 0o600:
        return f"mode {mode:o}"
    return None if held["refresh"] and held["access"] else "blanked"


class Scene:
    """A sandbox and one expired login."""

    def __init__(self):
        self.sandbox = Sandbox()
        self.state = self.sandbox.state

    def prepare(self, *, warm):
        """A login that has expired; warm: of the account whose journal is there from its last refresh."""
        if not warm:
            shutil.rmtree(os.path.join(self.state, "keybearer"), ignore_errors=True)
        self.login = self.sandbox.login(account="acct-kill" if warm else None)
        write_store(self.state, {PROFILE: self.login})
        self.sandbox.forget()

    def proxy(self):
        # Without this the process refuses to be traced by its own user.
        return Proxy(self.state, environment={"KEYBEARER_DEBUG": "1"})

    def ask(self, proxy):
        """The status of one request; None when the connection broke."""
        try:
            return proxy.ask(fields={"Sandbox-Interval": "0"}, timeout=20)[0]
        except OSError:
            return None
        except Exception as error:  # http.client has its own family
            return type(error).__name__

    def phase(self, subject_name):
        """How far the refresh had come, by what can be seen from outside."""
        granted = self.sandbox.audit()["refreshesGranted"]
        is_open, whole = journal(self.state)
        is_new = store(self.state)["profiles"][PROFILE]["refresh"] != self.login["refresh"]
        if is_new:
            return "stored" if is_open else "closed"
        if not granted:
            return "before"
        if whole:
            return "journalled"
        return "received" if subject_name.startswith("journal") else "sent"


# MARK: - T1: kill -9

EXPECTED_POSTS = {"before": {1}, "sent": {1}, "received": {1}, "journalled": {0}, "stored": {0}, "closed": {0}}


def kill_at(scene, call, number, *, warm):
    """One crash and what came of it; None when the refresh has no such call."""
    scene.prepare(warm=warm)
    with scene.proxy() as proxy:
        knife = Knife(proxy, call, f"signal=SIGKILL:when={number}")
        answer = scene.ask(proxy)
        if answer == 200:
            # Something after the answer, in a thread that goes on, may still reach it.
            eventually(lambda: not proxy.is_alive, within=0.15)
        if proxy.is_alive and answer == 200:
            knife.withdraw()
            return None
        died = eventually(lambda: not proxy.is_alive, within=10)
        knife.process.wait(10)
    place = knife.place(number) or ("?", "")
    row = {"call": f"{call} {number}", "thread": place[0], "subject": subject(place[1]), "flaws": [] if died else ["was not killed"]}
    time.sleep(0.02)
    row["phase"] = scene.phase(row["subject"])
    if flaw := store_flaw(scene.state):
        row["flaws"].append(flaw)
    before = scene.sandbox.audit()["tokenPosts"]
    with scene.proxy() as proxy:
        row["served"] = scene.ask(proxy)
    audit = scene.sandbox.audit()
    row["posts"] = audit["tokenPosts"] - before
    row["lost"] = row["served"] != 200
    if row["posts"] not in EXPECTED_POSTS[row["phase"]]:
        row["flaws"].append(f"{row['posts']} POSTs after the restart")
    if flaw := store_flaw(scene.state):
        row["flaws"].append(f"after recovery: {flaw}")
    if glob.glob(os.path.join(scene.state, AGENT, ".auth-*.keybearer-tmp")):
        row["flaws"].append("a temporary file with secrets is left")
    return row


def kill_everywhere(scene, calls, *, warm):
    rows = []
    for call in calls:
        for number in range(1, LIMIT):
            row = kill_at(scene, call, number, warm=warm)
            if row is None:
                break
            rows.append(row)
    return rows


def table(rows):
    """One line for a run of crashes that are alike."""
    groups = []
    for row in rows:
        key = (row["call"].split()[0], row["thread"], row["subject"], row["phase"], row["served"], row["posts"], tuple(row["flaws"]))
        if groups and groups[-1][0] == key:
            groups[-1][1].append(row["call"].split()[1])
        else:
            groups.append((key, [row["call"].split()[1]]))
    check.show(f"{'killed at':22} {'thread':13} {'about':18} {'phase':11} then")
    for (call, thread, about, phase, served, posts, flaws), numbers in groups:
        which = numbers[0] if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}"
        outcome = f"{served}, {posts} POST" + ("" if served == 200 else "  LOST") + (f"  FLAW {'; '.join(flaws)}" if flaws else "")
        check.show(f"{call + ' ' + which:22} {thread:13} {about:18} {phase:11} {outcome}")


def judge(rows, name, wanted):
    table(rows)
    flawed = [f"{row['call']} ({row['subject']}): {', '.join(row['flaws'])}" for row in rows if row["flaws"]]
    check(
        rows and not flawed,
        f"{name}: the store parses, is 0600 and complete, and recovery asks the provider only when it must",
        flawed[:5] or f"{len(rows)} crashes",
    )
    phases = {}
    for row in rows:
        phases.setdefault(row["phase"], []).append(row)
    check(set(wanted) <= set(phases), f"{name}: every phase was hit", {phase: len(rows) for phase, rows in phases.items()})
    lost = {phase: sum(row["lost"] for row in rows) for phase, rows in phases.items() if any(row["lost"] for row in rows)}
    check(
        set(lost) <= {"sent", "received"},
        f"{name}: the login is lost nowhere but at the two unavoidable points",
        f"lost at {lost or 'none'}",
        "'sent' and 'received, not yet journalled'",
    )


# MARK: - T2: the kernel refuses

REFUSALS = [
    ("mkdirat", "ENOSPC"),
    ("fallocate", "ENOSPC"),
    ("pwrite64", "ENOSPC"),
    ("pwrite64", "EIO"),
    ("fdatasync", "EIO"),
    ("fdatasync", "ENOSPC"),
    ("fsync", "EIO"),
    ("fsync", "ENOSPC"),
    ("renameat", "ENOSPC"),
    ("renameat", "EROFS"),
]


def refuse(scene, call, error, number, *, forever=False):
    """One refused call, or all from it on; then the disk is well again."""
    scene.prepare(warm=False)
    with scene.proxy() as proxy:
        knife = Knife(proxy, call, f"error={error}:when={number}{'+' if forever else ''}")
        during = scene.ask(proxy)
        audit = scene.sandbox.audit()
        knife.withdraw()
        place = knife.place(number)
        if place is None:
            return None
        # A failed refresh backs off first.
        served = eventually(lambda: scene.ask(proxy) == 200, within=20, every=0.5)
        is_loud = during == 200 or "failed for now" in proxy.output()
        flaw = store_flaw(scene.state)
    return {
        "kind": f"{call} {number}",
        "call": f"{call} {number}{'+' if forever else ''} {error}",
        "subject": subject(place[1]),
        "posts": audit["tokenPosts"],
        "during": during,
        "served": served,
        "again": scene.sandbox.audit()["tokenPosts"] - audit["tokenPosts"],
        "reused": scene.sandbox.audit()["reusesDetected"],
        "loud": is_loud,
        "flaw": flaw,
    }


def refuse_everywhere(scene, before):
    """`before`: the calls, by kind and number, that come before the POST."""
    rows = []
    for call, error in REFUSALS:
        for forever in (False, True):
            for number in range(1, LIMIT):
                row = refuse(scene, call, error, number, forever=forever)
                if row is None:
                    break
                rows.append(row)
    check.show(f"{'refused':24} {'about':18} POSTs  during  afterwards")
    for row in rows:
        afterwards = (
            ("served" if row["served"] else "LOST") + f", {row['again']} POST" + (f", {row['reused']} REUSED" if row["reused"] else "")
        )
        check.show(
            f"{row['call']:24} {row['subject']:18} {row['posts']:5}  {row['during']!s:6}  {afterwards}{'' if row['loud'] else '  SILENT'}"
        )
    # How far apart two refreshes start is a courtesy, not a condition.
    early = [row for row in rows if row["kind"] in before and row["subject"] != "spacing"]
    check(
        early and not any(row["posts"] for row in early),
        "no POST when it fails before",
        [row["call"] for row in early if row["posts"]] or f"{len(early)} refusals, no POST",
    )
    lost = [row["call"] for row in rows if not row["served"] or row["reused"]]
    check(not lost, "the token is kept when it fails after", f"lost at {lost}" if lost else f"{len(rows)} refusals, none lost")
    check(all(row["loud"] for row in rows), "a failure is logged")
    check(not any(row["flaw"] for row in rows), "the store is sound after each", [row["flaw"] for row in rows if row["flaw"]] or "")


def suite():
    tool("strace")
    scene = Scene()
    began = time.monotonic()
    rows = kill_everywhere(scene, FILE_CALLS + NETWORK_CALLS, warm=False)
    judge(rows, "first refresh", EXPECTED_POSTS)
    check.show(f"{time.monotonic() - began:.0f} s")
    judge(kill_everywhere(scene, WARM_CALLS, warm=True), "a later refresh", set(EXPECTED_POSTS) - {"sent", "closed"})
    refuse_everywhere(scene, {row["call"] for row in rows if row["phase"] == "before"})
    check.show(f"{time.monotonic() - began:.0f} s")


main(suite)
