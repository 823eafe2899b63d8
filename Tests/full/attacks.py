"""The table of attack_cases.py over HTTP/1.1, h2c, TLS (HTTP/1.1 and HTTP/2 by ALPN) and WebSocket handshakes, in clear and over TLS.

Each ends in the refusal that the table names, and the provider, a server of this suite's own, has not been connected to; what is harmless
reaches it with the profile's credential and with nothing of the client's.
"""
import contextlib
import glob
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading

from attack_cases import CASES, CHAT
from harness import AGENT, BINARY, Daemon, check, clean_environment, environment, main, remember, temporary_folder

HANDSHAKE = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Version", "13")]
MALFORMED = ("bad_request",)


class Provider:
    """Answers every request, and keeps its head."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.connections = 0
        self.heads = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            connection, _ = self.socket.accept()
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.closing(connection), contextlib.suppress(OSError):
            buffer = b""
            while b"\r\n\r\n" not in buffer:
                piece = connection.recv(65536)
                if not piece:
                    return
                buffer += piece
            self.heads.append(buffer.decode("latin-1"))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\nAccess-Control-Allow-Origin: *\r\n\r\nok")
            connection.recv(65536)


class Lines:
    """A connection of HTTP/1.1."""

    def __init__(self, kind, scene):
        self.kind, self.scene = kind, scene

    def ask(self, case, fill):
        with contextlib.closing(self.scene.connect(self.kind in ("tls", "wss"), "http/1.1")) as connection:
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                connection.sendall(case["raw"] or self.head(case, fill))
            answer = b""
            with contextlib.suppress(OSError):
                while piece := connection.recv(65536):
                    answer += piece
                    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", answer)
                    if length and len(answer.partition(b"\r\n\r\n")[2]) >= int(length[1]):
                        break
        head, _, body = answer.partition(b"\r\n\r\n")
        status = int(head[9:12]) if head[:5] == b"HTTP/" else None
        fields = [tuple(line.split(": ", 1)) for line in head.decode("latin-1").split("\r\n")[1:]]
        return status, [(name.lower(), value) for name, value in fields], body

    def head(self, case, fill):
        is_handshake = self.kind in ("ws", "wss")
        body = None if is_handshake else case["body"] or "{}"
        method = case["method"] or ("GET" if is_handshake else "POST")
        if method in ("GET", "OPTIONS", "CONNECT", "TRACE", "DELETE"):
            body = None
        lines = [f"{method} {fill(case['target'] or CHAT)} HTTP/1.1"]
        if case["host"] is not None:
            lines.append(f"Host: {case['host']}")
        fields = case["fields"] + (HANDSHAKE if is_handshake else [])
        if body is not None:
            fields = fields + [("Content-Length", str(len(body)))]
        lines += [f"{name}: {fill(value)}" for name, value in fields]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or "").encode()


class Frames:
    """A connection of HTTP/2; nothing is checked or corrected on its way out."""

    def __init__(self, kind, scene):
        self.kind, self.scene = kind, scene

    def ask(self, case, fill):
        import hpack
        from hyperframe import frame as frames

        encoder, decoder = hpack.Encoder(), hpack.Decoder()
        body = b"" if case["pseudo"] or (case["method"] or "POST") != "POST" else (case["body"] or "{}").encode()
        fields = case["pseudo"] or [
            (":method", case["method"] or "POST"), (":scheme", "https" if self.kind == "h2" else "http"), (":authority", case["host"]),
            (":path", fill(case["target"] or CHAT)), *((name.lower(), fill(value)) for name, value in case["fields"])]
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
        status, answer, seen, buffer = None, [], b"", b""
        with contextlib.closing(self.scene.connect(self.kind == "h2", "h2")) as connection:
            headers = frames.HeadersFrame(1, encoder.encode(encoded, huffman=False), flags=["END_HEADERS", *([] if body else ["END_STREAM"])])
            out = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frames.SettingsFrame(0).serialize() + headers.serialize()
            if body:
                out += frames.DataFrame(1, body, flags=["END_STREAM"]).serialize()
            with contextlib.suppress(OSError):
                connection.sendall(out)
                while True:
                    while len(buffer) >= 9:
                        frame, length = frames.Frame.parse_frame_header(memoryview(buffer[:9]))
                        if len(buffer) < 9 + length:
                            break
                        frame.parse_body(memoryview(buffer[9:9 + length]))
                        buffer = buffer[9 + length:]
                        if isinstance(frame, frames.HeadersFrame):
                            answer = decoder.decode(frame.data)
                            status = int(dict(answer)[":status"])
                        if isinstance(frame, frames.DataFrame):
                            seen += frame.data
                        if isinstance(frame, (frames.RstStreamFrame, frames.GoAwayFrame)) or "END_STREAM" in frame.flags:
                            return status, answer, seen
                    piece = connection.recv(65536)
                    if not piece:
                        break
                    buffer += piece
        return status, answer, seen


class Scene:
    """A server with a listener in clear and one over TLS, in front of the provider."""

    def __init__(self):
        self.provider = Provider()
        folder = temporary_folder()
        self.state = os.path.join(folder, "state")
        os.makedirs(os.path.join(self.state, AGENT))
        entry = {"type": "api_key", "provider": "openai"}
        profiles = {"openai:default": {**entry, "key": "sk-attacks-default-0123"}, "openai:other": {**entry, "key": "sk-attacks-other-01234"}}
        remember(profiles)
        self.write(os.path.join(AGENT, "auth-profiles.json"), json.dumps({"version": 1, "profiles": profiles}))
        files = json.loads(self.run("tls", "init", "--json"))
        self.context = ssl.create_default_context(cafile=files["caFile"])
        tls = json.dumps({"certFile": files["certFile"], "keyFile": files["keyFile"]})
        self.write("keybearer.json5", f"""{{
          listen: ["127.0.0.1:0", {{ address: "127.0.0.1:0", tls: {tls} }}], gate: {{ origins: ["app://good.test"] }}, timeouts: {{ head: 2 }},
          providers: {{ openai: {{ baseURL: "http://127.0.0.1:{self.provider.port}" }} }},
        }}""")
        self.key = self.run("clients", "add", "good").strip().splitlines()[-1].split()[-1]
        self.other = self.run("clients", "add", "narrow", "--providers", "anthropic").strip().splitlines()[-1].split()[-1]
        self.server = Daemon(["serve", "--state-dir", self.state], folder, r"listening on 127\.0\.0\.1:(\d+), https://127\.0\.0\.1:(\d+)")
        self.ports = {False: int(self.server.ready[1]), True: int(self.server.ready[2])}

    def write(self, name, text):
        with open(os.path.join(self.state, name), "w") as file:
            file.write(text)

    def run(self, *arguments):
        done = subprocess.run([BINARY, *arguments, "--state-dir", self.state], capture_output=True, text=True, env=clean_environment(), check=True)
        return done.stdout

    def connect(self, is_tls, protocol):
        connection = socket.create_connection(("127.0.0.1", self.ports[is_tls]), 5)
        connection.settimeout(5)
        if not is_tls:
            return connection
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols([protocol])
        wrapped = context.wrap_socket(connection, server_hostname="localhost")
        assert wrapped.selected_alpn_protocol() == protocol
        return wrapped

    def fill(self, text):
        return text.replace("{key}", self.key).replace("{other}", self.other)


def flaw(case, kind, scene, door):
    """What went otherwise than the table says; None when nothing did."""
    scene.provider.heads.clear()
    before = scene.provider.connections
    status, fields, body = door.ask(case, scene.fill)
    text = body.decode("latin-1")
    reached = scene.provider.connections - before
    allowed = [name for name, _ in fields if name.startswith("access-control-")]
    if case["code"] is None:
        heads = scene.provider.heads
        if status != 200 or len(heads) != 1:
            return f"{status} {text[:200]}, {len(heads)} requests"
        lacking = [part for part in case["sees"] if part.lower() not in heads[0].lower()]
        shown = [part for part in [*case["lacks"], scene.key, scene.other] if part.lower() in heads[0].lower()]
        return f"the provider saw {shown}, and not {lacking}, in {heads[0]!r}" if shown or lacking else None
    if reached:
        return f"{reached} connections to the provider: {status} {text[:200]}"
    if allowed:
        return f"a page may read it: {allowed}"
    code = re.search(r'"keybearer":\{"code":"([a-z_0-9]+)"', text)
    if code is None:
        # What breaks HTTP/2's own rules ends the stream or the connection.
        return None if status is None and kind in ("h2c", "h2") and case["code"] in MALFORMED else f"{status} {text[:200]!r}"
    return None if code[1] == case["code"] else f"{code[1]} ({status}): {text[:200]}"


def suite():
    python = environment("http2", ["h2", "hpack", "hyperframe"])
    sys.path += glob.glob(os.path.join(os.path.dirname(python), "../lib/python*/site-packages"))
    scene = Scene()
    doors = {**{kind: Lines(kind, scene) for kind in ("h1", "tls", "ws", "wss")}, **{kind: Frames(kind, scene) for kind in ("h2c", "h2")}}
    names = {"h1": "HTTP/1.1", "tls": "HTTP/1.1 over TLS", "ws": "WebSocket", "wss": "WebSocket over TLS", "h2c": "h2c", "h2": "HTTP/2 over TLS"}
    for kind, door in doors.items():
        chosen = [case for case in CASES if kind in case["on"]]
        flaws = {case["name"]: why for case in chosen if (why := flaw(case, kind, scene, door))}
        refused = sum(case["code"] is not None for case in chosen)
        check(not flaws, f"{names[kind]}: {refused} attacks are refused by name and reach nobody, {len(chosen) - refused} requests carry the profile's key alone",
              "; ".join(f"{name}: {why}" for name, why in flaws.items()) or len(chosen))
    attacks = len({case["name"] for case in CASES if case["code"] is not None})
    check(attacks >= 80 and scene.server.is_alive, "different attacks", attacks, "80")
    code = scene.server.end()
    check(code == 0 and "sk-attacks" not in scene.server.output(), "the server has lived through all of them, and its log has no key", code)


main(suite)
