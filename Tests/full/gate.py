"""Who may use the credentials: another user of the machine may not, at any door, also by sending and closing at once; ours may, with nothing set."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys

from harness import (
    BINARY, CHAT, Daemon, Proxy, Sandbox, Unavailable, check, clean_environment, end, eventually, main, post, settings, spawn, temporary_folder, tool,
)

OURS, OTHER, GUEST = 41001, 41002, 41003
# Of the system, where there is one: other users may not get at the one that runs this.
PYTHON = shutil.which("python3", path="/usr/bin") or sys.executable
TARGET = "/openai/v1/chat/completions"

# What a caller of another user does; prints the answer's first line and body. `setpriv` gives it that user.
CALLER = """
import socket, sys
door, mode = sys.argv[1], sys.argv[2]
request = sys.stdin.buffer.read()
s = socket.socket(socket.AF_UNIX if door.startswith("/") else socket.AF_INET)
host, _, port = door.rpartition(":")
try:
    s.connect(door if door.startswith("/") else (host or "127.0.0.1", int(port)))
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


def call(user, door, request, mode="wait", within=()):
    """What a process of `user` gets at a port or a path; `within`: the command that gives it other namespaces."""
    command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *within, PYTHON, "-c", CALLER, str(door), mode]
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
        seen = len(sandbox.reached())
        check(seen == 0, "sending and closing at once, 50 times, spends nothing", f"{seen} requests at the provider", "0")
        call(OURS, proxy.port, REQUEST)
        check(len(sandbox.reached()) == 1, "which would have been seen")
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


RELAY = """
import socket, sys, threading
def pump(a, b):
    try:
        while piece := a.recv(65536): b.sendall(piece)
        b.shutdown(socket.SHUT_WR)
    except OSError: pass
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    near, _ = server.accept()
    far = socket.create_connection((sys.argv[1], int(sys.argv[2])))
    for pair in ((near, far), (far, near)): threading.Thread(target=pump, args=pair, daemon=True).start()
"""


@contextlib.contextmanager
def relay(user, host, port):
    """A relay of `user`'s, as container engines, WSL and SSH have them; its port."""
    process = spawn(["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", PYTHON, "-c", RELAY, host, str(port)], stdout=subprocess.PIPE)
    try:
        yield int(process.stdout.readline())
    finally:
        end(process)


def keyed(key):
    return REQUEST.replace(b"Bearer dummy", f"Bearer {key}".encode())


def namespaces(sandbox):
    """Callers in other user and network namespaces, as containers are; and the proxy in one."""
    folder = os.path.dirname(sandbox.state)
    config = settings(sandbox)
    path = os.path.join(sandbox.state, "gate.sock")
    for name, mode in ((folder, 0o755), (config, 0o644)):
        os.chmod(name, mode)
    subprocess.run(["chown", "-R", f"{OURS}:{OURS}", sandbox.state, config], check=True)

    def become():
        os.setgroups([])
        os.setgid(OURS)
        os.setuid(OURS)

    mapped, apart = ["unshare", "-Ur"], ["unshare", "-Urn"]
    with Proxy(sandbox.state, config=config, arguments=["--listen", f"unix:{path}"], preexec=become) as proxy:
        check(status_of(call(OURS, proxy.port, REQUEST, within=mapped)) == 200, "our own user is served out of a user namespace in which it is root")
        refused = call(OTHER, proxy.port, REQUEST, within=mapped)
        check("caller_refused" in refused, "another user who is root in a user namespace is refused", status_of(refused), "403")
        # Its loopback is another one, and not even up.
        check(call(OURS, proxy.port, REQUEST, within=apart).strip() in ("OSError", "ConnectionRefusedError"), "out of another network namespace the port cannot be reached")
        check(status_of(call(OURS, path, REQUEST, within=apart)) == 200, "a Unix socket can be, by our own user")
        check("PermissionError" in call(OTHER, path, REQUEST, within=apart), "and by no other")
        with relay(OTHER, "127.0.0.1", proxy.port) as port:
            check("caller_refused" in call(OURS, port, REQUEST), "a relay is whose it is: another user's is refused, whoever calls it")
        with relay(0, "127.0.0.1", proxy.port) as port:
            check(status_of(call(OTHER, port, REQUEST)) == 200, "and root's is served, whoever calls it")
    inside = Daemon(
        ["serve", "--state-dir", sandbox.state, "--config", config, "--listen", "127.0.0.1:0"], folder, r"listening on 127\.0\.0\.1:(\d+)",
        preexec=become, within_namespace=mapped)
    with inside:
        check(status_of(call(OURS, inside.ready[1], REQUEST)) == 200, "a proxy in a user namespace serves its own user")
        refused = call(OTHER, inside.ready[1], REQUEST)
        check("caller_refused" in refused, "and refuses whom its namespace cannot name", status_of(refused), "403")
    subprocess.run(["chown", "-R", "0:0", sandbox.state], check=True)


def bridge(sandbox):
    """A container's network, as a bridge makes it: an address that is not of loopback, on either side."""
    name, near, far = f"kb{os.getpid()}", "198.18.77.1", "198.18.77.2"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True)
    if made.returncode:
        return check.skip("a container's network", made.stderr.decode().strip())
    try:
        for command in (
            f"ip link add {name}h type veth peer name {name}c netns {name}", f"ip addr add {near}/30 dev {name}h", f"ip link set {name}h up",
            f"ip -n {name} addr add {far}/30 dev {name}c", f"ip -n {name} link set {name}c up", f"ip -n {name} link set lo up",
        ):
            subprocess.run(command.split(), check=True)
        within = ["ip", "netns", "exec", name]
        run = [BINARY, "clients", "add", "container", "--state-dir", sandbox.state]
        key = subprocess.run(run, capture_output=True, text=True, check=True, env=clean_environment()).stdout.split()[-1]
        files = json.loads(subprocess.run(
            [BINARY, "tls", "init", "--name", near, "--json", "--state-dir", sandbox.state], capture_output=True, check=True, env=clean_environment()).stdout)
        tls = {name: files[name] for name in ("certFile", "keyFile")}
        config = settings(sandbox, f'listen: ["127.0.0.1:0", {{ address: "{near}:0", tls: {json.dumps(tls)} }}]')
        with Daemon(["serve", "--state-dir", sandbox.state, "--config", config, "--insecure-listen", f"{near}:0"], temporary_folder(),
                    r"listening on 127\.0\.0\.1:(\d+), https://" + near + r":(\d+), " + near + r":(\d+)") as proxy:
            check("WITHOUT TLS" in proxy.output() and "over TLS" in proxy.output(), "the log says what is open to the network, and how")
            host = f"Host: {near}".encode()

            def knock(port, request):
                return call(0, f"{near}:{port}", request.replace(b"Host: localhost", host), within=within)

            check("Refused" in knock(proxy.ready[1], REQUEST), "the loopback port cannot be reached out of the container")
            check("key_required" in knock(proxy.ready[3], REQUEST), "a container needs a client key")
            check(status_of(knock(proxy.ready[3], keyed(key))) == 200, "and is served with one")
            curl = [*within, tool("curl"), "-s", "--cacert", files["caFile"], f"https://{near}:{proxy.ready[2]}{TARGET}", "-d", CHAT.decode(),
                    "-H", "Content-Type: application/json", "-o", "/dev/null", "-w", "%{http_code} %{http_version}"]
            told = subprocess.run([*curl, "-H", f"Authorization: Bearer {key}"], capture_output=True, text=True).stdout
            check(told == "200 2", "over TLS as well, by the address in the certificate", told, "200 2")
            told = subprocess.run(curl, capture_output=True, text=True).stdout
            check(told == "403 2", "where our own user needs a key too", told, "403 2")
            renewed = subprocess.run([BINARY, "tls", "init", "--force", "--state-dir", sandbox.state], capture_output=True, env=clean_environment())
            proxy.process.send_signal(signal.SIGHUP)
            eventually(lambda: "have been read again" in proxy.output())
            told = subprocess.run([*curl, "-H", f"Authorization: Bearer {key}"], capture_output=True)
            check(renewed.returncode == 0 and told.returncode == 60, "after SIGHUP a new certificate is served, here one that is not for this address",
                  told.returncode, "60")
        published = Daemon(
            ["serve", "--state-dir", sandbox.state, "--config", settings(sandbox), "--listen", "127.0.0.1:0", "--insecure-listen", "0.0.0.0:0"],
            temporary_folder(), r"listening on 127\.0\.0\.1:(\d+), 0\.0\.0\.0:(\d+)", within_namespace=within)
        with published, relay(0, far, published.ready[2]) as port:
            check("key_required" in call(OTHER, port, REQUEST), "a proxy in a container, on a published port: nobody is served without a key")
            check("key_required" in call(0, port, REQUEST), "not even root, whom the container does not see")
            # The sandbox is not to be reached from there, so the sign of life has to do.
            alive = LIFE.replace(b"Connection", f"Authorization: Bearer {key}\r\nConnection".encode())
            check(status_of(call(OTHER, port, alive)) == 200, "and whoever has a key is admitted")
    finally:
        subprocess.run(["ip", "netns", "del", name])


def suite():
    if os.geteuid() != 0:
        raise Unavailable("other users can only be tried as root")
    tool("setpriv")
    sandbox = Sandbox()
    second_server(sandbox)
    kernel_without_answer(sandbox)
    users(sandbox)
    namespaces(sandbox)
    bridge(sandbox)


main(suite)
