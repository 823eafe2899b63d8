"""From an empty home to an answer: the real Codex and Claude Code by `keybearer run`, and programs and libraries by `keybearer env` and
`keybearer tools setup`. The provider is the sandbox; the tools are as their makers ship them, and are told nothing but what Keybearer tells
them. The questions that a person has to answer are counted."""
import json
import os
import re
import signal
import subprocess

import harness
from harness import AGENT, Proxy, Sandbox, check, clean_environment, read, temporary_folder
from terminal import Terminal, free_port, in_environment, packages

CLIENTS = ["openai", "anthropic", "google-genai", "llm", "llm-anthropic", "claude-agent-sdk", "openai-codex-cli-bin"]
# Whatever waits for a person: a choice, a hidden prompt, yes or no, Enter.
QUESTIONS = re.compile(r"1 to \d+: |\(not shown\): |\[[Yy]/[Nn]\] |Enter to ")
HELLO = re.compile(r"Hello from account ([\w-]+)\.")


class Home:
    """An empty home, settings outside of it that name the sandbox, and nothing else."""

    def __init__(self, sandbox, *programs):
        self.folder = temporary_folder()
        self.path = os.path.join(self.folder, "home")
        self.bin = os.path.join(self.folder, "bin")
        os.makedirs(self.path)
        os.makedirs(self.bin)
        for program in programs:
            os.symlink(program, os.path.join(self.bin, os.path.basename(program)))
        self.port = free_port()
        self.callback = free_port()
        self.config = os.path.join(self.folder, "settings.json5")
        redirect = f"login: {{ redirectURI: \"http://localhost:{self.callback}/auth/callback\","
        with open(self.config, "w") as file:
            file.write(sandbox.settings.replace("{", f"{{ listen: [\"127.0.0.1:{self.port}\"],", 1).replace("login: {", redirect, 1))
        self.environment = {"HOME": self.path, "PATH": f"{self.bin}:/usr/local/bin:/usr/bin:/bin"}
        self.server = None

    def run(self, *command, **variables):
        return Terminal(None, "--config", self.config, "--", *command, command=("run",), environment={**self.environment, **variables},
                        folder=self.path)

    def command(self, *arguments, input="", **variables):
        return subprocess.run([harness.BINARY, *arguments, "--config", self.config], input=input, text=True, capture_output=True, timeout=60,
                              env={**clean_environment(), **self.environment, **variables}, cwd=self.path)

    def note(self, terminal):
        """The server that the command says it has started is ended with this home."""
        if found := re.search(r"started the server at http://\S+ \(process (\d+)", terminal.text):
            self.server = int(found[1])

    def store(self):
        return json.loads(read(self.path, ".keybearer", AGENT, "auth-profiles.json"))["profiles"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.server:
            os.kill(self.server, signal.SIGTERM)


def binaries():
    """The executables of Codex and Claude Code, out of their wheels."""
    folder = packages("clients", CLIENTS)
    site = next(os.path.join(folder, "lib", name, "site-packages") for name in os.listdir(os.path.join(folder, "lib")))
    return os.path.join(site, "codex_cli_bin/bin/codex"), os.path.join(site, "claude_agent_sdk/_bundled/claude")


def judge(sandbox, home, terminal, code, name, profile, limit=2):
    """One command from an empty home to the answer: who paid, how many questions, and that the tool never held the secret."""
    home.note(terminal)
    asked = QUESTIONS.findall(terminal.text)
    answer = HELLO.search(terminal.text)
    check(code == 0 and answer, f"{name} finishes a turn", f"exit {code}: {answer and answer[0] or terminal.shown[-300:]!r}", "an answer")
    check(len(asked) <= limit, f"{name}: one command, and so many questions", len(asked), f"at most {limit}")
    entries = [entry for entry in sandbox.audit()["entries"] if entry.get("account") and "/oauth/" not in entry["target"]]
    held = home.store().get(profile, {})
    check(bool(entries) and answer and entries[-1]["account"] == answer[1] and held, f"{name}: the request went with the injected account",
          entries and f"{entries[-1]['account']} by {profile}")
    secrets = [held[member] for member in ("access", "refresh", "token", "key") if member in held]
    leaked = subprocess.run(["grep", "-rlF", *(word for secret in secrets for word in ("-e", secret)), home.path], capture_output=True,
                            text=True).stdout.split()
    check(secrets and all("auth-profiles.json" in path or "/journal/" in path for path in leaked),
          f"{name}: the secret is in Keybearer's store and in no file of the tool's", len(leaked))


# MARK: - run

def codex(sandbox, binary):
    with Home(sandbox, binary) as home:
        sandbox.control("DELETE", "audit")
        terminal = home.run("codex", "exec", "--skip-git-repo-check", "say hi")
        terminal.answer(r"1 to \d+: ", "1")
        code = terminal.expect(r"enter the code\s+(\S+)")[1]
        terminal.expect("Waiting for the code")
        sandbox.control("POST", "approve", {"user_code": code})
        status = terminal.end(60)
        profile = next(iter(home.store()), "")
        judge(sandbox, home, terminal, status, "codex, logged in by a device code", profile)
        again = home.run("codex", "exec", "--skip-git-repo-check", "say hi")
        status = again.end(60)
        check(status == 0 and HELLO.search(again.text) and not QUESTIONS.search(again.text) and "started the server" not in again.text,
              "the second time nothing is asked and nothing is started", status)
        failing = home.run("codex", "exec", "--no-such-flag")
        check(failing.end(60) == 2, "the tool's own exit code is the command's", failing.child.exitstatus, 2)
    with Home(sandbox, binary) as home:
        sandbox.control("DELETE", "audit")
        browser = os.path.join(home.bin, "browser")
        with open(browser, "w") as file:
            file.write(f"#!/bin/sh\nexec curl -sSL --cacert {sandbox.ca} -o {home.folder}/page.html \"$1\"\n")
        os.chmod(browser, 0o755)
        terminal = home.run("codex", "exec", "--skip-git-repo-check", "say hi", BROWSER=browser, DISPLAY=":99")
        terminal.answer(r"1 to \d+: ", "1")
        status = terminal.end(60)
        judge(sandbox, home, terminal, status, "codex, logged in by the browser", next(iter(home.store()), ""))
        check("Logged in" in read(home.folder, "page.html"), "and the browser ends at the page that says so")


def claude(sandbox, binary):
    with Home(sandbox, binary) as home:
        sandbox.control("DELETE", "audit")
        key = sandbox.control("POST", "accounts", {"provider": "anthropic", "kind": "api_key"})["key"]
        terminal = home.run("claude", "-p", "say hi")
        terminal.answer(r"1 to \d+: ", "2")
        terminal.answer(r"\(not shown\): ", key)
        judge(sandbox, home, terminal, terminal.end(60), "claude, with an API key", "anthropic:default")
        check(key not in terminal.text, "the key is not shown")
    with Home(sandbox) as home:
        # Making a setup-token needs Anthropic's own servers: that command alone is played.
        sandbox.control("DELETE", "audit")
        token = sandbox.control("POST", "accounts", {"provider": "anthropic", "kind": "token"})["token"]
        played = os.path.join(home.bin, "claude")
        with open(played, "w") as file:
            file.write(f"#!/bin/sh\n[ \"$1\" = setup-token ] && {{ echo 'Your token: {token}'; exit 0; }}\nexec {binary} \"$@\"\n")
        os.chmod(played, 0o755)
        terminal = home.run("claude", "-p", "say hi")
        terminal.answer(r"1 to \d+: ", "1")
        terminal.expect(r"Your token: (\S+)")
        terminal.answer(r"\(not shown\): ", token)
        judge(sandbox, home, terminal, terminal.end(60), "claude, with a setup-token", "anthropic:manual")
    with Home(sandbox, binary) as home:
        home.command("models", "auth", "paste-api-key", "--provider", "anthropic", input=key)
        terminal = home.run("claude", "-p", "say hi", ANTHROPIC_API_KEY="sk-ant-api03-of-the-person", CLAUDE_CODE_OAUTH_TOKEN="past-us")
        code = terminal.end(60)
        home.note(terminal)
        check(code == 0 and HELLO.search(terminal.text), "keys in the environment do not lead claude past us", code)
        interrupted = home.run("sh", "-c", "trap 'exit 7' INT; echo ready; while :; do sleep 0.05; done")
        interrupted.expect("ready")
        interrupted.child.sendintr()
        check(interrupted.end() == 7, "Ctrl-C is the tool's", interrupted.child.exitstatus, 7)
        script = "echo $ENABLE_TOOL_SEARCH $ANTHROPIC_AUTH_TOKEN $NO_PROXY $ANTHROPIC_BASE_URL"
        with open(os.path.join(home.folder, "claude"), "w") as file:
            file.write(f"#!/bin/sh\n{script}\n")
        os.chmod(file.name, 0o755)
        told = home.run(file.name, NO_PROXY="10.0.0.1")
        told.end()
        check(f"true keybearer-placeholder 10.0.0.1,127.0.0.1,localhost,::1 http://127.0.0.1:{home.port}/anthropic" in told.text,
              "claude is told what it needs", last(told.text))


# MARK: - env, and the tools' own files

LIBRARIES = """
import anthropic, openai
from google import genai
answer = openai.OpenAI().responses.create(model="gpt-5", input="hi")
print("openai:", answer.output_text)
answer = anthropic.Anthropic().messages.create(model="claude-sonnet-4-6", max_tokens=64, messages=[{"role": "user", "content": "hi"}])
print("anthropic:", answer.content[0].text)
google = genai.Client()
print("google-genai:", google.models.generate_content(model="gemini-2.5-flash", contents="hi").text)
"""
AIDER = ["--no-git", "--yes-always", "--no-check-update", "--no-show-model-warnings", "--analytics-disable", "--no-fancy-input", "--no-pretty"]


def shell(home, script, **variables):
    """A script in bash that has taken over what `keybearer env` prints; its output."""
    take = f'eval "$({harness.BINARY} env --shell bash --config {home.config})"'
    done = subprocess.run(["bash", "-c", f"{take}\n{script}"], text=True, capture_output=True, timeout=240, cwd=home.path,
                          env={**clean_environment(), **home.environment, **variables})
    return done.stdout + done.stderr


def accounts(sandbox, home):
    """A key of each provider, stored as a person would; the account that pays, by provider."""
    payers = {}
    for provider in ("openai", "anthropic", "google"):
        made = sandbox.control("POST", "accounts", {"provider": provider, "kind": "api_key"})
        home.command("models", "auth", "paste-api-key", "--provider", provider, input=made["key"])
        payers[provider] = made["account"]
    return payers


def last(text):
    """The end of a tool's output, on one line."""
    return " ".join(text.split())[-160:]


def greeted(text, account):
    return f"Hello from account {account}." in text


def variables(sandbox, home, payers):
    folder = packages("clients", CLIENTS)
    python = os.path.join(folder, "bin/python")
    with open(os.path.join(home.path, "libraries.py"), "w") as file:
        file.write(LIBRARIES)
    text = shell(home, f"{python} -W ignore libraries.py")
    for name, provider in (("openai", "openai"), ("anthropic", "anthropic"), ("google-genai", "google")):
        check(f"{name}: Hello from account {payers[provider]}." in text, f"{name} by `env`, told nothing else", last(text))
    llm = os.path.join(folder, "bin/llm")
    for model, provider in (("gpt-4o-mini", "openai"), ("claude-sonnet-4.5", "anthropic")):
        text = shell(home, f"{llm} -m {model} 'say hi'")
        check(greeted(text, payers[provider]), f"llm -m {model} by `env`", last(text))
    aider = os.path.join(packages("aider", ["aider-chat"]), "bin/aider")
    for model, provider in (("gpt-4o", "openai"), ("anthropic/claude-sonnet-4-5", "anthropic")):
        text = shell(home, f"{aider} {' '.join(AIDER)} --model {model} --message 'say hi'")
        check(greeted(text, payers[provider]), f"aider --model {model} by `env`", last(text))


def files(sandbox, home, payers, codex_binary, claude_binary):
    """The tools read the file that was written, without any variable; and undo leaves no trace."""
    aider = os.path.join(packages("aider", ["aider-chat"]), "bin/aider")
    gptme = os.path.join(packages("gptme", ["gptme"]), "bin/gptme")
    cases = [
        ("codex", ".codex/config.toml", "model_reasoning_effort = \"low\"\n", [codex_binary, "exec", "--skip-git-repo-check", "say hi"], "openai"),
        ("claude", ".claude/settings.json", "{\n  \"cleanupPeriodDays\": 20\n}", [claude_binary, "-p", "say hi"], "anthropic"),
        ("aider", ".aider.conf.yml", "# mine\nopenai-api-base: https://past.us.example/v1\nset-env:\n  - A=b\n",
         [aider, *AIDER, "--model", "gpt-4o", "--message", "say hi"], "openai"),
        ("gptme", ".config/gptme/config.toml", "[user]\nname = \"me\"\n\n[env]\n",
         [gptme, "--non-interactive", "-m", "keybearer/gpt-4o", "--no-stream", "say hi"], "openai"),
    ]
    for name, path, original, command, provider in cases:
        path = os.path.join(home.path, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(original)
        setup = home.command("tools", "setup", name)
        try:
            done = subprocess.run(command, text=True, capture_output=True, timeout=120, cwd=home.path, stdin=subprocess.DEVNULL,
                                  env={**clean_environment(), **home.environment})
            text = done.stdout + done.stderr
        except subprocess.TimeoutExpired as error:
            text = f"(did not end) {error.stdout}"
        check(setup.returncode == 0 and greeted(text, payers[provider]), f"{name} by `tools setup`, its own file alone",
              payers[provider] if greeted(text, payers[provider]) else last(text))
        # What the tool itself wrote there meanwhile is the tool's; only ours goes.
        changed = "keybearer" not in read(home.path, path)
        undo = home.command("tools", "setup", name, "--undo")
        left = read(home.path, path)
        check(undo.returncode == 0 and not changed and "keybearer" not in left.lower() and (left == original or name in ("codex", "claude")),
              f"{name}: undone", "to the byte" if left == original else f"and what {name} wrote since is kept")


def suite():
    codex_binary, claude_binary = binaries()
    sandbox = Sandbox()
    codex(sandbox, codex_binary)
    claude(sandbox, claude_binary)
    with Home(sandbox) as home:
        payers = accounts(sandbox, home)
        check.show(f"profiles: {', '.join(home.store())}")
        proxy = Proxy(os.path.join(home.path, ".keybearer"), port=home.port, config=home.config)
        variables(sandbox, home, payers)
        files(sandbox, home, payers, codex_binary, claude_binary)
        held = [profile["key"] for profile in home.store().values()]
        check(not any(key in proxy.output() for key in held), "no key is in the server's log")
        proxy.end()


if __name__ == "__main__":
    in_environment(suite, "logins", ["authlib", "flask", "pexpect"])
