"""A thousand expiries in a row: eight processes on one store, killed with SIGKILL at random, against a provider that revokes a login whose
refresh token comes twice (spec/threats.md §3).

Access tokens live for a second, so that every login has to be refreshed again and again while all processes use it. A login that is lost is
counted with the point at which its process was killed, by what journal and provider held at that moment, and replaced by a new one.
"""

import collections
import fcntl
import glob
import hashlib
import json
import os
import random
import signal
import threading
import time

from harness import AGENT, Proxy, Sandbox, check, main, store

PROCESSES, LOGINS, EXPIRIES = 8, 12, int(os.environ.get("KEYBEARER_EXPIRIES", "1000"))
PROVIDERS = ("openai-codex", "anthropic")
TARGETS = {"openai-codex": "/openai-codex@{}/v1/responses", "anthropic": "/anthropic@{}/v1/messages"}
LIMIT = 900.0


def journals(state):
    """The last intent of every profile: whether it is open, and whether its answer is whole (Credentials/RefreshJournal.swift)."""
    found = {}
    for path in glob.glob(os.path.join(state, "keybearer/journal/*")):
        with open(path, "rb") as file:
            data = file.read()
        length = int.from_bytes(data[8:12], "little")
        payload = data[12 : 12 + length]
        if data[:8] != b"KBINTENT" or hashlib.sha256(payload).digest() != data[12 + length : 44 + length]:
            continue
        intent, answer = json.loads(payload), data[4096:]
        size = int.from_bytes(answer[8:12], "little")
        content = answer[44 : 44 + size]
        whole = answer[:8] == b"KBANSWER" and hashlib.sha256(content).digest() == answer[12:44] and content[:16].hex() == intent["attempt"]
        found[intent["profile"]] = {"open": intent["open"], "answered": whole, "spent": intent["spent"], "at": intent["at"]}
    return found


class Scene:
    def __init__(self):
        self.sandbox = Sandbox(arguments=["--lifetime", "1"])
        self.state = self.sandbox.state
        self.names = [f"{PROVIDERS[number % 2]}:l{number}" for number in range(LOGINS)]
        with open(os.path.join(self.state, AGENT, "auth-profiles.json"), "w") as file:
            json.dump({"version": 1, "profiles": {name: self.login(name) for name in self.names}}, file, indent=2)
        self.sandbox.forget()
        self.stop = threading.Event()
        self.proxies = [Proxy(self.state) for _ in range(PROCESSES)]
        self.answers = collections.Counter()
        self.kills, self.logouts = [], []

    def login(self, name):
        return self.sandbox.login(name.split(":")[0], expired=True)

    def use(self, number):
        """Clients of one process, whichever has its place now."""
        chance = random.Random(number)
        while not self.stop.is_set():
            name = chance.choice(self.names)
            provider, short = name.split(":")
            try:
                status, _, body = self.proxies[number].ask(
                    TARGETS[provider].format(short), b'{"model":"m","max_tokens":1,"messages":[],"input":"hi"}', timeout=45
                )
            except Exception:  # killed under it
                status = "cut"
                time.sleep(0.02)
            self.answers[status] += 1
            if status not in (200, "cut"):
                time.sleep(0.05)

    def kill_one(self, chance):
        """Kills a process, looks at what it left, and puts another in its place."""
        number = chance.randrange(PROCESSES)
        victim = self.proxies[number]
        victim.end(signal.SIGKILL)
        self.kills.append((time.time(), {name: seen for name, seen in journals(self.state).items() if seen["open"]}))
        self.proxies[number] = Proxy(self.state)

    def replace_lost(self):
        """Logins that a mark says are over: counted, and made anew as a command would, under the store's lock."""
        path = os.path.join(self.state, AGENT, "auth-state.json")
        try:
            with open(path) as file:
                marks = json.load(file).get("needsLogin", {})
        except (OSError, ValueError):
            return
        held = store(self.state)["profiles"]
        for fingerprint, mark in marks.items():
            name = mark["profile"]
            refresh = held.get(name, {}).get("refresh", "")
            if hashlib.sha256(refresh.encode()).hexdigest()[:16] != fingerprint:
                continue
            self.logouts.append((name, self.crash_point(name, fingerprint), mark["code"]))
            self.put(name, self.login(name))

    def crash_point(self, name, fingerprint):
        """Where the process was that had spent this token when it was killed; None when no kill explains the loss."""
        for _, left in reversed(self.kills):
            seen = left.get(name)
            if seen and seen["spent"] == fingerprint:
                return "answer journalled" if seen["answered"] else "sent, or received and not journalled yet"
        return None

    def put(self, name, entry):
        locks = glob.glob(os.path.join(self.state, "keybearer/locks/store-*.lock"))
        with open(locks[0], "r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            path = os.path.join(self.state, AGENT, "auth-profiles.json")
            with open(path) as file:
                held = json.load(file)
            held["profiles"][name] = entry
            with open(path + ".new", "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                json.dump(held, file, indent=2)
            os.rename(path + ".new", path)


def suite():
    scene = Scene()
    clients = [threading.Thread(target=scene.use, args=(number % PROCESSES,), daemon=True) for number in range(2 * PROCESSES)]
    for client in clients:
        client.start()
    chance = random.Random(7)
    began = time.monotonic()
    granted = 0
    while granted < EXPIRIES and time.monotonic() - began < LIMIT:
        time.sleep(chance.uniform(0.05, 0.5))
        scene.kill_one(chance)
        scene.replace_lost()
        granted = scene.sandbox.audit()["refreshesGranted"]
    seconds = time.monotonic() - began
    scene.stop.set()
    for client in clients:
        client.join(60)
    # What the last kills left is settled by whoever uses the login next.
    scene.replace_lost()
    audit = scene.sandbox.audit()
    points = collections.Counter(point or "none" for _, point, _ in scene.logouts)
    in_doubt = sum(1 for _, left in scene.kills if any(not seen["answered"] for seen in left.values()))
    check.show(f"{len(scene.kills)} kills, {in_doubt} with a request in flight somewhere; answers {dict(scene.answers)}")
    for name, point, code in scene.logouts:
        check.show(f"logged out: {name} ({code}), killed at: {point}")
    check(granted >= EXPIRIES, f"{PROCESSES} processes, kill -9 at random: {granted} expiries refreshed in {seconds:.0f} s", "", f"{EXPIRIES}")
    check(
        set(points) <= {"sent, or received and not journalled yet"},
        "a login is lost at the two unavoidable points alone",
        f"{len(scene.logouts)} lost of {granted}: {dict(points)}",
    )
    check(
        audit["reusesDetected"] <= len(scene.logouts),
        "no refresh token came twice, but for those",
        f"{audit['reusesDetected']} reuses",
    )
    # Every login that is there works: nothing was blanked, and no process holds what it cannot use.
    working = 0
    for name in scene.names:
        provider, short = name.split(":")
        status = scene.proxies[0].ask(TARGETS[provider].format(short), b'{"model":"m","max_tokens":1,"messages":[],"input":"hi"}')[0]
        working += status == 200
    check(working == LOGINS, "at the end every login serves", f"{working} of {LOGINS}")
    leftovers = [name for name in os.listdir(os.path.join(scene.state, AGENT)) if name.endswith("keybearer-tmp")]
    check(len(leftovers) <= 1, "no heap of temporary files with secrets", leftovers)
    for proxy in scene.proxies:
        proxy.end(signal.SIGKILL)


main(suite)
