"""Who may use the credentials: another user of the machine may not, at any door, also by sending and closing at once; ours may, with nothing set."""

import json
import os
import socket
import subprocess
import sys

from harness import BINARY, CHAT, Proxy, Sandbox, Unavailable, check, eventually, main, median, post, settings, temporary_folder, tool

OURS, OTHER, GUEST = 41001, 41002, 41003
TARGET = "/openai/v1/chat/completions"

# What a caller of another user does; prints the answer's first line and body. `setpriv` gives it that user.
CALLER = """
import socket, sys
door, mode = sys.argv[1], sys.argv[2]
request = sys.stdin.buffer.read()
s = socket.socket(socket.AF_UNIX if door.startswith("/") else socket.AF_INET)
try:
    s.connect(door if door.startswith("/") else ("127.0.0.1", int(door)))
except OSError as error:
    print(type(error).__name__); sys.exit()
s.sendall(request)
if mode == "close": s.close(); sys.exit()
s.settimeout(10)
out = b""
try:
    while piece := s.recv(65536): out += piece
except OSError: pass
sys.stdout.buffer.write(out)
"""


def call(user, door, request, mode="wait"):
    """What a process of `user` gets at a port or a path."""
    command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", sys.executable, "-c", CALLER, str(door), mode]
    return subprocess.run(command, input=request, capture_output=True, timeout=60).stdout.decode("utf-8", "replace")


def status_of(answer):
    parts = answer.split(" ", 2)
    return int(parts[1]) if len(parts) > 2 and parts[0].startswith("HTTP/") else answer.strip()


REQUEST = post(TARGET, CHAT, {"Connection": "close"})
OWN = b"GET /-/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
LIFE = b"GET /-/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def users(sandbox):
    """The proxy runs as one user; others knock."""
    folder = os.path.dirname(sandbox.state)
    config = settings(sandbox)
    os.chmod(folder, 0o755)
    subprocess.run(["chown", "-R", f"{OURS}:{OURS}", sandbox.state], check=True)
    os.chmod(config, 0o644)
    path = os.path.join(sandbox.state, "gate.sock")

    def become():
        os.setgroups([])
        os.setgid(OURS)
        os.setuid(OURS)

    arguments = ["--listen", f"unix:{path}"]
    log = os.path.join(folder, "serve.log")
    with Proxy(sandbox.state, config=config, arguments=arguments, preexec=become) as proxy:
        check(status_of(call(OURS, proxy.port, REQUEST)) == 200, "our own user is served on the port, with nothing set")
        check(status_of(call(0, proxy.port, REQUEST)) == 200, "root is served")
        sandbox.forget()
        answer = call(OTHER, proxy.port, REQUEST)
        check(status_of(answer) == 403 and "caller_refused" in answer, "another user is refused on the port", status_of(answer), "403")
        check("clients.uids" in answer, "the refusal says what to set")
        check(status_of(call(OTHER, proxy.port, LIFE)) == 403, "another user does not even get the sign of life")
        for _ in range(50):
            call(OTHER, proxy.port, REQUEST, "close")
        seen = len(sandbox.audit().get("requests", []))
        check(seen == 0, "sending and closing at once, 50 times, spends nothing", f"{seen} requests at the provider", "0")
        check(status_of(call(OURS, path, REQUEST)) == 200, "our own user is served on the Unix socket")
        refused = call(OTHER, path, REQUEST)
        check("PermissionError" in refused or "FileNotFoundError" in refused, "another user cannot open the Unix socket", refused.strip()[:40])
        control = os.path.join(sandbox.state, "run/control.sock")
        check(os.stat(control).st_mode & 0o777 == 0o600, "the control socket is 0600", oct(os.stat(control).st_mode & 0o777), "0600")
        own = call(OURS, proxy.port, OWN)
        check(status_of(own) == 200 and f'"process":{proxy.pid}' in own, "/-/status answers our own user on the port")
        check(status_of(call(OURS, control, OWN)) == 200, "/-/status answers on the control socket")
        check("clients.uids" in proxy.output(), "the log names the stranger", proxy.output().count("refused user"), "once")
        check(proxy.output().count(f"refused user {OTHER}") == 1, "and says it once")

    listed = settings(sandbox, f"clients: {{ uids: [{GUEST}] }}")
    os.chmod(listed, 0o644)
    with Proxy(sandbox.state, config=listed, preexec=become) as proxy:
        check(status_of(call(GUEST, proxy.port, REQUEST)) == 200, "a listed user is served")
        check(status_of(call(OTHER, proxy.port, REQUEST)) == 403, "another one still is not")
        own = call(GUEST, proxy.port, OWN)
        check(status_of(own) == 403 and "not_own_user" in own, "what is under /-/ is not for a listed user", status_of(own), "403")
    anyone = settings(sandbox, 'clients: { loopback: "any" }')
    os.chmod(anyone, 0o644)
    with Proxy(sandbox.state, config=anyone, preexec=become) as proxy:
        check(status_of(call(OTHER, proxy.port, REQUEST)) == 200, 'clients.loopback "any" serves everyone on the machine')
        check(status_of(call(OTHER, proxy.port, OWN)) == 403, "but for what is under /-/")


def second_server(sandbox):
    """A second server on the same address is told who has it."""
    with Proxy(sandbox.state) as proxy:
        second = subprocess.run(
            [BINARY, "serve", "--state-dir", sandbox.state, "--listen", f"127.0.0.1:{proxy.port}"], capture_output=True, timeout=30,
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"})
        text = second.stderr.decode()
        check(second.returncode == 1 and f"process {proxy.pid}" in text, "a second serve is refused with the pid of the first", text.strip()[-160:])


def kernel_without_answer(sandbox):
    """Where netlink is missing, no port is opened, and the reason is told."""
    run = subprocess.run(
        [tool("strace"), "-f", "-qq", "-o", "/dev/null", "-e", "trace=socket", "-e", "inject=socket:error=EPROTONOSUPPORT:when=3+", BINARY,
         "serve", "--state-dir", sandbox.state, "--listen", "127.0.0.1:0"], capture_output=True, timeout=60,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"})
    text = run.stderr.decode()
    check(run.returncode == 1 and "clients.loopback" in text, "without sock_diag the start is refused with what to do", text.strip()[-120:])


def suite():
    if os.geteuid() != 0:
        raise Unavailable("other users can only be tried as root")
    tool("setpriv")
    sandbox = Sandbox()
    second_server(sandbox)
    kernel_without_answer(sandbox)
    users(sandbox)


main(suite)
