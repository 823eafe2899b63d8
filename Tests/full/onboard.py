"""The first five minutes at a terminal: the wizard from nothing to an answer, hidden prompts, Ctrl-C at every question, completions in three
shells, and the login's page in Chromium, looked at."""
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import time

import harness
from harness import AGENT, Sandbox, check, clean_environment, read, temporary_folder
from terminal import Terminal, free_port, in_environment

QUESTION = r"1 to \d+: |\(not shown\): |\[[Yy]/[Nn]\] |Enter to keep it: "


class Home:
    """A home with tools on the PATH, and settings that name the sandbox."""

    def __init__(self, sandbox, *programs):
        self.folder = temporary_folder()
        self.path = os.path.join(self.folder, "home")
        self.state = os.path.join(self.path, ".keybearer")
        self.bin = os.path.join(self.folder, "bin")
        for folder in (self.state, self.bin):
            os.makedirs(folder)
        for name in programs:
            with open(os.path.join(self.bin, name), "w") as file:
                file.write("#!/bin/sh\nexit 0\n")
            os.chmod(file.name, 0o755)
        self.callback = free_port()
        redirect = f"login: {{ redirectURI: \"http://localhost:{self.callback}/auth/callback\","
        text = sandbox.settings.replace("{", f"{{ listen: [\"127.0.0.1:{free_port()}\"],", 1).replace("login: {", redirect, 1)
        with open(os.path.join(self.state, "keybearer.json5"), "w") as file:
            file.write(text)
        self.environment = {"HOME": self.path, "PATH": f"{self.bin}:/usr/local/bin:/usr/bin:/bin"}

    def terminal(self, *command, **variables):
        return Terminal(None, command=command, environment={**self.environment, **variables}, folder=self.path)

    def store(self):
        try:
            return json.loads(read(self.state, AGENT, "auth-profiles.json"))["profiles"]
        except FileNotFoundError:
            return {}

    def leftovers(self):
        """Whatever a write that was broken off would have left."""
        found = subprocess.run(["find", self.path, "-name", "*tmp*", "-o", "-name", "*.XXXXXX", "-o", "-name", "*.corrupt-*"],
                               capture_output=True, text=True)
        return found.stdout.split()


def answers(sandbox):
    """The wizard's questions in order, and what a person types: a setup-token, an API key, a service, the tools, a first request."""
    token = sandbox.control("POST", "accounts", {"provider": "anthropic", "kind": "token"})["token"]
    key = sandbox.control("POST", "accounts", {"provider": "openai", "kind": "api_key"})["key"]
    return [token, key], [
        (r"What do you want to add\?[\s\S]*?1 to \d+: ", "2"), (r"\(not shown\): ", token),
        (r"What do you want to add\?[\s\S]*?1 to \d+: ", "3"), (r"Whose is it\?[\s\S]*?1 to \d+: ", "OPENAI"), (r"\(not shown\): ", key),
        (r"What do you want to add\?[\s\S]*?1 to \d+: ", "LAST"), (r"systemd user service[\s\S]*?\[y/N\] ", "y"),
        (r"own settings\? \[y/N\] ", "y"), (r"first request[\s\S]*?\[Y/n\] ", ""),
    ]


def reply(terminal, pattern, line):
    terminal.expect(pattern)
    shown = terminal.child.after
    if line == "OPENAI":
        line = re.search(r"(\d+)  openai\r?\n", shown)[1]
    elif line == "LAST":
        line = re.search(r"(\d+)  nothing more", shown)[1]
    # A hidden prompt throws away what was typed before it.
    time.sleep(0.1)
    terminal.paste(line)


def wizard(sandbox):
    home = Home(sandbox, "claude", "aider", "systemctl")
    secrets, lines = answers(sandbox)
    terminal = home.terminal("onboard")
    for pattern, line in lines:
        # `claude setup-token` is there, and prints nothing: the paste is asked for all the same.
        reply(terminal, pattern, line)
    code = terminal.end(40)
    text = terminal.text
    check(code == 0 and "anthropic:manual: ok" in text and "openai:default: ok" in text, "onboard goes from nothing to an answer of each provider", code)
    check(len(re.findall(QUESTION, text)) == len(lines), "with so many questions", len(re.findall(QUESTION, text)))
    check(not any(secret in text for secret in secrets), "and shows nothing of what was pasted")
    check("Tools on the PATH: Claude Code, aider" in text and "keybearer.service" in text, "it says what it found and what it wrote")
    written = [os.path.join(home.path, name) for name in (".claude/settings.json", ".aider.conf.yml", ".config/systemd/user/keybearer.service")]
    check(all(os.path.exists(path) for path in written), "the tools and the service are set up", [os.path.basename(path) for path in written])
    check(stat.S_IMODE(os.stat(os.path.join(home.state, AGENT, "auth-profiles.json")).st_mode) == 0o600, "the store is for the owner alone")
    again = home.terminal("onboard")
    reply(again, lines[0][0], "LAST")
    again.answer(r"\[Y/n\] ", "n")
    check(again.end() == 0 and "points at" in again.text and "is there already" in again.text, "a second time finds what is there, and asks for less")


def ctrl_c(sandbox):
    """At every question: it ends at once, the terminal is as it was, what was finished stays, and nothing is half written."""
    for place in range(len(answers(sandbox)[1])):
        home = Home(sandbox, "claude", "aider", "systemctl")
        _, lines = answers(sandbox)
        terminal = home.terminal("onboard")
        for pattern, line in lines[:place]:
            reply(terminal, pattern, line)
        terminal.expect(lines[place][0])
        began = time.monotonic()
        terminal.child.sendintr()
        code = terminal.end(10)
        stored = len(home.store())
        expected = 2 if place > 4 else 1 if place > 1 else 0
        unit = os.path.exists(os.path.join(home.path, ".config/systemd/user/keybearer.service"))
        tools = os.path.exists(os.path.join(home.path, ".aider.conf.yml"))
        check(code == 130 and stored == expected and unit == (place > 6) and tools == (place > 7) and not home.leftovers(),
              f"Ctrl-C at question {place + 1} of onboard", f"exit {code} after {time.monotonic() - began:.1f} s, {stored} profiles", "130")
    for command in (("models", "auth", "paste-api-key", "--provider", "openai"), ("models", "auth", "setup-token", "--paste")):
        home = Home(sandbox)
        import pexpect
        shell = pexpect.spawn("/bin/sh", env={**clean_environment(), **home.environment, "PS1": "$ ", "TERM": "xterm"}, encoding="utf-8", timeout=15)
        shell.sendline(f"{harness.BINARY} {' '.join(command)}; echo ended with $?")
        shell.expect(r"\(not shown\): ")
        hidden = not shell.getecho()
        shell.send("typed-so-far")
        time.sleep(0.2)
        shell.sendintr()
        # The shell itself ends the line at SIGINT and may not run what stands behind it.
        shell.expect(r"\$ ")
        time.sleep(0.2)
        check(hidden and shell.getecho() and "typed-so-far" not in shell.before and not home.store() and not home.leftovers(),
              f"Ctrl-C at the hidden prompt of {command[2]}: nothing shown, nothing stored, and the terminal shows again what is typed")
        shell.close()


def closed(sandbox):
    """A window that is closed at a hidden prompt."""
    home = Home(sandbox)
    terminal = home.terminal("models", "auth", "paste-api-key", "--provider", "openai")
    terminal.expect(r"\(not shown\): ")
    os.kill(terminal.child.pid, signal.SIGHUP)
    code = terminal.end()
    check(code == 128 + signal.SIGHUP and not home.store(), "a window that is closed at a hidden prompt leaves nothing", code)


def waits(sandbox):
    """A wait for another process shows itself, and Ctrl-C ends it."""
    import fcntl
    home = Home(sandbox)
    first = home.terminal("models", "auth", "paste-api-key", "--provider", "openai")
    first.answer(r"\(not shown\): ", "sk-first")
    first.end()
    folder = os.path.join(home.state, "keybearer/locks")
    held = [open(os.path.join(folder, name), "r+") for name in os.listdir(folder) if name.startswith("store-")]
    for file in held:
        fcntl.flock(file, fcntl.LOCK_EX)
    terminal = home.terminal("models", "auth", "logout", "openai:default")
    terminal.expect("Waiting for another process that is using the credentials")
    terminal.child.sendintr()
    code = terminal.end()
    check(code in (130, 128 + signal.SIGINT) and "openai:default" in home.store(), "a wait for a lock shows itself, and Ctrl-C ends it", code)
    terminal = home.terminal("models", "auth", "logout", "openai:default")
    terminal.expect("Waiting for another process")
    for file in held:
        file.close()
    check(terminal.end() == 0 and not home.store() and "removed openai:default" in terminal.text, "and it goes on when the lock is free")


# MARK: - Completions

def completions(sandbox):
    import pexpect
    home = Home(sandbox, "claude")
    for name in ("work", "home"):
        terminal = home.terminal("models", "auth", "paste-api-key", "--provider", "anthropic", "--profile-id", f"anthropic:{name}")
        terminal.answer(r"\(not shown\): ", "sk-x")
        terminal.end()
    os.symlink(harness.BINARY, os.path.join(home.bin, "keybearer"))
    environment = {**clean_environment(), **home.environment, "TERM": "dumb", "PS1": "> ", "KEYBEARER": "1"}
    files = os.path.join(home.path, "completions")
    os.makedirs(files)
    for shell, name in (("bash", "keybearer.bash"), ("zsh", "_keybearer"), ("fish", "keybearer.fish")):
        script = subprocess.run([harness.BINARY, "--generate-completion-script", shell], capture_output=True, text=True, env=environment)
        with open(os.path.join(files, name), "w") as file:
            file.write(script.stdout)
    starts = {
        "bash": (["--norc", "--noprofile"], f"source {files}/keybearer.bash"),
        "zsh": (["-f"], f"fpath=({files} $fpath); autoload -Uz compinit; compinit -u -d {files}/dump; unsetopt beep"),
        "fish": (["--no-config"], f"source {files}/keybearer.fish"),
    }
    lines = [
        ("run --profile anthropic:w", "anthropic:work", "a profile, behind its colon"), ("token anthropic:h", "anthropic:home", "a profile as an argument"),
        ("models auth login --provider openai-c", "openai-codex", "a provider"), ("env --tool anthropic-s", "anthropic-sdk", "a tool"),
        ("tools setup aid", "aider", "a tool whose file is edited"), ("models auth paste-tok", "paste-token", "a command"),
        ("doctor --agent ma", "main", "an agent"),
    ]
    for shell, (arguments, start) in starts.items():
        if not shutil.which(shell):
            check.skip(f"completions in {shell}", "it is not installed")
            continue
        for line, word, what in lines:
            child = pexpect.spawn(shutil.which(shell), arguments + ["-i"], env=environment, encoding="utf-8", timeout=10, dimensions=(40, 200), cwd=home.path)
            child.sendline(start)
            time.sleep(1.0 if shell != "bash" else 0.3)
            child.sendline("echo rea''dy")
            child.expect("ready")
            # What the shell has made of the line is told by itself.
            child.send(f"keybearer {line}")
            time.sleep(0.2)
            child.send("\t")
            time.sleep(1.0)
            child.send("\x01echo got: \r")
            try:
                child.expect(r"got: keybearer [^\r\n]*" + re.escape(word))
                found = True
            except (pexpect.TIMEOUT, pexpect.EOF):
                found = False
            check(found, f"{shell} completes {what}", word if found else child.before[-200:])
            child.close(force=True)


# MARK: - The page

def page(sandbox):
    """Chromium goes the whole way by itself, and what it shows is a picture that can be looked at (KEYBEARER_PICTURES names a folder)."""
    chromium = shutil.which("chromium")
    if not chromium:
        return check.skip("the login's page in Chromium", "it is not installed")
    folder = os.environ.get("KEYBEARER_PICTURES") or temporary_folder()
    for name, flags in (("light", []), ("dark", ["--blink-settings=preferredColorScheme=0", "--force-dark-mode"]), ("phone", [])):
        home = Home(sandbox)
        terminal = home.terminal("login", "--no-browser", DISPLAY=":99")
        address = terminal.expect(r"(https://localhost:\d+/oauth/authorize\?\S+)")[1]
        terminal.expect("Waiting")
        picture = os.path.join(folder, f"login-{name}.png")
        size = "390,700" if name == "phone" else "1000,600"
        subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", "--ignore-certificate-errors", f"--user-data-dir={temporary_folder()}",
                        f"--window-size={size}", f"--screenshot={picture}", "--virtual-time-budget=1500", *flags, address],
                       capture_output=True, timeout=90)
        code = terminal.end()
        drawn = os.path.exists(picture) and open(picture, "rb").read(8) == b"\x89PNG\r\n\x1a\n"
        check(code == 0 and drawn and len(home.store()) == 1, f"Chromium ({name}) logs in from the provider's page to ours, and draws it",
              f"{os.path.getsize(picture) if drawn else 0} octets")


def suite():
    sandbox = Sandbox()
    for part in (wizard, ctrl_c, closed, waits, completions, page):
        check.show(part.__name__)
        part(sandbox)


if __name__ == "__main__":
    in_environment(suite, "logins", ["authlib", "flask", "pexpect"])
