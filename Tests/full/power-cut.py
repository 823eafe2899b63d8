"""The power is cut at every operation of a refresh: on a file system that forgets whatever was not synced (spec/threats.md §3).

The file system is ours, by FUSE, and keeps to the letter of POSIX: a file's content survives from its last fsync or fdatasync, a name from the
last fsync of its directory, and nothing else does. At the N-th operation it kills the process that asked and goes back to what was durable.
Then the machine "starts again": another process must find a login that works. Needs /dev/fuse, libfuse 2, and fusepy (Debian's python3-fusepy,
or PyPI's).
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

from harness import (AGENT, BINARY, Sandbox, Unavailable, check, clean_environment, end, eventually, main, read, settings, spawn,
                     temporary_folder)

PROFILE = "openai-codex:power"


def binding():
    """fusepy, under either of its names."""
    sys.path.append("/usr/lib/python3/dist-packages")
    for name in ("fusepy", "fuse"):
        with contextlib.suppress(ImportError, OSError):
            module = __import__(name)
            if hasattr(module, "FuseOSError"):
                return module
    return None


# MARK: - The file system

class Node:
    """A file or directory: as it is, and as it would be after a power cut."""

    def __init__(self, mode):
        self.mode, self.durable_mode = mode, mode
        self.data, self.durable_data = bytearray(), b""
        self.names, self.durable_names = {}, {}
        self.modified = time.time()

    @property
    def is_directory(self):
        return stat.S_ISDIR(self.mode)

    def sync(self):
        self.durable_data, self.durable_mode = bytes(self.data), self.mode
        if self.is_directory:
            self.durable_names = dict(self.names)

    def revert(self):
        self.data, self.mode = bytearray(self.durable_data), self.durable_mode
        if self.is_directory:
            self.names = dict(self.durable_names)
            for node in self.names.values():
                node.revert()

    def sync_all(self):
        self.sync()
        for node in self.names.values():
            node.sync_all()


def serve_file_system(mount, control):
    fuse = binding()

    class Forgetful(fuse.Operations):
        def __init__(self):
            self.root = Node(stat.S_IFDIR | 0o700)
            self.handles, self.last_handle = {}, 0
            self.lock = threading.RLock()
            self.count, self.cut_at, self.was_cut, self.log = 0, 0, None, []

        def __call__(self, operation, path, *arguments):
            with self.lock:
                return super().__call__(operation, path, *arguments)

        # What can be told from outside.

        def obey(self, wish):
            with self.lock:
                if wish["do"] == "arm":
                    self.root.sync_all()
                    self.count, self.cut_at, self.was_cut, self.log = 0, wish["at"], None, []
                if wish["do"] == "revert":
                    self.cut_at = 0
                    self.root.revert()
                return {"count": self.count, "cut": self.was_cut, "log": self.log}

        def change(self, what, path):
            """Before every operation that changes something or makes it last."""
            self.count += 1
            # Random parts of names would make every line another.
            name = re.sub(r"\.[0-9a-z]+\.keybearer-tmp$", ".*", re.sub(r"[0-9a-f]{32}(-[0-9a-f]{16})?", "*", os.path.basename(path)))
            self.log.append(f"{what} {name}")
            if self.cut_at and self.count >= self.cut_at:
                if self.was_cut is None:
                    self.was_cut = self.log[-1]
                    os.kill(fuse.fuse_get_context()[2], signal.SIGKILL)
                raise fuse.FuseOSError(errno.EIO)

        # Names.

        def node(self, path):
            node = self.root
            for name in path.split("/"):
                if name:
                    if name not in node.names:
                        raise fuse.FuseOSError(errno.ENOENT)
                    node = node.names[name]
            return node

        def parent(self, path):
            folder, _, name = path.rpartition("/")
            return self.node(folder or "/"), name

        def opened(self, handle, path):
            return self.handles.get(handle) or self.node(path)

        def keep(self, node):
            self.last_handle += 1
            self.handles[self.last_handle] = node
            return self.last_handle

        # The operations.

        def getattr(self, path, handle=None):
            node = self.opened(handle, path) if handle else self.node(path)
            return {
                "st_mode": node.mode, "st_nlink": 2 if node.is_directory else 1, "st_size": len(node.data), "st_uid": os.getuid(),
                "st_gid": os.getgid(), "st_mtime": node.modified, "st_ctime": node.modified, "st_atime": node.modified,
            }

        def readdir(self, path, handle):
            return [".", "..", *self.node(path).names]

        def mkdir(self, path, mode):
            self.change("mkdir", path)
            folder, name = self.parent(path)
            folder.names[name] = Node(stat.S_IFDIR | mode)

        def create(self, path, mode, info=None):
            self.change("create", path)
            folder, name = self.parent(path)
            folder.names[name] = node = Node(stat.S_IFREG | (mode & 0o777))
            return self.keep(node)

        def open(self, path, flags):
            return self.keep(self.node(path))

        def opendir(self, path):
            return self.keep(self.node(path))

        def release(self, path, handle):
            self.handles.pop(handle, None)
            return 0

        releasedir = release

        def read(self, path, size, offset, handle):
            return bytes(self.opened(handle, path).data[offset : offset + size])

        def write(self, path, data, offset, handle):
            self.change("write", path)
            node = self.opened(handle, path)
            node.data.extend(b"\0" * (offset - len(node.data)))
            node.data[offset : offset + len(data)] = data
            node.modified = time.time()
            return len(data)

        def truncate(self, path, length, handle=None):
            self.change("truncate", path)
            node = self.opened(handle, path)
            node.data = node.data[:length] + b"\0" * (length - len(node.data))
            node.modified = time.time()

        def chmod(self, path, mode):
            self.change("chmod", path)
            node = self.node(path)
            node.mode = stat.S_IFMT(node.mode) | (mode & 0o7777)

        def chown(self, path, user, group):
            return 0

        def utimens(self, path, times=None):
            return 0

        def unlink(self, path):
            self.change("unlink", path)
            folder, name = self.parent(path)
            self.node(path)
            del folder.names[name]

        rmdir = unlink

        def rename(self, old, new):
            self.change("rename", new)
            (origin, name), (target, new_name) = self.parent(old), self.parent(new)
            target.names[new_name] = origin.names.pop(name)

        def fsync(self, path, data_only, handle):
            self.change("fsync", path)
            self.opened(handle, path).sync()
            return 0

        fsyncdir = fsync

        def flush(self, path, handle):
            return 0

    forgetful = Forgetful()
    server = socket.socket(socket.AF_UNIX)
    server.bind(control)
    server.listen()

    def obey():
        while True:
            client, _ = server.accept()
            with client, client.makefile("rw") as stream:
                stream.write(json.dumps(forgetful.obey(json.loads(stream.readline()))) + "\n")
                stream.flush()

    threading.Thread(target=obey, daemon=True).start()
    fuse.FUSE(
        forgetful, mount, foreground=True, nothreads=True, direct_io=True, hard_remove=True, attr_timeout=0, entry_timeout=0, fsname="forgetful")


class FileSystem:
    """The mounted file system, from the outside."""

    def __init__(self):
        folder = temporary_folder()
        self.mount, self.control = os.path.join(folder, "mount"), os.path.join(folder, "control")
        os.mkdir(self.mount)
        self.process = spawn(
            [sys.executable, "-B", os.path.abspath(__file__), "--serve", self.mount, self.control], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        if not eventually(lambda: os.path.ismount(self.mount) or self.process.poll() is not None, within=10) or self.process.poll() is not None:
            raise Unavailable("a FUSE file system cannot be mounted here")

    def tell(self, do, at=0):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self.control)
            with client.makefile("rw") as stream:
                stream.write(json.dumps({"do": do, "at": at}) + "\n")
                stream.flush()
                return json.loads(stream.readline())

    def unmount(self):
        subprocess.run(["fusermount", "-u", "-z", self.mount], stderr=subprocess.DEVNULL)
        end(self.process)


# MARK: - The refresh

class Scene:
    def __init__(self):
        self.sandbox = Sandbox()
        self.files = FileSystem()
        self.state = os.path.join(self.files.mount, "state")
        # Settings outside: only what holds secrets is on the disk that forgets.
        self.config = settings(self.sandbox, f"sink: {json.dumps(self.state)}")
        os.makedirs(os.path.join(self.state, AGENT), 0o700)

    def prepare(self):
        self.login = self.sandbox.login(account="acct-power")
        path = os.path.join(self.state, AGENT, "auth-profiles.json")
        with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            json.dump({"version": 1, "profiles": {PROFILE: self.login}}, file)
        self.sandbox.forget()

    def token(self):
        """A refresh by the command: its token, or None."""
        run = subprocess.run(
            [BINARY, "token", PROFILE, "--config", self.config, "--state-dir", os.path.dirname(self.config)], capture_output=True, text=True,
            env=clean_environment(), timeout=60)
        return run.stdout.strip() if run.returncode == 0 else None

    def phase(self):
        """How far the refresh had come, by what the provider saw and the disk holds after the cut."""
        held = json.loads(read(self.state, AGENT, "auth-profiles.json"))["profiles"][PROFILE]
        if held["refresh"] != self.login["refresh"]:
            return "stored"
        if not self.sandbox.audit()["refreshesGranted"]:
            return "before"
        return "journalled" if self.has_answer() else "sent, or received and not synced"

    def has_answer(self):
        folder = os.path.join(self.state, "keybearer/journal")
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            with open(os.path.join(folder, name), "rb") as file:
                answer = file.read()[4096:]
            size = int.from_bytes(answer[8:12], "little")
            if answer[:8] == b"KBANSWER" and hashlib.sha256(answer[44 : 44 + size]).digest() == answer[12:44]:
                return True
        return False

    def works(self, token):
        """Whether the provider takes it."""
        connection = self.sandbox.connect()
        body = b'{"model":"m","input":"hi"}'
        with connection:
            connection.sendall(
                f"POST /openai-codex/responses HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
                f"chatgpt-account-id: {self.login['accountId']}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                "Connection: close\r\n\r\n".encode() + body)
            return b" 200 " in connection.recv(64)


def cut_everywhere(scene, name):
    scene.prepare()
    scene.files.tell("arm")
    if not scene.token():
        return check(False, f"{name}: a refresh without a cut")
    total = scene.files.tell("look")["count"]
    rows = []
    for number in range(1, total + 1):
        scene.prepare()
        scene.files.tell("arm", number)
        scene.token()
        seen = scene.files.tell("revert")
        if seen["cut"] is None:
            continue
        phase = scene.phase()
        token = scene.token()
        rows.append((number, seen["cut"], phase, bool(token), scene.sandbox.audit()["reusesDetected"]))
    groups = {}
    for number, what, phase, kept, _ in rows:
        groups.setdefault((what, phase, kept), []).append(number)
    for (what, phase, kept), numbers in groups.items():
        check.show(f"{numbers[0]:3}{'-' + str(numbers[-1]) if len(numbers) > 1 else '':5} {what:42} {phase:34} {'kept' if kept else 'LOST'}")
    lost = [(what, phase) for _, what, phase, kept, _ in rows if not kept]
    phases = {phase for _, _, phase, _, _ in rows}
    check({"before", "journalled", "stored"} <= phases, f"{name}: cut in every phase", sorted(phases))
    check(
        all(phase.startswith("sent") for _, phase in lost), f"{name}: a login is lost at the two unavoidable points alone",
        f"{len(rows)} cuts, {len(lost)} lost: {sorted(set(lost))}")


def suite():
    if binding() is None:
        raise Unavailable("fusepy is not installed: apt-get install fuse3 python3-fusepy")
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        raise Unavailable("/dev/fuse cannot be opened")
    scene = Scene()
    try:
        cut_everywhere(scene, "first refresh")
        cut_everywhere(scene, "a later refresh")
        scene.prepare()
        check(bool(scene.token()), "the last login still refreshes")
    finally:
        scene.files.unmount()


if sys.argv[1:2] == ["--serve"]:
    serve_file_system(*sys.argv[2:4])
else:
    main(suite)
