"""Outbound proxies of refreshes and requests: from the environment and from the profile, CONNECT and SOCKS 5, against a provider that nobody
reaches otherwise: its name exists for the proxies alone. Requests also through proxies of others: tinyproxy where it is installed, pproxy from PyPI.
"""

import http.server
import json
import os
import select
import socket
import ssl
import struct
import subprocess
import threading
import time

from harness import (
    AGENT, BINARY, Proxy, Unavailable, check, clean_environment, end, environment, eventually, main, spawn, temporary_folder, tool, write_store,
)

HOST = "provider.invalid"
PROFILE = "openai-codex:proxied"


class Provider:
    """A token endpoint over TLS, with a certificate for a name that does not exist."""

    def __init__(self):
        self.folder = temporary_folder()
        self.certificate = os.path.join(self.folder, "cert.pem")
        key = os.path.join(self.folder, "key.pem")
        subprocess.run(
            [tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST},DNS:localhost", "-keyout", key, "-out", self.certificate],
            check=True, capture_output=True)
        self.posts = []
        self.gets = []
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                provider.gets.append(self.headers.get("Authorization"))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def do_POST(self):
                provider.posts.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                body = json.dumps(
                    {"access_token": f"at-{len(provider.posts)}", "refresh_token": f"rt-{len(provider.posts)}", "expires_in": 3600}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()


class Relay:
    """A proxy that knows one name; remembers what it was asked for."""

    def __init__(self, provider, kind, status="200 OK"):
        self.provider, self.kind, self.status = provider, kind, status
        self.asked = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.handle, args=(client,), daemon=True).start()

    def handle(self, client):
        with client:
            try:
                ok = self.connect(client) if self.kind == "http" else self.socks(client)
                if ok:
                    with socket.create_connection(("127.0.0.1", self.provider.port)) as upstream:
                        relay(client, upstream)
            except OSError:
                pass

    def connect(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        self.asked.append(head.decode().split("\r\n")[0] + (" with a password" if b"Proxy-Authorization" in head else ""))
        client.sendall(f"HTTP/1.1 {self.status}\r\n\r\n".encode())
        return self.status.startswith("200")

    def socks(self, client):
        methods = exactly(client, exactly(client, 2)[1])
        # RFC 1929, where it is offered.
        if 2 in methods:
            client.sendall(b"\x05\x02")
            name = exactly(client, exactly(client, 2)[1])
            password = exactly(client, exactly(client, 1)[0])
            client.sendall(b"\x01\x00")
        else:
            client.sendall(b"\x05\x00")
            name = password = b""
        _, _, _, kind = exactly(client, 4)
        host = exactly(client, exactly(client, 1)[0]).decode() if kind == 3 else f"address {exactly(client, 4 if kind == 1 else 16).hex()}"
        port = struct.unpack(">H", exactly(client, 2))[0]
        self.asked.append(f"SOCKS {host}:{port}" + (" with a password" if password else ""))
        client.sendall(b"\x05\x00\x00\x01\0\0\0\0\0\0")
        return True


def exactly(client, count):
    data = b""
    while len(data) < count:
        piece = client.recv(count - len(data))
        if not piece:
            raise ConnectionError
        data += piece
    return data


def relay(one, other):
    while True:
        ready, _, _ = select.select([one, other], [], [], 20)
        if not ready:
            return
        for source in ready:
            data = source.recv(65536)
            if not data:
                return
            (other if source is one else one).sendall(data)


class Scene:
    def __init__(self):
        self.provider = Provider()
        self.state = os.path.join(self.provider.folder, "state")
        os.makedirs(os.path.join(self.state, AGENT))
        with open(os.path.join(self.state, "keybearer.json5"), "w") as file:
            file.write(json.dumps({"providers": {"openai-codex": {"oauth": {
                "tokenURL": f"https://{HOST}/oauth/token", "caFile": self.provider.certificate}}}}))

    def token(self, environment, proxy=None):
        """One refresh by the command: its exit code and what it said."""
        entry = {"type": "oauth", "provider": "openai-codex", "access": "at-0", "refresh": f"rt-{time.monotonic_ns()}", "expires": 1}
        if proxy:
            entry["proxy"] = proxy
        with open(os.path.join(self.state, AGENT, "auth-profiles.json"), "w") as file:
            json.dump({"version": 1, "profiles": {PROFILE: entry}}, file)
        run = subprocess.run(
            [BINARY, "token", PROFILE, "--state-dir", self.state], capture_output=True, text=True, timeout=60,
            env={**clean_environment(), **environment})
        return run.returncode, run.stdout + run.stderr


KEY = "key-for-the-proxied-provider"
PASSWORD = "secret-of-the-proxy"


def requests(scene, environment_variables, proxy=None, host=HOST, port=443):
    """A server with one profile; what two requests on one connection got, and what the server said."""
    state = os.path.join(temporary_folder(), "state")
    os.makedirs(os.path.join(state, AGENT))
    entry = {"type": "api_key", "provider": "mine", "key": KEY}
    if proxy:
        entry["proxy"] = proxy
    write_store(state, {"mine:a": entry})
    with open(os.path.join(state, "keybearer.json5"), "w") as file:
        json.dump({"providers": {"mine": {"baseURL": f"https://{host}:{port}"}}, "upstream": {"caFile": scene.provider.certificate}}, file)
    answers = []
    with Proxy(state, environment=environment_variables) as server:
        for _ in range(2):
            status, _, body = server.ask("/mine/v1/models", method="GET")
            answers.append(status if status == 200 else (status, body.decode()))
        return answers, server.output()


def of_requests(scene, tunnel, socks, refusing):
    http_url, socks_url = f"http://127.0.0.1:{tunnel.port}", f"socks5h://127.0.0.1:{socks.port}"
    direct = f"CONNECT {HOST}:443 HTTP/1.1"

    def case(sentence, variables, relay, asked, proxy=None, works=True):
        for one in (tunnel, socks, refusing):
            one.asked.clear()
        scene.provider.gets.clear()
        answers, said = requests(scene, variables, proxy)
        others = [one for one in (tunnel, socks, refusing) if one is not relay and one.asked]
        seen = relay.asked if relay else []
        held = (answers == [200, 200]) == works and not others and (seen == asked or not works and set(seen) == set(asked))
        check(held and (not works or scene.provider.gets == [f"Bearer {KEY}"] * 2), f"requests: {sentence}", f"{answers}"[:200] if not works else f"{seen}")
        check(PASSWORD not in said and PASSWORD not in str(answers), f"requests: {sentence}: its password is nowhere to be read") if PASSWORD in str(proxy) else None
        return answers

    case("without a proxy the provider cannot be reached", {}, None, [], works=False)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        case(f"{name} is obeyed, and one tunnel serves two", {name: http_url}, tunnel, [direct])
    case("SOCKS 5 from the environment", {"ALL_PROXY": socks_url}, socks, [f"SOCKS {HOST}:443"])
    case("NO_PROXY excepts a host", {"HTTPS_PROXY": http_url, "NO_PROXY": f"other.example,{HOST}"}, None, [], works=False)
    case("a profile's own goes before the environment's", {"HTTPS_PROXY": http_url}, socks, [f"SOCKS {HOST}:443"], proxy=socks_url)
    case("with a password", {}, tunnel, [direct + " with a password"], proxy=f"http://me:{PASSWORD}@127.0.0.1:{tunnel.port}")
    case("SOCKS 5 with a password", {}, socks, [f"SOCKS {HOST}:443 with a password"], proxy=f"socks5h://me:{PASSWORD}@127.0.0.1:{socks.port}")
    answers = case("one that refuses is named", {}, refusing, [direct + " with a password"],
                   proxy=f"http://me:{PASSWORD}@127.0.0.1:{refusing.port}", works=False)
    check(f"the proxy http://127.0.0.1:{refusing.port}" in answers[0][1], "requests: with its address", answers[0][1][:160])
    answers = case("one that cannot be understood is not gone without", {"HTTPS_PROXY": "socks4://127.0.0.1:1"}, None, [], works=False)
    check("$HTTPS_PROXY" in answers[0][1], "requests: and the variable is named", answers[0][1][:160])


def of_others(scene):
    """Through proxies that nobody here wrote, to a host that they look up: this machine."""
    port = scene.provider.port

    def through(sentence, proxy):
        scene.provider.gets.clear()
        answers, said = requests(scene, {}, proxy, "localhost", port)
        check(answers == [200, 200] and scene.provider.gets == [f"Bearer {KEY}"] * 2, sentence, f"{answers}"[:300])

    def refused(sentence, proxy):
        scene.provider.gets.clear()
        answers, said = requests(scene, {}, proxy, "localhost", port)
        told = answers[0] != 200 and "the proxy " in answers[0][1] and PASSWORD not in answers[0][1] + said
        check(told and not scene.provider.gets, sentence, f"{answers[0]}"[:300])

    python = environment("proxies", ["pproxy==2.7.9"])
    free = socket.create_server(("127.0.0.1", 0))
    number = free.getsockname()[1]
    free.close()
    # PyPI's pproxy, HTTP and SOCKS 5 on one port, with a password.
    process = spawn([python, "-c", "import asyncio; asyncio.set_event_loop(asyncio.new_event_loop()); from pproxy.server import main; main()",
                     "-l", f"http+socks5://127.0.0.1:{number}#me:{PASSWORD}", "--auth", "0"],
                    env=clean_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    eventually(lambda: accepts(number))
    through("pproxy, CONNECT with a password", f"http://me:{PASSWORD}@127.0.0.1:{number}")
    through("pproxy, SOCKS 5 with a password, the name looked up there", f"socks5h://me:{PASSWORD}@127.0.0.1:{number}")
    through("pproxy, SOCKS 5 with a password, the name looked up here", f"socks5://me:{PASSWORD}@127.0.0.1:{number}")
    refused("pproxy, CONNECT with a wrong password", f"http://me:{PASSWORD}x@127.0.0.1:{number}")
    refused("pproxy, SOCKS 5 with a wrong password", f"socks5h://me:{PASSWORD}x@127.0.0.1:{number}")
    end(process)
    refused("a proxy that is gone is named", f"http://127.0.0.1:{number}")
    try:
        program = tool("tinyproxy")
    except Unavailable as reason:
        return check.skip("tinyproxy", reason)
    folder = temporary_folder()
    with open(os.path.join(folder, "tinyproxy.conf"), "w") as file:
        file.write(f'Port {number}\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nAllow 127.0.0.1\nBasicAuth me {PASSWORD}\nLogLevel Critical\n')
    process = spawn([program, "-d", "-c", os.path.join(folder, "tinyproxy.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    eventually(lambda: accepts(number))
    through("tinyproxy, CONNECT with a password", f"http://me:{PASSWORD}@127.0.0.1:{number}")
    refused("tinyproxy, CONNECT with a wrong password", f"http://me:wrong@127.0.0.1:{number}")
    end(process)


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def suite():
    scene = Scene()
    tunnel, socks = Relay(scene.provider, "http"), Relay(scene.provider, "socks")
    refusing = Relay(scene.provider, "http", "403 Forbidden")
    http_url, socks_url = f"http://127.0.0.1:{tunnel.port}", f"socks5h://127.0.0.1:{socks.port}"

    def case(sentence, environment, relay, asked, proxy=None, works=True):
        for one in (tunnel, socks, refusing):
            one.asked.clear()
        scene.provider.posts.clear()
        code, said = scene.token(environment, proxy)
        others = [one for one in (tunnel, socks, refusing) if one is not relay and one.asked]
        seen = relay.asked if relay else []
        check(
            (code == 0) == works and len(scene.provider.posts) == works and seen == asked and not others,
            sentence, f"exit {code}, {len(scene.provider.posts)} POST, proxy: {seen}" + ("" if works == (code == 0) else f", {said.strip()[:200]}"))
        return said

    direct = f"CONNECT {HOST}:443 HTTP/1.1"
    case("without a proxy the provider cannot be reached", {}, None, [], works=False)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        case(f"{name} is obeyed", {name: http_url}, tunnel, [direct])
    case("a proxy of SOCKS 5 is obeyed, and looks the name up", {"ALL_PROXY": socks_url}, socks, [f"SOCKS {HOST}:443"])
    case("HTTPS_PROXY goes before ALL_PROXY", {"HTTPS_PROXY": http_url, "ALL_PROXY": socks_url}, tunnel, [direct])
    case("NO_PROXY excepts a host", {"HTTPS_PROXY": http_url, "NO_PROXY": f"other.example,{HOST}"}, None, [], works=False)
    case("HTTP_PROXY in capitals is not obeyed, as everywhere", {"HTTP_PROXY": http_url}, None, [], works=False)
    case("a profile's own goes before the environment's", {"HTTPS_PROXY": http_url}, socks, [f"SOCKS {HOST}:443"], proxy=socks_url)
    case("and before NO_PROXY", {"NO_PROXY": "*"}, tunnel, [direct], proxy=http_url)
    password = f"http://me:secret-of-the-proxy@127.0.0.1:{tunnel.port}"
    case("with a password", {}, tunnel, [direct + " with a password"], proxy=password)
    case(
        "SOCKS 5 with a password", {}, socks, [f"SOCKS {HOST}:443 with a password"],
        proxy=f"socks5h://me:secret-of-the-proxy@127.0.0.1:{socks.port}")
    said = case(
        "one that refuses is told, and nothing is sent", {}, refusing, [direct + " with a password"],
        proxy=f"http://me:secret-of-the-proxy@127.0.0.1:{refusing.port}", works=False)
    check("proxy_refused" in said and "secret-of-the-proxy" not in said, "its password is in no message", said.strip())
    said = case("one that cannot be understood is not gone without", {"HTTPS_PROXY": http_url}, None, [], proxy="proxy:3128", works=False)
    check("proxy" in said, "and is named", said.strip())
    of_requests(scene, tunnel, socks, refusing)
    of_others(scene)


main(suite)
