"""HTTP/2 as raw frames against a proxy: malformed requests, and floods with a well-behaved client beside them.

    http2-frames.py malformed|floods PORT PATH PID

Runs in an environment with the packages h2, hpack and hyperframe. Prints a JSON object: a verdict for each malformed request, or a record for each flood.
"""
import json
import socket
import sys
import threading
import time

import h2.config
import h2.connection
import h2.events
import hpack
from hyperframe.frame import (
    ContinuationFrame, DataFrame, GoAwayFrame, Frame, HeadersFrame, PingFrame, PriorityFrame, RstStreamFrame, SettingsFrame, WindowUpdateFrame,
)

PART, PORT, PATH, PID = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
GET = [(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", PATH)]
POST = [(":method", "POST"), *GET[1:]]


class Raw:
    """A connection that sends whatever it is told to."""

    def __init__(self, settings=None):
        self.socket = socket.create_connection(("127.0.0.1", PORT), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.encoder = hpack.Encoder()
        self.decoder = hpack.Decoder()
        self.buffer = b""
        self.send_bytes(PREFACE)
        self.send(SettingsFrame(0, settings=settings or {}))

    def send_bytes(self, data):
        self.socket.sendall(data)

    def send(self, frame):
        self.send_bytes(frame.serialize())

    def headers(self, stream, fields, flags=("END_HEADERS", "END_STREAM")):
        frame = HeadersFrame(stream, self.encoder.encode(fields, huffman=False))
        for flag in flags:
            frame.flags.add(flag)
        self.send(frame)

    def frames(self, seconds):
        """Frames until the connection or the time is over."""
        limit = time.monotonic() + seconds
        while True:
            while len(self.buffer) >= 9:
                frame, length = Frame.parse_frame_header(memoryview(self.buffer[:9]))
                if len(self.buffer) < 9 + length:
                    break
                frame.parse_body(memoryview(self.buffer[9:9 + length]))
                self.buffer = self.buffer[9 + length:]
                yield frame
            left = limit - time.monotonic()
            if left <= 0:
                return
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except (TimeoutError, ConnectionError):
                return
            if not data:
                return
            self.buffer += data

    def outcome(self, stream=1, seconds=2):
        """What became of a stream: a status, `reset N`, `goaway N` or nothing."""
        status = None
        for frame in self.frames(seconds):
            if isinstance(frame, HeadersFrame):
                fields = dict(self.decoder.decode(frame.data))
                if frame.stream_id == stream:
                    status = int(fields[":status"])
                    if "END_STREAM" in frame.flags:
                        return status
            elif isinstance(frame, DataFrame) and frame.stream_id == stream and "END_STREAM" in frame.flags:
                return status
            elif isinstance(frame, RstStreamFrame) and frame.stream_id == stream:
                return status or f"reset {frame.error_code}"
            elif isinstance(frame, GoAwayFrame):
                return f"goaway {frame.error_code}"
        return status or "nothing"

    def close(self):
        self.socket.close()


def with_fields(*fields, base=GET):
    return lambda raw: raw.headers(1, [*base, *fields])


def without(name, base=GET):
    return lambda raw: raw.headers(1, [field for field in base if field[0] != name])


def instead(name, value, base=GET):
    return lambda raw: raw.headers(1, [(n, value if n == name else v) for n, v in base])


def body(length, data, ends=True):
    def send(raw):
        raw.headers(1, [*POST, ("content-length", str(length))], ("END_HEADERS",))
        frame = DataFrame(1, data)
        if ends:
            frame.flags.add("END_STREAM")
        raw.send(frame)
    return send


def trailers(*fields, flags=("END_HEADERS", "END_STREAM")):
    def send(raw):
        raw.headers(1, POST, ("END_HEADERS",))
        raw.send(DataFrame(1, b"abc"))
        raw.headers(1, list(fields), flags)
    return send


def frames(*made):
    def send(raw):
        for frame in made:
            raw.send(frame)
    return send


def request_then(*made):
    def send(raw):
        raw.headers(1, POST, ("END_HEADERS",))
        for frame in made:
            raw.send(frame)
    return send


# Each is to be refused: a stream or a connection error, or a 4xx. None may be forwarded, which the caller sees at the upstream.
MALFORMED = {
    # RFC 9113 §8.2.1
    "an upper-case name": with_fields(("X-Upper", "a")),
    "a name with a space": with_fields(("x name", "a")),
    "a name with a colon": with_fields(("x:name", "a")),
    "an empty name": with_fields(("", "a")),
    "a name of 0x7f": with_fields(("x\x7f", "a")),
    "NUL in a value": with_fields(("x-a", "a\0b")),
    "CR LF in a value": with_fields(("x-a", "a\r\nx-b: c")),
    "LF in a value": with_fields(("x-a", "a\nb")),
    "CR in a value": with_fields(("x-a", "a\rb")),
    "a control byte in a value": with_fields(("x-a", "a\x01b")),
    "0x7f in a value": with_fields(("x-a", "a\x7fb")),
    "a leading space in a value": with_fields(("x-a", " a")),
    "a trailing tab in a value": with_fields(("x-a", "a\t")),
    # §8.2.2
    "connection": with_fields(("connection", "keep-alive")),
    "keep-alive": with_fields(("keep-alive", "5")),
    "proxy-connection": with_fields(("proxy-connection", "close")),
    "transfer-encoding": with_fields(("transfer-encoding", "chunked"), base=POST),
    "upgrade": with_fields(("upgrade", "websocket")),
    "te: gzip": with_fields(("te", "gzip")),
    "te: trailers, gzip": with_fields(("te", "trailers, gzip")),
    # §8.3
    "no :method": without(":method"),
    "no :scheme": without(":scheme"),
    "no :path": without(":path"),
    "no :authority and no host": without(":authority"),
    "two :method": with_fields((":method", "GET")),
    "two :path": lambda raw: raw.headers(1, [*GET, (":path", PATH)]),
    "two :authority": lambda raw: raw.headers(1, [*GET, (":authority", "localhost")]),
    "a pseudo-field behind a field": lambda raw: raw.headers(1, [*GET[:3], ("x-a", "a"), GET[3]]),
    "an unknown pseudo-field": lambda raw: raw.headers(1, [*GET, (":foo", "a")]),
    ":status in a request": lambda raw: raw.headers(1, [*GET, (":status", "200")]),
    ":protocol without a setting": lambda raw: raw.headers(1, [(":method", "CONNECT"), *GET[1:], (":protocol", "websocket")]),
    "an empty :path": instead(":path", ""),
    "a :path without a slash": instead(":path", "v1/x"),
    "a :path that is a URL": instead(":path", "http://localhost/v1/x"),
    ":path *": instead(":path", "*"),
    "OPTIONS *": lambda raw: raw.headers(1, [(":method", "OPTIONS"), *GET[1:3], (":path", "*")]),
    "a space in :path": instead(":path", PATH + " HTTP/1.1"),
    "CR LF in :path": instead(":path", PATH + " HTTP/1.1\r\nx: y"),
    "NUL in :path": instead(":path", PATH + "\0"),
    "a fragment in :path": instead(":path", PATH + "#a"),
    "0x80 in :path": lambda raw: raw.headers(1, [*GET[:3], (b":path", PATH.encode() + b"\x80")]),
    "0xff in :path": lambda raw: raw.headers(1, [*GET[:3], (b":path", PATH.encode() + b"\xff")]),
    "0x7f in :path": instead(":path", PATH + "\x7f"),
    "a space in :method": instead(":method", "GET /"),
    "an empty :method": instead(":method", ""),
    "a :method that is no token": instead(":method", "GE(T"),
    "CR LF in :method": instead(":method", "GET / HTTP/1.1\r\nx: y\r\n"),
    "an empty :scheme": instead(":scheme", ""),
    ":scheme ftp": instead(":scheme", "ftp"),
    ":scheme with a space": instead(":scheme", "http "),
    "userinfo in :authority": instead(":authority", "user@localhost"),
    "a path in :authority": instead(":authority", "localhost/x"),
    "a space in :authority": instead(":authority", "local host"),
    "a comma in :authority": instead(":authority", "localhost,evil"),
    "a port too large in :authority": instead(":authority", "localhost:65536"),
    "an authority of another host": instead(":authority", "evil.example"),
    "host unlike :authority": with_fields(("host", "evil.example")),
    "host with another port than :authority": with_fields(("host", "localhost:9")),
    "two host": with_fields(("host", "localhost"), ("host", "localhost")),
    "host alone, of another host": lambda raw: raw.headers(1, [*GET[:2], GET[3], ("host", "evil.example")]),
    "CONNECT": lambda raw: raw.headers(1, [(":method", "CONNECT"), (":authority", "localhost:1")]),
    "TRACE": instead(":method", "TRACE"),
    # Framing
    "content-length of no digits": lambda raw: raw.headers(1, [*POST, ("content-length", "a")]),
    "content-length with a sign": lambda raw: raw.headers(1, [*POST, ("content-length", "+0")]),
    "content-length twice": lambda raw: raw.headers(1, [*POST, ("content-length", "0"), ("content-length", "0")]),
    "content-length as a list": lambda raw: raw.headers(1, [*POST, ("content-length", "0, 0")]),
    "content-length and no body": lambda raw: raw.headers(1, [*POST, ("content-length", "5")]),
    "a body shorter than its length": body(5, b"abc"),
    "a body longer than its length": body(2, b"abc"),
    "a look-alike of content-length": with_fields(("content_length", "5")),
    "a look-alike of transfer-encoding": with_fields(("transfer_encoding", "chunked")),
    "a padded look-alike": with_fields(("content--length", "5")),
    # Trailers
    "a pseudo-field in trailers": trailers((":path", "/x")),
    "content-length in trailers": trailers(("content-length", "3")),
    "authorization in trailers": trailers(("authorization", "Bearer x")),
    "host in trailers": trailers(("host", "localhost")),
    "transfer-encoding in trailers": trailers(("transfer-encoding", "chunked")),
    "trailers that do not end the stream": trailers(("x-sum", "1"), flags=("END_HEADERS",)),
    # Connection errors
    "DATA on stream 0": lambda raw: raw.send_bytes(b"\0\0\1\0\0\0\0\0\0x"),
    "DATA on an idle stream": frames(DataFrame(5, b"x")),
    "HEADERS on stream 0": lambda raw: raw.send_bytes(b"\0\0\1\1\5\0\0\0\0\x82"),
    "HEADERS on an even stream": lambda raw: raw.headers(2, GET),
    "RST_STREAM on an idle stream": frames(RstStreamFrame(7, error_code=8)),
    "WINDOW_UPDATE on an idle stream": frames(WindowUpdateFrame(9, window_increment=1)),
    "WINDOW_UPDATE of 0 on the connection": lambda raw: raw.send_bytes(b"\0\0\4\x08\0\0\0\0\0\0\0\0\0"),
    "a window beyond 2^31": frames(WindowUpdateFrame(0, window_increment=2**31 - 1)),
    "SETTINGS of a length that is no multiple of 6": lambda raw: raw.send_bytes(b"\0\0\5\4\0\0\0\0\0\0\0\0\0\0"),
    "SETTINGS on a stream": lambda raw: raw.send_bytes(b"\0\0\0\4\0\0\0\0\1"),
    "SETTINGS ack with a body": lambda raw: raw.send_bytes(b"\0\0\6\4\1\0\0\0\0\0\3\0\0\0\1"),
    "ENABLE_PUSH of 2": lambda raw: raw.send_bytes(b"\0\0\6\4\0\0\0\0\0\0\2\0\0\0\2"),
    "INITIAL_WINDOW_SIZE beyond 2^31": lambda raw: raw.send_bytes(b"\0\0\6\4\0\0\0\0\0\0\4\x80\0\0\0"),
    "MAX_FRAME_SIZE of 1": lambda raw: raw.send_bytes(b"\0\0\6\4\0\0\0\0\0\0\5\0\0\0\1"),
    "PING of 7 bytes": lambda raw: raw.send_bytes(b"\0\0\7\6\0\0\0\0\0" + bytes(7)),
    "PING on a stream": lambda raw: raw.send_bytes(b"\0\0\x08\6\0\0\0\0\1" + bytes(8)),
    "GOAWAY on a stream": lambda raw: raw.send_bytes(b"\0\0\x08\7\0\0\0\0\1" + bytes(8)),
    "PUSH_PROMISE from a client": lambda raw: raw.send_bytes(b"\0\0\4\5\4\0\0\0\1\0\0\0\2"),
    "CONTINUATION without a head": lambda raw: raw.send_bytes(b"\0\0\0\x09\4\0\0\0\1"),
    "a frame between HEADERS and CONTINUATION": lambda raw: (raw.headers(1, GET, ()), raw.send(PingFrame(0, bytes(8)))),
    "a frame larger than allowed": lambda raw: raw.send_bytes(b"\1\0\0\0\0\0\0\0\1" + bytes(65536)),
    "padding longer than the frame": lambda raw: raw.send_bytes(b"\0\0\2\0\x08\0\0\0\1\5x"),
    "a head that is no HPACK": lambda raw: raw.send_bytes(b"\0\0\1\1\5\0\0\0\1\x80"),
    "a table size beyond ours": lambda raw: raw.send_bytes(b"\0\0\4\1\5\0\0\0\1\x3f\xff\xff\x7f"),
    "a preface that breaks off into HTTP/1.1": None,
    # Sizes
    "129 fields": with_fields(*((f"x-{number}", "a") for number in range(129))),
    "a name of 300 bytes": with_fields(("x" * 300, "a")),
}


def big_head(raw):
    """100 KB of fields in CONTINUATIONs."""
    block = raw.encoder.encode([*GET, *((f"x-{number}", "a" * 1000) for number in range(100))], huffman=False)
    pieces = [block[at:at + 16000] for at in range(0, len(block), 16000)]
    frame = HeadersFrame(1, pieces[0])
    frame.flags.add("END_STREAM")
    raw.send(frame)
    for piece in pieces[1:]:
        frame = ContinuationFrame(1, piece)
        if piece is pieces[-1]:
            frame.flags.add("END_HEADERS")
        raw.send(frame)


def hpack_bomb(raw):
    """A field of 4,000 bytes in the table, named 16,000 times by one byte each."""
    raw.headers(1, [*GET, ("x-bomb", "a" * 3900)])
    list(raw.frames(0.2))
    block = raw.encoder.encode(GET, huffman=False) + raw.encoder.encode([("x-bomb", "a" * 3900)]) * 15_000
    frame = HeadersFrame(3, block)
    frame.flags.add("END_HEADERS")
    frame.flags.add("END_STREAM")
    raw.send(frame)


MALFORMED["a head of 100 KB"] = big_head
MALFORMED["a preface that breaks off into HTTP/1.1"] = "preface"


def malformed():
    verdicts = {}
    for name, send in MALFORMED.items():
        if send == "preface":
            connection = socket.create_connection(("127.0.0.1", PORT), 5)
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = connection.recv(100)
            verdicts[name] = int(answer[9:12]) if answer else "closed"
            connection.close()
            continue
        raw = Raw()
        try:
            send(raw)
            verdicts[name] = raw.outcome()
        except ConnectionError:
            verdicts[name] = "closed"
        raw.close()
    return verdicts


# MARK: - Floods

def rapid_reset(raw, number):
    raw.headers(2 * number + 1, GET)
    raw.send(RstStreamFrame(2 * number + 1, error_code=8))


def made_you_reset(raw, number):
    raw.headers(2 * number + 1, GET, ("END_HEADERS",))
    raw.send(WindowUpdateFrame(2 * number + 1, window_increment=2**31 - 1))


FLOODS = {
    "rapid reset": rapid_reset,
    "resets that they provoke": made_you_reset,
    "PING": lambda raw, number: raw.send(PingFrame(0, bytes(8))),
    "SETTINGS": lambda raw, number: raw.send(SettingsFrame(0, settings={4: 65535})),
    "empty SETTINGS": lambda raw, number: raw.send(SettingsFrame(0)),
    "PRIORITY": lambda raw, number: raw.send(PriorityFrame(2 * number + 1, depends_on=0, stream_weight=1)),
    "empty DATA": None,
    "WINDOW_UPDATE": lambda raw, number: raw.send(WindowUpdateFrame(0, window_increment=1)),
    "unknown frames": lambda raw, number: raw.send_bytes(b"\0\0\0\xfa\0\0\0\0\0"),
    "malformed heads": lambda raw, number: raw.headers(2 * number + 1, [*GET, ("X", "a")]),
    "heads that are refused": lambda raw, number: raw.headers(2 * number + 1, [(n, "evil.example" if n == ":authority" else v) for n, v in GET]),
    "CONTINUATION": None,
    "HPACK bombs": None,
    "a head that never ends": None,
    "PING acks": lambda raw, number: raw.send_bytes(b"\0\0\x08\6\1\0\0\0\0" + bytes(8)),
}


def resident():
    for line in open(f"/proc/{PID}/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1])


def well_behaved(stop, times):
    """One request after the other on a connection of its own."""
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    raw = socket.create_connection(("127.0.0.1", PORT), 10)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.initiate_connection()
    raw.sendall(connection.data_to_send())
    while not stop.is_set():
        began = time.monotonic()
        stream = connection.get_next_available_stream_id()
        connection.send_headers(stream, GET, end_stream=True)
        raw.sendall(connection.data_to_send())
        done = False
        while not done:
            for event in connection.receive_data(raw.recv(65536)):
                if isinstance(event, h2.events.DataReceived):
                    connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                done = done or isinstance(event, h2.events.StreamEnded)
        raw.sendall(connection.data_to_send())
        times.append(time.monotonic() - began)
        time.sleep(0.005)


def flood(name, send, seconds=3):
    stop, times = threading.Event(), []
    friend = threading.Thread(target=well_behaved, args=(stop, times))
    friend.start()
    time.sleep(0.3)
    before, peak = resident(), 0
    began, frames_sent, connections, ends = time.monotonic(), 0, 0, []
    while time.monotonic() - began < seconds and connections < 5:
        raw = Raw()
        connections += 1
        received = []
        reader = threading.Thread(target=lambda: received.extend(f.error_code for f in raw.frames(seconds + 2) if isinstance(f, GoAwayFrame)))
        reader.start()
        try:
            if name == "empty DATA":
                raw.headers(1, POST, ("END_HEADERS",))
            if name == "CONTINUATION":
                raw.headers(1, GET, ("END_STREAM",))
            for number in range(200_000):
                if time.monotonic() - began > seconds or received:
                    break
                if name == "empty DATA":
                    raw.send(DataFrame(1, b""))
                elif name == "CONTINUATION":
                    raw.send(ContinuationFrame(1, b""))
                elif name == "HPACK bombs":
                    hpack_bomb(raw) if number == 0 else time.sleep(0.1)
                elif name == "a head that never ends":
                    if number == 0:
                        raw.headers(1, GET, ("END_STREAM",))
                    time.sleep(0.1)
                else:
                    send(raw, number)
                frames_sent += 1
                if number % 500 == 0:
                    peak = max(peak, resident())
        except OSError:
            pass
        reader.join(3)
        ends.append(received[:1])
        raw.close()
    peak = max(peak, resident())
    stop.set()
    friend.join(10)
    times.sort()
    return {
        "frames": frames_sent, "connections": connections, "goaway": ends[0], "p50_ms": round(times[len(times) // 2] * 1000, 2),
        "worst_ms": round(times[-1] * 1000, 1), "requests": len(times), "growth_kib": peak - before,
    }


def main():
    floods = FLOODS.items() if PART == "floods" else ()
    json.dump(malformed() if PART == "malformed" else {name: flood(name, send) for name, send in floods}, sys.stdout)


main()
