"""Requests of every kind through a proxy, by the packages h2 and h11, and what is wrong with the answers.

    matrix-client.py PLAIN_PORT TLS_PORT CA

Prints a JSON object: what was tried, by name, and the fault or null.
"""
import hashlib
import json
import socket
import ssl
import sys
import time

import h11
import h2.config
import h2.connection
import h2.errors
import h2.events

PLAIN, TLS, CA = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
SIZES = {"0 B": 0, "1 B": 1, "64 KiB": 65536, "20 MiB": 20 << 20}


def made(size):
    return (b"0123456789abcdef" * (size // 16 + 1))[:size]


def dial(kind):
    raw = socket.create_connection(("127.0.0.1", TLS if kind == "h2 TLS" else PLAIN), 20)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if kind != "h2 TLS":
        return raw
    context = ssl.create_default_context(cafile=CA)
    context.set_alpn_protocols(["h2"])
    wrapped = context.wrap_socket(raw, server_hostname="localhost")
    assert wrapped.selected_alpn_protocol() == "h2"
    return wrapped


class Result:
    """What came back."""

    def __init__(self):
        self.status, self.fields, self.body, self.trailers, self.interim, self.is_whole = None, {}, bytearray(), {}, [], False


class H1:
    """One connection of HTTP/1.1."""

    def __init__(self, kind):
        self.socket = dial(kind)
        self.connection = h11.Connection(h11.CLIENT)

    def ask(self, method, path, body=None, framing="length", fields=(), trailers=(), leave_after=None):
        head = [("host", "localhost"), *fields]
        if framing == "length":
            head.append(("content-length", str(len(body))))
        if framing == "chunked":
            head.append(("transfer-encoding", "chunked"))
        result = Result()
        try:
            self.send(h11.Request(method=method, target=path, headers=head))
            for at in range(0, len(body or b""), 65536):
                self.send(h11.Data(data=body[at:at + 65536]))
            self.send(h11.EndOfMessage(headers=list(trailers)))
        except OSError:
            pass  # an early answer: the server has closed its side
        try:
            while True:
                event = self.connection.next_event()
                if event is h11.NEED_DATA:
                    self.connection.receive_data(self.socket.recv(1 << 18))
                elif isinstance(event, h11.InformationalResponse):
                    result.interim.append(event.status_code)
                elif isinstance(event, h11.Response):
                    result.status, result.fields = event.status_code, {n.decode(): v.decode() for n, v in event.headers}
                elif isinstance(event, h11.Data):
                    result.body += event.data
                    if leave_after is not None and len(result.body) >= leave_after:
                        self.socket.close()
                        return result
                elif isinstance(event, h11.EndOfMessage):
                    result.trailers = {n.decode(): v.decode() for n, v in event.headers}
                    result.is_whole = True
                    if self.connection.our_state is h11.DONE and self.connection.their_state is h11.DONE:
                        self.connection.start_next_cycle()
                    return result
                else:
                    return result
        except (OSError, h11.RemoteProtocolError):
            return result

    def send(self, event):
        self.socket.sendall(self.connection.send(event))

    def close(self):
        self.socket.close()


class H2:
    """One connection of HTTP/2."""

    def __init__(self, kind):
        self.socket = dial(kind)
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.connection.initiate_connection()
        self.connection.update_settings({4: 1 << 20})
        self.flush()

    def flush(self):
        self.socket.sendall(self.connection.data_to_send())

    def ask(self, method, path, body=None, framing="length", fields=(), trailers=(), leave_after=None):
        stream = self.connection.get_next_available_stream_id()
        head = [(":method", method), (":scheme", "http"), (":authority", "localhost"), (":path", path), *fields]
        if framing == "length":
            head.append(("content-length", str(len(body))))
        ends = body is None
        self.connection.send_headers(stream, head, end_stream=ends)
        self.flush()
        result, view, sent_all = Result(), memoryview(body or b""), ends
        while True:
            if not sent_all:
                room = min(self.connection.local_flow_control_window(stream), self.connection.max_outbound_frame_size)
                if view and room > 0:
                    self.connection.send_data(stream, bytes(view[:room]))
                    view = view[room:]
                    self.flush()
                    self.socket.settimeout(0)
                elif not view:
                    if trailers:
                        self.connection.send_headers(stream, list(trailers), end_stream=True)
                    else:
                        self.connection.end_stream(stream)
                    sent_all = True
                    self.flush()
                    self.socket.settimeout(20)
                else:
                    self.socket.settimeout(20)
            try:
                data = self.socket.recv(1 << 18)
            except (BlockingIOError, ssl.SSLWantReadError):
                continue
            except OSError:
                return result
            if not data:
                return result
            for event in self.connection.receive_data(data):
                if getattr(event, "stream_id", 0) not in (0, stream):
                    continue
                if isinstance(event, h2.events.InformationalResponseReceived):
                    result.interim.append(int(dict(event.headers)[b":status"]))
                elif isinstance(event, h2.events.ResponseReceived):
                    result.fields = {n.decode(): v.decode() for n, v in event.headers}
                    result.status = int(result.fields[":status"])
                elif isinstance(event, h2.events.DataReceived):
                    result.body += event.data
                    self.connection.acknowledge_received_data(event.flow_controlled_length, stream)
                    if leave_after is not None and len(result.body) >= leave_after:
                        self.connection.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
                        self.flush()
                        return result
                elif isinstance(event, h2.events.TrailersReceived):
                    result.trailers = {n.decode(): v.decode() for n, v in event.headers}
                elif isinstance(event, h2.events.StreamEnded):
                    result.is_whole = True
                    self.flush()
                    return result
                elif isinstance(event, h2.events.StreamReset):
                    return result
            self.flush()

    def close(self):
        self.socket.close()


def wrong(result, upstream, size, sent, trailers=""):
    """The fault of an answer to /echo, or nothing."""
    if result.status != 200 or not result.is_whole:
        return f"status {result.status}, whole: {result.is_whole}, {bytes(result.body[:200])!r}"
    if result.fields.get("x-version") != upstream:
        return f"upstream spoke {result.fields.get('x-version')}"
    if result.body != made(size):
        return f"{len(result.body)} bytes of {size}, or others"
    got = f"{len(sent)} {hashlib.sha256(sent).hexdigest()} {trailers}".strip()
    if result.fields.get("x-got") != got:
        return f"the upstream got {result.fields.get('x-got')}, not {got}"
    return None


def framings(ask, upstream, base, faults, name):
    for label, size in SIZES.items():
        body = made(size)
        for framing in ("length", "chunked", "none"):
            if framing == "none":
                result = ask("GET", f"{base}/echo?size={size}&framing=chunked", None, "none")
                fault = wrong(result, upstream, size, b"")
            else:
                result = ask("POST", f"{base}/echo?size={size}&framing={framing}", body, framing)
                fault = wrong(result, upstream, size, body)
            faults[f"{name}, {framing}, {label}"] = fault


def behaviours(make, upstream, base, faults, name):
    connection = make()
    ask = connection.ask
    result = ask("GET", f"{base}/sse", None, "none")
    events = b"".join(b"data: %d\n\n" % number for number in range(10))
    faults[f"{name}, SSE"] = None if result.body == events and result.is_whole else f"{bytes(result.body)!r}"
    result = ask("GET", f"{base}/trailers", None, "none", fields=[("te", "trailers")])
    faults[f"{name}, trailers of an answer"] = None if result.trailers == {"x-sum": "42"} and result.is_whole else f"{result.trailers}"
    result = ask("POST", f"{base}/echo?size=3", b"abc", "chunked", trailers=[("x-mark", "7")])
    faults[f"{name}, trailers of a request"] = wrong(result, upstream, 3, b"abc", "x-mark=7")
    result = ask("HEAD", f"{base}/echo?size=65536", None, "none")
    told = result.fields.get("content-length")
    faults[f"{name}, HEAD"] = None if result.is_whole and not result.body and told == "65536" else f"{told}, {len(result.body)} bytes"
    for status in (204, 304):
        result = ask("GET", f"{base}/{status}", None, "none")
        faults[f"{name}, {status}"] = None if result.status == status and result.is_whole and not result.body else f"{result.status}"
    result = ask("GET", f"{base}/hints", None, "none")
    faults[f"{name}, 103"] = None if result.interim == [103] and result.status == 200 and result.is_whole else f"{result.interim} {result.status}"
    result = ask("POST", f"{base}/echo?size=3", b"abc", "length", fields=[("expect", "100-continue")])
    faults[f"{name}, 100"] = wrong(result, upstream, 3, b"abc") or (None if 100 in result.interim else "no 100")
    result = ask("GET", f"{base}/echo?size=5", None, "none")
    faults[f"{name}, the next request"] = wrong(result, upstream, 5, b"")
    connection.close()
    connection = make()
    result = connection.ask("POST", f"{base}/early", made(4 << 20), "length")
    faults[f"{name}, early answer"] = None if result.status == 200 and bytes(result.body) == made(3) else f"{result.status} {len(result.body)}"
    connection.close()
    connection = make()
    result = connection.ask("GET", f"{base}/abort", None, "none")
    fault = None if result.status == 200 and not result.is_whole and len(result.body) <= 1000 else f"{result.status}, whole: {result.is_whole}"
    faults[f"{name}, upstream abort"] = fault
    connection.close()
    connection = make()
    before = count(base, "aborted")
    connection.ask("GET", f"{base}/echo?size={20 << 20}&framing=chunked", None, "none", leave_after=100_000)
    if isinstance(connection, H1):
        connection.close()
    began = time.monotonic()
    while count(base, "aborted") == before and time.monotonic() - began < 2:
        time.sleep(0.01)
    seconds = time.monotonic() - began
    # The upstream of HTTP/1.1 notices a client that left only when it writes.
    faults[f"{name}, client abort"] = None if upstream == "h1" or seconds < 0.5 else f"the upstream knows nothing after {seconds:.1f} s"
    connection.close()


def count(base, name):
    connection = H1("h1")
    result = connection.ask("GET", f"{base}/count", None, "none")
    connection.close()
    return int(dict(pair.split("=") for pair in bytes(result.body).decode().split())[name])


def many(base, faults):
    """40 requests that wait at a time are carried by two connections; a refused stream is asked for again; GOAWAY moves on."""
    before = count(base, "connections")
    connection = H2("h2c")
    streams = {}
    for _ in range(40):
        stream = connection.connection.get_next_available_stream_id()
        connection.connection.send_headers(
            stream, [(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", f"{base}/wait")], end_stream=True)
        streams[stream] = None
    connection.flush()
    while None in streams.values():
        for event in connection.connection.receive_data(connection.socket.recv(65536)):
            if isinstance(event, h2.events.ResponseReceived):
                streams[event.stream_id] = dict(event.headers)[b":status"]
        connection.flush()
    more = count(base, "connections") - before
    good = set(streams.values()) == {b"200"}
    faults["40 at a time: all served, by at most one connection more"] = None if good and more <= 1 else f"{set(streams.values())}, {more} more"
    connection.close()
    connection = H1("h1")
    result = connection.ask("GET", f"{base}/refuse", None, "none")
    faults["a stream that was refused is asked for again"] = None if result.status == 200 else f"{result.status} {bytes(result.body)!r}"
    first = connection.ask("GET", f"{base}/goaway", None, "none")
    second = connection.ask("GET", f"{base}/echo?size=9", None, "none")
    fault = None if first.status == 200 and first.is_whole else f"{first.status}"
    faults["GOAWAY: what was under way ends, the next request goes elsewhere"] = fault or wrong(second, "h2", 9, b"")
    connection.close()


def main():
    faults = {}
    for kind, make in (("h1", H1), ("h2c", H2), ("h2 TLS", H2)):
        for upstream, base in (("h1", "/old"), ("h2", "/new")):
            name = f"{kind} to {upstream}"
            connection = make(kind)
            framings(connection.ask, upstream, base, faults, name)
            connection.close()
            behaviours(lambda: make(kind), upstream, base, faults, name)
    many("/new", faults)
    json.dump(faults, sys.stdout)


main()
