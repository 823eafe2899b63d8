"""Requests of every kind through a proxy, by the packages h2 and h11, and what is wrong with the answers.

    matrix-client.py PLAIN_PORT TLS_PORT CA STREAMS PID PROVIDER_PORT PROVIDER_CA

Prints a JSON object: what was tried, by name, and the fault or null.
"""
import base64
import hashlib
import json
import re
import socket
import ssl
import sys
import time

import h11
import h2.config
import h2.connection
import h2.errors
import h2.events

PLAIN, TLS, CA, STREAMS, PID = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])
PROVIDER, PROVIDER_CA = int(sys.argv[6]), sys.argv[7]
SIZES = {"0 B": 0, "1 B": 1, "64 KiB": 65536, "20 MiB": 20 << 20}


def made(size):
    return (b"0123456789abcdef" * (size // 16 + 1))[:size]


def dial(kind):
    """A connection to the proxy; or, for `direct h1` and `direct h2`, to the provider itself."""
    is_direct = kind.startswith("direct")
    raw = socket.create_connection(("127.0.0.1", PROVIDER if is_direct else TLS if kind == "h2 TLS" else PLAIN), 20)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not is_direct and kind != "h2 TLS":
        return raw
    wanted = "http/1.1" if kind == "direct h1" else "h2"
    context = ssl.create_default_context(cafile=PROVIDER_CA if is_direct else CA)
    context.set_alpn_protocols([wanted])
    wrapped = context.wrap_socket(raw, server_hostname="localhost")
    assert wrapped.selected_alpn_protocol() == wanted
    return wrapped


class Result:
    """What came back."""

    def __init__(self):
        self.status, self.fields, self.body, self.trailers, self.interim, self.is_whole = None, {}, bytearray(), {}, [], False
        # Nanoseconds at which pieces of the body came, and how long it was then.
        self.times = []


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
                    result.times.append((time.monotonic_ns(), len(result.body)))
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
        self.patience = 20
        self.scheme = "https" if kind.startswith("direct") else "http"
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.connection.initiate_connection()
        self.connection.update_settings({4: 1 << 20})
        self.flush()

    def flush(self):
        self.socket.sendall(self.connection.data_to_send())

    def ask(self, method, path, body=None, framing="length", fields=(), trailers=(), leave_after=None):
        stream = self.connection.get_next_available_stream_id()
        head = [(":method", method), (":scheme", self.scheme), (":authority", "localhost"), (":path", path), *fields]
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
                    self.socket.settimeout(self.patience)
                else:
                    self.socket.settimeout(self.patience)
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
                    result.times.append((time.monotonic_ns(), len(result.body)))
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


DIRECT = {"h1": H1, "h2": H2}


def ways(make, path):
    """How late the 500 events of /ticks are, in milliseconds, sorted: from the provider's write to our read, on one clock."""
    connection = make()
    result = connection.ask("GET", path, None, "none")
    connection.close()
    late, times = [], iter(result.times)
    came, reaches = next(times)
    for event in re.finditer(rb"data: (\d+)\n\n", bytes(result.body)):
        while reaches < event.end():
            came, reaches = next(times)
        late.append((came - int(event[1])) / 1e6)
    assert len(late) == 500, len(late)
    return sorted(late)


def streams(make, upstream, base, faults, name):
    """Event streams that others have recorded, in small pieces; how late an event is; how soon the provider learns that nobody reads on."""
    with open(STREAMS) as file:
        corpus = [base64.b64decode(json.loads(line)["b64"]) for line in file]
    for split in (1, 7):
        connection = make()
        wrong = []
        for number, whole in enumerate(corpus):
            result = connection.ask("GET", f"{base}/recorded?id={number}&split={split}", None, "none")
            if not result.is_whole or bytes(result.body) != whole:
                wrong.append(number)
        faults[f"{name}, {len(corpus)} recorded event streams in pieces of {split}"] = f"not the same: {wrong}" if wrong else None
        connection.close()
    late, direct = ways(make, f"{base}/ticks?n=500"), ways(lambda: DIRECT[upstream](f"direct {upstream}"), "/ticks?n=500")
    figure = f"median {late[250]:.3f} ms, p99 {late[494]:.3f} ms; without the proxy {direct[250]:.3f} and {direct[494]:.3f} ms"
    faults[f"{name}, an event's way: {figure} (bar: p99 under 1 ms more)"] = None if late[494] < direct[494] + 1 else "too late"
    delays = []
    for _ in range(10):
        connection = make()
        connection.ask("GET", f"{base}/hold", None, "none", leave_after=5)
        if isinstance(connection, H1):
            connection.close()
        left = time.monotonic_ns()
        time.sleep(0.1)
        delays.append((count(base, "left") - left) / 1e6)
        connection.close()
    faults[f"{name}, the provider learns that the client has left after {max(delays):.1f} ms at most (bar: 50 ms)"] = (
        None if max(delays) < 50 and min(delays) > -1 else f"{delays}")


def resident():
    with open(f"/proc/{PID}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])


def hundred(connection, path):
    """A hundred requests at a time."""
    streams = []
    for _ in range(100):
        streams.append(connection.connection.get_next_available_stream_id())
        connection.connection.send_headers(
            streams[-1], [(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", path)], end_stream=True)
    connection.flush()
    return streams


def closed_windows(upstream, base, bar, faults):
    """A hundred answers of 20 MB to a client that opens no window: the provider is held up, and little is held for it."""
    connection = H2("h2c")
    # The connections to the provider are not of the answers.
    left = set(hundred(connection, f"{base}/wait"))
    while left:
        for event in connection.connection.receive_data(connection.socket.recv(65536)):
            if isinstance(event, h2.events.StreamEnded):
                left.discard(event.stream_id)
        connection.flush()
    connection.connection.update_settings({4: 0})
    before, streams = resident(), hundred(connection, f"{base}/echo?size={20 << 20}&framing=chunked")
    answered, until = set(), time.monotonic() + 60
    connection.socket.settimeout(0.5)
    while time.monotonic() < until:
        try:
            for event in connection.connection.receive_data(connection.socket.recv(65536)):
                if isinstance(event, h2.events.ResponseReceived):
                    answered.add(event.stream_id)
                    if len(answered) == len(streams):
                        until = time.monotonic() + 2  # what would come, has come
        except TimeoutError:
            pass
        connection.flush()
    growth = resident() - before
    name = f"{len(answered)} answers of 20 MB from {upstream} into closed windows: memory grows by {growth} KiB (bar: {bar} KiB)"
    faults[name] = None if growth < bar and len(answered) == 100 else "too much"
    connection.close()


def silence(base, faults):
    """A provider that says nothing any more, not even to a PING, is given up (30 s, then 15 s more)."""
    connection = H2("h2c")
    connection.patience = 70
    began = time.monotonic()
    result = connection.ask("POST", f"{base}/silent", b"a POST is not sent again", "length")
    seconds = time.monotonic() - began
    faults[f"a silent provider of HTTP/2 is asked by PING and given up after {seconds:.0f} s"] = (
        None if result.status == 502 and 40 < seconds < 55 else f"{result.status} {bytes(result.body)!r}")
    result = connection.ask("GET", f"{base}/echo?size=7", None, "none")
    faults["and the next request goes elsewhere"] = wrong(result, "h2", 7, b"")
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
            streams(lambda: make(kind), upstream, base, faults, name)
    many("/new", faults)
    # Over TLS a record of 16 KiB has to be here as a whole before the first of its bytes can be used, on each of a hundred connections.
    for upstream, base, bar in (("h1 in clear", "/clear", 2048), ("h1", "/old", 4096), ("h2", "/new", 2048)):
        closed_windows(upstream, base, bar, faults)
    silence("/new", faults)
    json.dump(faults, sys.stdout)


main()
