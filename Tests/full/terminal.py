"""Commands at a terminal of their own, by pexpect, and the Python environments that the suites for terminals and real clients need."""
import os
import re
import signal
import socket
import subprocess
import sys

import harness
from harness import Unavailable, clean_environment, main

TERMINAL = {"TERM": "xterm", "USER": "me"}
DISPLAY = {"DISPLAY": ":99"}


def packages(name, wanted):
    """The folder of a virtual environment with `wanted` in it."""
    return os.path.dirname(os.path.dirname(harness.environment(name, wanted)))


def in_environment(suite, name, wanted):
    """Runs this file again by a Python that has the packages."""
    if os.environ.get("KEYBEARER_SUITE_PYTHON") == name:
        return main(suite)
    try:
        python = os.path.join(packages(name, wanted), "bin/python")
    except (Unavailable, subprocess.CalledProcessError) as reason:
        missing = str(reason)

        def unavailable():
            raise Unavailable(missing)

        return main(unavailable)
    code = subprocess.run([python, "-B", *sys.argv], env={**os.environ, "KEYBEARER_SUITE_PYTHON": name}).returncode
    harness.cleanup()
    sys.exit(code)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Terminal:
    """The command at a terminal of its own.

    `server` has the state directory, if one is to be named on the command line; `folder` is where the command is started."""

    def __init__(self, server, *arguments, command=("models", "auth", "login"), environment=None, folder=None):
        import pexpect
        self.pexpect = pexpect
        variables = {**clean_environment(), **TERMINAL, **(environment if environment is not None else DISPLAY)}
        place = ["--state-dir", server.state] if server else []
        self.child = pexpect.spawn(harness.BINARY, [*command, *place, *arguments], env=variables, encoding="utf-8", timeout=20,
                                   dimensions=(50, 300), cwd=folder)
        self.text = ""

    def expect(self, pattern, within=20):
        self.child.expect(pattern, timeout=within)
        self.text += self.child.before + self.child.after
        return self.child.match

    def address(self):
        self.expect(r"(http://127\.0\.0\.1:\d+/authorize\?\S+)")
        found = self.child.match[1]
        self.expect("Waiting")
        return found

    def paste(self, line):
        self.child.send(line + "\r")

    def answer(self, pattern, line, within=20):
        """Waits for a question, and answers it."""
        self.expect(pattern, within)
        self.paste(line)

    def end(self, within=20):
        """Its exit status; everything it wrote is in `text`."""
        try:
            self.child.expect(self.pexpect.EOF, timeout=within)
            self.text += self.child.before
        except self.pexpect.TIMEOUT:
            self.text += self.child.before + "\n(did not end)"
            self.child.kill(signal.SIGKILL)
        self.child.close()
        return self.child.exitstatus if self.child.exitstatus is not None else 128 + (self.child.signalstatus or 0)

    @property
    def shown(self):
        """As a person reads it: without what was overwritten."""
        return re.sub(r"\r\x1b\[K[^\r\n]*(?=\r\x1b\[K)", "", self.text)
