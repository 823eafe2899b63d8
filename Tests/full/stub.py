"""A provider and a client in a few frames, HTTP/1.1 and HTTP/2, whose every step is the suite's: what is counted is then the same each time.

The provider speaks TLS, HTTP/2 when the proxy offers it, and gives the answer that the suite has laid out: so many bytes, or so many events, each
sent when the client has said that it has the one before. Python 3 standard library only.
"""
import collections
import contextlib
import os
import re
import socket
import ssl
import struct
import subprocess
import threading

import harness
from harness import clean_environment, temporary_folder

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW = 0, 1, 3, 4, 6, 7, 8
ACK = END_STREAM = 1
END_HEADERS = 4
# SETTINGS_INITIAL_WINDOW_SIZE and SETTINGS_MAX_CONCURRENT_STREAMS; the connection's own window is opened by a frame.
OPEN = struct.pack(">HIHI", 4, (1 << 31) - 1, 3, 100_000)
EVENT = b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a word or two"}}\n\n'


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def fields(*pairs):
    """A field block of literals that nothing is remembered of (RFC 7541 §6.2.2)."""
    return b"".join(b"\0" + integer(len(name)) + name + integer(len(value)) + value for name, value in pairs)


def integer(value):
    """With a prefix of seven bits (RFC 7541 §5.1)."""
    if value < 127:
        return bytes([value])
    rest, value = [127], value - 127
    while value >= 128:
        rest.append(value & 127 | 128)
        value >>= 7
    return bytes([*rest, value])


class Reader:
    """Bytes of a connection, by count or up to the end of a head."""

    def __init__(self, connection):
        self.connection = connection
        self.held = b""

    def more(self):
        piece = self.connection.recv(1 << 20)
        if not piece:
            raise ConnectionError("closed")
        self.held += piece

    def take(self, count):
        while len(self.held) < count:
            self.more()
        piece, self.held = self.held[:count], self.held[count:]
        return piece

    def skip(self, count):
        while count > len(self.held):
            count -= len(self.held)
            self.held = b""
            self.more()
        self.held = self.held[count:]

    def head(self):
        while b"\r\n\r\n" not in self.held:
            self.more()
        text, _, self.held = self.held.partition(b"\r\n\r\n")
        return text

    def line(self):
        while b"\r\n" not in self.held:
            self.more()
        text, _, self.held = self.held.partition(b"\r\n")
        return text

    def frame(self):
        length, kind, flags, stream = struct.unpack(">IBBI", b"\0" + self.take(9))
        return kind, flags, stream & 0x7FFFFFFF, self.take(length)


# MARK: - The provider

class Stub:
    """On a port of its own, with a certificate of its own, until the process ends."""

    def __init__(self):
        state = temporary_folder()
        subprocess.run([harness.BINARY, "tls", "init", "--state-dir", state], stdout=subprocess.DEVNULL, check=True, env=clean_environment())
        self.ca = os.path.join(state, "tls/ca.pem")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(os.path.join(state, "tls/server.pem"), os.path.join(state, "tls/server-key.pem"))
        self.context.set_alpn_protocols(["h2", "http/1.1"])
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        # What every request is answered with; and what the client releases for each event, and for the end.
        self.bytes, self.events = 2048, 0
        # The answer begins, and goes on no further.
        self.holds = False
        self.next = threading.Semaphore(0)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            raw, _ = self.listener.accept()
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(raw,), daemon=True).start()

    def serve(self, raw):
        with contextlib.suppress(OSError), raw:
            with self.context.wrap_socket(raw, server_side=True) as connection:
                (self.serve_http2 if connection.selected_alpn_protocol() == "h2" else self.serve_http1)(connection)

    def serve_http1(self, connection):
        reader = Reader(connection)
        while True:
            text = reader.head()
            reader.skip(int(re.search(rb"(?i)content-length: (\d+)", text)[1]))
            if not self.events and not self.holds:
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % self.bytes + bytes(self.bytes))
                continue
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            if self.holds:
                continue
            for _ in range(self.events):
                self.next.acquire()
                connection.sendall(b"%x\r\n%s\r\n" % (len(EVENT), EVENT))
            self.next.acquire()
            connection.sendall(b"0\r\n\r\n")

    def serve_http2(self, connection):
        reader = Reader(connection)
        reader.take(len(PREFACE))
        connection.sendall(frame(SETTINGS, 0, 0, OPEN) + frame(WINDOW, 0, 0, struct.pack(">I", (1 << 30))))
        windows, waiting, left = Windows(), collections.deque(), set()
        while True:
            kind, flags, stream, payload = waiting.popleft() if waiting else reader.frame()
            if kind == SETTINGS and not flags & ACK:
                windows.settings(payload)
                connection.sendall(frame(SETTINGS, ACK, 0))
            elif kind == PING and not flags & ACK:
                connection.sendall(frame(PING, ACK, 0, payload))
            elif kind == WINDOW:
                windows.opened(stream, struct.unpack(">I", payload)[0])
            elif kind == DATA and payload:
                # What is read of the body is let in again.
                connection.sendall(frame(WINDOW, 0, 0, struct.pack(">I", len(payload))))
            if kind in (HEADERS, DATA) and flags & END_STREAM:
                self.answer_http2(connection, reader, windows, waiting, left, stream)

    def answer_http2(self, connection, reader, windows, waiting, left, stream):
        """One answer at a time: what comes while there is no room for more of it waits."""
        count = self.bytes
        if self.events or self.holds:
            head = frame(HEADERS, END_HEADERS, stream, b"\x88" + fields((b"content-type", b"text/event-stream")))
            connection.sendall(head)
            if self.holds:
                return
            for _ in range(self.events):
                self.next.acquire()
                connection.sendall(frame(DATA, 0, stream, EVENT))
            self.next.acquire()
            return connection.sendall(frame(DATA, END_STREAM, stream))
        block = b"\x88" + fields((b"content-type", b"application/json"), (b"content-length", b"%d" % count))
        head = frame(HEADERS, END_HEADERS, stream, block)
        while count > 0 and stream not in left:
            size = min(count, 16_384, windows.room(stream))
            while size <= 0 and stream not in left:
                kind, flags, number, payload = reader.frame()
                if kind == WINDOW:
                    windows.opened(number, struct.unpack(">I", payload)[0])
                elif kind == PING and not flags & ACK:
                    connection.sendall(frame(PING, ACK, 0, payload))
                elif kind == RESET:
                    left.add(number)
                else:
                    waiting.append((kind, flags, number, payload))
                size = min(count, 16_384, windows.room(stream))
            if stream in left:
                return
            count -= size
            windows.spent(stream, size)
            head += frame(DATA, 0 if count else END_STREAM, stream, bytes(size))
            if len(head) > 60_000 or not count or windows.room(stream) <= 0:
                connection.sendall(head)
                head = b""


class Windows:
    """What may be sent on a connection and its streams (RFC 9113 §5.2)."""

    def __init__(self):
        self.connection = self.initial = 65_535
        self.streams = {}

    def settings(self, payload):
        for at in range(0, len(payload), 6):
            name, value = struct.unpack(">HI", payload[at : at + 6])
            if name == 4:
                self.initial = value

    def opened(self, stream, size):
        if stream == 0:
            self.connection += size
        else:
            self.streams[stream] = self.streams.get(stream, 0) + size

    def spent(self, stream, size):
        self.opened(0, -size)
        self.opened(stream, -size)

    def room(self, stream):
        return min(self.connection, self.initial + self.streams.get(stream, 0))


# MARK: - Clients of the proxy

class Client1:
    """One connection that is kept alive."""

    def __init__(self, proxy):
        self.connection = proxy.connect(timeout=120)
        self.reader = Reader(self.connection)

    def ask(self, path, body, headers=()):
        text = b"POST %s HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer placeholder\r\ncontent-type: application/json\r\n" % path
        text += b"".join(b"%s: %s\r\n" % pair for pair in headers)
        self.connection.sendall(text + b"content-length: %d\r\n\r\n" % len(body) + body)

    def answer(self):
        """All of it: how many bytes the body has."""
        text = self.reader.head()
        assert text.startswith(b"HTTP/1.1 200"), text
        length = int(re.search(rb"(?i)content-length: (\d+)", text)[1])
        self.reader.skip(length)
        return length

    def begin_events(self):
        text = self.reader.head()
        assert text.startswith(b"HTTP/1.1 200"), text

    def event(self):
        """The next one is here; empty: it was the last."""
        size = int(self.reader.line(), 16)
        return self.reader.take(size + 2)[:-2]

    def close(self):
        self.connection.close()


class Client2:
    """HTTP/2 in clear by prior knowledge, one stream at a time, with windows that are never closed."""

    def __init__(self, proxy):
        self.connection = proxy.connect(timeout=120)
        self.reader = Reader(self.connection)
        self.stream = -1
        self.windows = Windows()
        self.connection.sendall(PREFACE + frame(SETTINGS, 0, 0, OPEN) + frame(WINDOW, 0, 0, struct.pack(">I", 1 << 30)))

    def ask(self, path, body, headers=()):
        self.stream += 2
        block = b"\x83\x86" + fields(
            (b":path", path), (b":authority", b"localhost"), (b"authorization", b"Bearer placeholder"), (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)), *headers)
        self.connection.sendall(frame(HEADERS, END_HEADERS, self.stream, block))
        while body:
            size = min(len(body), 16_384, self.windows.room(self.stream))
            if size <= 0:
                self.turn()
                continue
            self.windows.spent(self.stream, size)
            self.connection.sendall(frame(DATA, END_STREAM if size == len(body) else 0, self.stream, body[:size]))
            body = body[size:]

    def turn(self):
        """The next frame that says something about the stream: its kind, whether it is the last, what it holds."""
        kind, flags, stream, payload = self.reader.frame()
        if kind == SETTINGS and not flags & ACK:
            self.windows.settings(payload)
            self.connection.sendall(frame(SETTINGS, ACK, 0))
        elif kind == WINDOW:
            self.windows.opened(stream, struct.unpack(">I", payload)[0])
        assert kind not in (RESET, GOAWAY), (kind, payload)
        return kind, kind in (HEADERS, DATA) and flags & END_STREAM, payload

    def answer(self):
        length, is_over = 0, False
        while not is_over:
            kind, is_over, payload = self.turn()
            if kind == DATA:
                length += len(payload)
        return length

    def begin_events(self):
        while self.turn()[0] != HEADERS:
            pass

    def event(self):
        while True:
            kind, is_over, payload = self.turn()
            if kind == DATA and (payload or is_over):
                return payload

    def close(self):
        self.connection.close()


# MARK: - The proxy's state

def stub_state(stub, *, http2, profiles=1, settings="", provider=""):
    """A state directory whose requests all go to the stub, each profile with a login that does not expire; what else `settings` says."""
    state = os.path.join(temporary_folder(), "state")
    os.makedirs(os.path.join(state, harness.AGENT))
    with open(os.path.join(state, "keybearer.json5"), "w") as file:
        file.write(
            f'{{ upstream: {{ caFile: "{stub.ca}" }}, {settings} providers: {{ anthropic: {{ '
            f'baseURL: "https://localhost:{stub.port}", http2: {"true" if http2 else "false"}, {provider} }} }} }}')
    login = {"type": "oauth", "provider": "anthropic", "expires": 4_102_444_800_000}
    harness.write_store(state, {
        f"anthropic:p{number:04}": {**login, "access": f"access-token-{number:08}", "refresh": f"refresh-token-{number:08}"} for number in range(profiles)
    })
    return state
