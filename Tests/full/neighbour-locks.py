"""The neighbours' two lock protocols against the real executable, in both directions: never two holders, nothing lost, nothing left.

Both are written from their description (Moltbot's proper-lockfile directory and OpenClaw's sidecar file), and not from our code. Each
round is a change of one shared auth-profiles.json: a neighbour reads it, thinks for a while and writes it in place, as neighbours do, so
that a second writer at the same time costs somebody's change.
"""
import collections
import datetime
import fcntl
import http.client
import json
import multiprocessing
import os
import random
import signal
import ssl
import subprocess
import threading
import time
import urllib.parse

from harness import AGENT, BINARY, Proxy, Sandbox, check, clean_environment, eventually, main, store, temporary_folder, write_store

ROUNDS = 200
STALE = 30.0


class Busy(Exception):
    """The lock was not free in time."""


class DirectoryLock:
    """proper-lockfile 4.1.2 as Moltbot of January 2026 uses it: an empty directory, alive by its modification time."""

    version = "2026.1.30"

    def __init__(self, target):
        self.path = os.path.realpath(target) + ".lock"

    def attempt(self, may_steal=True):
        try:
            os.mkdir(self.path)
        except FileExistsError:
            if not may_steal:
                raise Busy
            try:
                age = time.time() - os.stat(self.path).st_mtime
            except FileNotFoundError:
                return self.attempt(may_steal=False)
            if age <= STALE:
                raise Busy from None
            try:
                os.rmdir(self.path)
            except FileNotFoundError:
                pass
            except OSError:
                raise Busy from None
            return self.attempt(may_steal=False)
        # The first lock of a process finds out how fine the file system's times are, with one up to a second ahead.
        ahead = int(time.time()) + 1 + 0.005
        os.utime(self.path, (ahead, ahead))
        self.mtime = os.stat(self.path).st_mtime_ns // 1_000_000

    def is_compromised(self):
        try:
            return os.stat(self.path).st_mtime_ns // 1_000_000 != self.mtime
        except FileNotFoundError:
            return True

    def release(self):
        try:
            os.rmdir(self.path)
        except FileNotFoundError:
            pass


class FileLock:
    """OpenClaw's lock from 2026-02-13 on: a file that says who holds it and since when."""

    version = "2026.2.27"

    def __init__(self, target):
        self.path = os.path.join(os.path.realpath(os.path.dirname(target)), os.path.basename(target) + ".lock")

    def attempt(self):
        for _ in range(2):
            try:
                file = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
            except FileExistsError:
                if not self.is_stale():
                    raise Busy from None
                try:
                    os.unlink(self.path)
                except FileNotFoundError:
                    pass
                except OSError:
                    raise Busy from None
                continue
            now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            os.write(file, json.dumps({"pid": os.getpid(), "createdAt": now}, indent=2).encode())
            os.close(file)
            self.inode = os.stat(self.path).st_ino
            return
        raise Busy

    def is_stale(self):
        try:
            modified = os.stat(self.path).st_mtime
            with open(self.path) as file:
                payload = json.load(file)
            created = datetime.datetime.fromisoformat(payload["createdAt"].replace("Z", "+00:00")).timestamp()
        except FileNotFoundError:
            return False
        except (OSError, ValueError, KeyError):
            return time.time() - modified > STALE
        try:
            os.kill(payload["pid"], 0)
        except OSError:
            return True
        return time.time() - created > STALE

    def is_compromised(self):
        try:
            return os.stat(self.path).st_ino != self.inode
        except FileNotFoundError:
            return True

    def release(self):
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass


def acquire(lock, within=60.0):
    """Takes the lock, with upstream's randomised waits made shorter so that the rounds are many."""
    limit = time.monotonic() + within
    while True:
        try:
            return lock.attempt()
        except Busy:
            if time.monotonic() > limit:
                raise
            time.sleep(random.uniform(0.001, 0.02))


# MARK: - The sink

def shared_sink(version):
    """A sink with a neighbour's settings beside it."""
    state = os.path.join(temporary_folder(), "shared")
    os.makedirs(os.path.join(state, AGENT))
    declare(state, version)
    write_store(state, {"anthropic:first": {"type": "api_key", "provider": "anthropic", "key": "sk-first", "unknown": 1}})
    return state


def declare(state, version):
    with open(os.path.join(state, "openclaw.json"), "w") as file:
        json.dump({"meta": {"lastTouchedVersion": version}}, file)


def profiles_path(state):
    return os.path.join(state, AGENT, "auth-profiles.json")


def paste(state, name):
    """A change by Keybearer, as a process."""
    process = subprocess.Popen(
        [BINARY, "models", "auth", "paste-api-key", "--provider", "anthropic", "--profile-id", name, "--state-dir", state],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=clean_environment())
    process.stdin.write(f"sk-ant-api03-{name.replace(':', '-')}\n".encode())
    process.stdin.close()
    return process


def finished(process):
    output = process.stdout.read().decode(errors="replace")
    if process.wait(90) != 0:
        print(output)
    return process.returncode == 0


def leftovers(state):
    names = os.listdir(os.path.join(state, AGENT))
    return sorted(name for name in names if ".lock" in name or name.endswith("-tmp"))


# MARK: - A neighbour holds, Keybearer waits

def neighbour_first(kind, rounds):
    state = shared_sink(kind.version)
    path = profiles_path(state)
    early, lost, failed, touched = 0, 0, 0, 0
    for number in range(rounds):
        lock = kind(path)
        acquire(lock)
        before = open(path, "rb").read()
        process = paste(state, f"anthropic:{number}")
        time.sleep(random.uniform(0.03, 0.12))
        # A neighbour's change, in place, while it holds the lock.
        early += open(path, "rb").read() != before or process.poll() is not None
        touched += lock.is_compromised()
        held = json.loads(before)
        held.setdefault("usageStats", {})[f"round-{number}"] = {"lastUsed": number}
        with open(path, "w") as file:
            json.dump(held, file, indent=2)
        lock.release()
        failed += not finished(process)
        after = store(state)
        lost += f"anthropic:{number}" not in after["profiles"] or f"round-{number}" not in after["usageStats"]
    check(
        (early, lost, failed, touched) == (0, 0, 0, 0), f"a {kind.__name__} of a neighbour is waited for",
        f"{rounds} rounds: {early} changes under it, {lost} lost, {failed} failed, {touched} touched", "0")
    check(not leftovers(state), "and nothing is left behind", leftovers(state))


# MARK: - A holder that is stopped

def stopped_neighbour(kind):
    """A neighbour that was stopped with the lock in its hand costs us the time after which it counts as gone, and no more."""
    state = shared_sink(kind.version)
    ready = multiprocessing.Event()
    holder = multiprocessing.Process(target=hold_and_stop, args=(kind, profiles_path(state), ready))
    holder.start()
    ready.wait(10)
    time.sleep(0.2)
    began = time.monotonic()
    done = finished(paste(state, "anthropic:late"))
    seconds = time.monotonic() - began
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    check(
        done and STALE - 5 < seconds < 46 and "anthropic:late" in store(state)["profiles"],
        f"a neighbour stopped with its {kind.__name__} is waited for until its lock is stale", f"{seconds:.0f} s", "30 to 46 s")
    check(not leftovers(state), "and nothing is left behind", leftovers(state))


def hold_and_stop(kind, path, ready):
    acquire(kind(path))
    ready.set()
    os.kill(os.getpid(), signal.SIGSTOP)


def stopped_sibling():
    """A process of ours that was stopped with the store's lock costs another one ten seconds, and an error that says what to do."""
    state = shared_sink(FileLock.version)
    finished(paste(state, "anthropic:early"))
    (name,) = [name for name in os.listdir(os.path.join(state, "keybearer/locks")) if name.startswith("store-")]
    with open(os.path.join(state, "keybearer/locks", name), "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        began = time.monotonic()
        process = paste(state, "anthropic:late")
        output = process.stdout.read().decode()
        code = process.wait(60)
        seconds = time.monotonic() - began
    check(
        code == 1 and seconds < 14 and "held by another process" in output and "anthropic:late" not in store(state)["profiles"],
        "a sibling stopped with the store's lock costs the time-out", f"{seconds:.0f} s", "10 s")
    check(finished(paste(state, "anthropic:late")) and not leftovers(state), "and once it goes on, so does everybody")


# MARK: - All at once

def work(kind, state, rounds, results):
    """A neighbour that changes the store again and again; tells how often somebody else was in there with it."""
    path, seen = profiles_path(state), collections.Counter()
    for number in range(rounds):
        lock = kind(path)
        acquire(lock)
        before = open(path, "rb").read()
        time.sleep(random.uniform(0.0, 0.01))
        seen["second holder"] += open(path, "rb").read() != before
        seen["compromised"] += lock.is_compromised()
        held = json.loads(before)
        counts = held.setdefault("usageStats", {}).setdefault(f"{kind.__name__}-{os.getpid()}", {"errorCount": 0})
        counts["errorCount"] += 1
        with open(path, "w") as file:
            json.dump(held, file, indent=2)
        lock.release()
        time.sleep(random.uniform(0.0, 0.02))
    results.put(dict(seen))


def everyone(kind, rounds):
    state = shared_sink(kind.version)
    results = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=work, args=(each, state, rounds // 4, results)) for each in (DirectoryLock, FileLock) * 2]
    for worker in workers:
        worker.start()
    outcomes = []

    def pasting(first):
        for number in range(first, rounds, 2):
            outcomes.append(finished(paste(state, f"anthropic:{number}")))

    writers = [threading.Thread(target=pasting, args=(first,)) for first in (0, 1)]
    for writer in writers:
        writer.start()
    seen = collections.Counter()
    for _ in workers:
        seen.update(results.get(timeout=300))
    for each in writers + workers:
        each.join()
    after = store(state)
    counted = sum(stats["errorCount"] for stats in after["usageStats"].values())
    kept = sum(f"anthropic:{number}" in after["profiles"] for number in range(rounds))
    check(
        seen["second holder"] == 0 and seen["compromised"] == 0 and all(outcomes) and counted == rounds and kept == rounds,
        f"four neighbours of both protocols and Keybearer with a {kind.__name__}, all at once",
        f"{seen['second holder']} times two holders, {seen['compromised']} locks lost, {counted} of {rounds} neighbours' changes "
        f"and {kept} of {rounds} of ours kept, {outcomes.count(False)} failed", "none lost")
    check(not leftovers(state), "and nothing is left behind", leftovers(state))


# MARK: - One login, two that refresh it

def neighbour_refresh(kind, sandbox, name):
    """A refresh as Moltbot does it: all of it under the store's lock."""
    path = profiles_path(sandbox.state)
    lock = kind(path)
    acquire(lock)
    try:
        held = store(sandbox.state)
        profile = held["profiles"][name]
        if profile["expires"] > time.time() * 1000:
            return "adopted"
        connection = http.client.HTTPSConnection("localhost", sandbox.port, context=ssl.create_default_context(cafile=sandbox.ca), timeout=30)
        form = {"grant_type": "refresh_token", "refresh_token": profile["refresh"], "client_id": "app_EMoamEEZ73f0CkXaXp7hrann"}
        connection.request("POST", "/oauth/token", urllib.parse.urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        if answer.status != 200:
            return f"{answer.status} {body}"
        profile.update(
            access=body["access_token"], refresh=body["refresh_token"], expires=int(time.time() * 1000) + body["expires_in"] * 1000)
        with open(path, "w") as file:
            json.dump(held, file, indent=2)
        return "compromised" if lock.is_compromised() else "refreshed"
    finally:
        lock.release()


def refreshing_together(kind, rounds):
    sandbox = Sandbox()
    declare(sandbox.state, kind.version)
    name = "openai-codex:both"
    write_store(sandbox.state, {name: sandbox.login()})
    outcomes = collections.Counter()
    with Proxy(sandbox.state) as proxy:
        for _ in range(rounds):
            lock = kind(profiles_path(sandbox.state))
            acquire(lock)
            write_store(sandbox.state, {name: sandbox.login()})
            lock.release()
            time.sleep(0.6)
            sandbox.forget()
            answers = []
            client = threading.Thread(target=lambda: answers.append(proxy.ask(fields={"Sandbox-Interval": "0"})[0]))
            delay = random.uniform(0, 0.02)
            client.start()
            time.sleep(delay)
            outcomes["neighbour " + neighbour_refresh(kind, sandbox, name)] += 1
            client.join()
            outcomes[f"client {answers[0] if answers else 'failed'}"] += 1
            audit = sandbox.audit()
            outcomes["granted"] += audit["refreshesGranted"]
            outcomes["reuses"] += audit["reusesDetected"]
    check(
        outcomes["granted"] == rounds and outcomes["reuses"] == 0 and outcomes["client 200"] == rounds
        and outcomes["neighbour refreshed"] + outcomes["neighbour adopted"] == rounds,
        f"one login refreshed by Keybearer and a neighbour with a {kind.__name__}", f"{rounds} expiries: {dict(outcomes)}",
        "one refresh each, 0 reuses")
    check(not leftovers(sandbox.state), "and nothing is left behind", leftovers(sandbox.state))


def killed_holder():
    """A Keybearer that is killed while it holds the directory costs the next one nothing."""
    sandbox = Sandbox()
    declare(sandbox.state, DirectoryLock.version)
    name = "openai-codex:killed"
    write_store(sandbox.state, {name: sandbox.login()})
    sandbox.fault("/oauth/token", "slow", duration="5s")
    lock = profiles_path(sandbox.state) + ".lock"
    with Proxy(sandbox.state) as proxy:
        threading.Thread(target=lambda: ask_quietly(proxy), daemon=True).start()
        held = eventually(lambda: os.path.isdir(lock), within=5)
        check(held, "a refresh holds the neighbour's directory while it asks")
    check(os.path.isdir(lock), "killed, it leaves the directory")
    started = time.monotonic()
    check(finished(paste(sandbox.state, "anthropic:next")), "and the next change removes it", f"{time.monotonic() - started:.2f} s", "2 s")
    check(time.monotonic() - started < 2 and not leftovers(sandbox.state), "at once", leftovers(sandbox.state))


def told_to_end():
    """SIGTERM at either end of a wait: the lock is given back, and nobody waits on for a lock that it will not use."""
    sandbox = Sandbox()
    declare(sandbox.state, DirectoryLock.version)
    name = "openai-codex:ended"
    write_store(sandbox.state, {name: sandbox.login()})
    sandbox.fault("/oauth/token", "slow", duration="2s")
    path = profiles_path(sandbox.state)
    with Proxy(sandbox.state) as proxy:
        threading.Thread(target=lambda: ask_quietly(proxy), daemon=True).start()
        held = eventually(lambda: os.path.isdir(path + ".lock"), within=5)
        proxy.end(within=15)
    renewed = store(sandbox.state)["profiles"][name]["expires"] > time.time() * 1000
    check(
        held and renewed and not leftovers(sandbox.state), "a server told to end in a refresh stores the token and gives the lock back",
        f"renewed: {renewed}, left: {leftovers(sandbox.state)}")

    lock = DirectoryLock(path)
    acquire(lock)
    before = open(path, "rb").read()
    process = paste(sandbox.state, "anthropic:never")
    time.sleep(0.3)
    started = time.monotonic()
    process.terminate()
    process.wait(60)
    seconds = time.monotonic() - started
    check(
        seconds < 1 and open(path, "rb").read() == before and not lock.is_compromised(),
        "a command that waits for a neighbour ends when it is told to", f"{seconds:.2f} s", "1 s")
    lock.release()


def ask_quietly(proxy):
    try:
        proxy.ask()
    except (OSError, http.client.HTTPException):
        pass


def suite():
    for kind in (DirectoryLock, FileLock):
        neighbour_first(kind, ROUNDS // 2)
    for kind in (DirectoryLock, FileLock):
        everyone(kind, ROUNDS)
    for kind in (DirectoryLock, FileLock):
        refreshing_together(kind, 20)
    killed_holder()
    for kind in (DirectoryLock, FileLock):
        stopped_neighbour(kind)
    stopped_sibling()
    told_to_end()


main(suite)
