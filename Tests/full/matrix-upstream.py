"""A provider over TLS that speaks HTTP/2 and HTTP/1.1, as the client chooses by ALPN: by the packages h2 and h11.

    matrix-upstream.py CERTIFICATE KEY STREAMS

Prints its port, and that of the same over HTTP/1.1 in clear. The path says what to do: /echo?size=N&framing=length|chunked, /sse, /trailers, /hints, /early, /abort, /204, /304, /refuse,
/goaway, /count, and of event streams /recorded?id=N&split=BYTES (of the file STREAMS), /ticks?n=N (each tells its time), /hold (until the
client leaves), /silent (no answer, not even to a PING). An answer's body is made of its size alone; `x-got` is the length and SHA-256 of what
came, `x-version` the version spoken.
"""
import asyncio
import base64
import hashlib
import json
import ssl
import sys
import time
import urllib.parse

import h11
import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
import hyperframe.frame

counts = {"connections": 0, "aborted": 0, "refused": 0, "peak": 0, "open": 0, "left": 0}
STREAM_KINDS = ("sse", "recorded", "ticks", "hold")


def made(size):
    """The bytes of an answer of that size."""
    return (b"0123456789abcdef" * (size // 16 + 1))[:size]


def recorded(number):
    """An event stream that somebody else has recorded."""
    with open(sys.argv[3]) as file:
        return base64.b64decode(json.loads(file.readlines()[number])["b64"])


class Answer:
    """What one request is answered with, whatever the version."""

    def __init__(self, target, got):
        url = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(url.query))
        self.kind = url.path.rsplit("/", 1)[-1]
        self.size = int(query.get("size", 3))
        self.framing = query.get("framing", "length")
        self.query = query
        self.got = got
        self.status = int(self.kind) if self.kind in ("204", "304") else 200

    def fields(self, version):
        fields = [("x-version", version), ("x-got", self.got), ("content-type", "text/event-stream" if self.kind in STREAM_KINDS else "text/plain")]
        if self.kind == "304":
            fields.append(("etag", '"a"'))
        if self.framing == "length" and self.kind in ("echo", "early", "count"):
            fields.append(("content-length", str(len(self.body()))))
        if self.kind == "abort":
            fields.append(("content-length", "1000000"))
        return fields

    async def events(self):
        """The pieces of an event stream, at their times; each is to be on the wire before the next is asked for."""
        if self.kind == "sse":
            for number in range(10):
                yield b"data: %d\n\n" % number
                await asyncio.sleep(0.02)
        elif self.kind == "recorded":
            whole, split = recorded(int(self.query["id"])), int(self.query["split"])
            for at in range(0, len(whole), split):
                yield whole[at:at + split]
                await asyncio.sleep(0)
        elif self.kind == "ticks":
            for _ in range(int(self.query["n"])):
                yield b"data: %d\n\n" % time.monotonic_ns()
                await asyncio.sleep(0.005)
        else:
            yield b"data: held\n\n"
            await asyncio.sleep(30)

    def body(self):
        if self.kind == "count":
            return " ".join(f"{name}={number}" for name, number in sorted(counts.items())).encode()
        return b"" if self.status != 200 else made(self.size)


async def serve_h1(reader, writer):
    connection = h11.Connection(h11.SERVER)
    digest, length, request = hashlib.sha256(), 0, None

    async def send(event):
        writer.write(connection.send(event))
        await writer.drain()

    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            if connection.they_are_waiting_for_100_continue:
                await send(h11.InformationalResponse(status_code=100, headers=[]))
            data = await reader.read(65536)
            if not data and request is not None:
                counts["aborted"] += 1
                return
            connection.receive_data(data)
        elif isinstance(event, h11.Request):
            request, digest, length = event, hashlib.sha256(), 0
            if event.target.endswith(b"/early"):
                await answer_h1(connection, send, reader, writer, event, "0")
                return
        elif isinstance(event, h11.Data):
            digest.update(event.data)
            length += len(event.data)
        elif isinstance(event, h11.EndOfMessage):
            sums = ",".join(name.decode() + "=" + value.decode() for name, value in event.headers)
            alive = await answer_h1(connection, send, reader, writer, request, f"{length} {digest.hexdigest()} {sums}".strip())
            if not alive:
                return
            request = None
            connection.start_next_cycle()
        elif event is h11.PAUSED:
            return
        else:
            return


async def answer_h1(connection, send, reader, writer, request, got):
    answer = Answer(request.target.decode(), got)
    fields = answer.fields("h1")
    if answer.kind == "wait":
        await asyncio.sleep(0.5)
    if answer.kind == "hints":
        await send(h11.InformationalResponse(status_code=103, headers=[("link", "</a>")], reason=b"Early Hints"))
    trailers = []
    if answer.kind == "trailers":
        trailers = [("x-sum", "42")]
    if request.target.endswith(b"/early"):
        fields.append(("connection", "close"))
    await send(h11.Response(status_code=answer.status, headers=fields, reason=b"Fine"))
    if request.method == b"HEAD":
        await send(h11.EndOfMessage())
        return True
    if answer.kind in STREAM_KINDS:
        left = asyncio.ensure_future(reader.read(1)) if answer.kind == "hold" else None
        async for piece in answer.events():
            await send(h11.Data(data=piece))
            if left:
                await left
                counts["left"] = time.monotonic_ns()
                return False
    elif answer.kind == "abort":
        await send(h11.Data(data=made(1000)))
        writer.transport.abort()
        return False
    else:
        body = answer.body()
        for at in range(0, len(body), 65536):
            await send(h11.Data(data=body[at:at + 65536]))
    await send(h11.EndOfMessage(headers=trailers))
    if request.target.endswith(b"/early"):
        await asyncio.sleep(0.3)
        return False
    return connection.our_state is h11.DONE


class H2:
    """One HTTP/2 connection."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self.streams = {}
        self.windows = asyncio.Event()
        self.leaving = self.silent = False

    async def flush(self):
        self.writer.write(self.connection.data_to_send())
        await self.writer.drain()

    async def run(self):
        self.connection.initiate_connection()
        self.connection.update_settings({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 100})
        await self.flush()
        while data := await self.reader.read(65536):
            if self.silent:
                continue
            for event in self.connection.receive_data(data):
                await self.on(event)
            await self.flush()
            if self.leaving and not self.streams:
                return

    async def on(self, event):
        if isinstance(event, h2.events.RequestReceived):
            fields = {name.decode(): value.decode() for name, value in event.headers}
            assert fields[":scheme"] == "https" and ":authority" in fields and "host" not in fields, fields
            self.streams[event.stream_id] = [fields, hashlib.sha256(), 0, ""]
            counts["open"] += 1
            counts["peak"] = max(counts["peak"], counts["open"])
            kind = fields[":path"].rsplit("/", 1)[-1]
            if kind == "refuse" and counts["refused"] < 1:
                counts["refused"] += 1
                self.connection.reset_stream(event.stream_id, h2.errors.ErrorCodes.REFUSED_STREAM)
                self.done(event.stream_id)
            elif kind == "silent":
                self.silent = True
            elif kind == "early":
                asyncio.ensure_future(self.answer(event.stream_id, "0"))
            elif kind == "goaway":
                self.leaving = True
                # As a frame of our own: the package would answer nothing more.
                self.writer.write(hyperframe.frame.GoAwayFrame(0, last_stream_id=event.stream_id).serialize())
        elif isinstance(event, h2.events.DataReceived):
            if state := self.streams.get(event.stream_id):
                state[1].update(event.data)
                state[2] += len(event.data)
            self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            if state := self.streams.get(event.stream_id):
                state[3] = ",".join(name.decode() + "=" + value.decode() for name, value in event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            if state := self.streams.get(event.stream_id):
                if not state[0][":path"].endswith(("/early", "/silent")):
                    asyncio.ensure_future(self.answer(event.stream_id, f"{state[2]} {state[1].hexdigest()} {state[3]}".strip()))
        elif isinstance(event, h2.events.StreamReset):
            if self.done(event.stream_id):
                counts["aborted"] += 1
                counts["left"] = time.monotonic_ns()
            self.windows.set()
        elif isinstance(event, (h2.events.WindowUpdated, h2.events.RemoteSettingsChanged)):
            self.windows.set()

    def done(self, stream):
        if self.streams.pop(stream, None):
            counts["open"] -= 1
            return True
        return False

    async def answer(self, stream, got):
        try:
            await self.write(stream, got)
        except (h2.exceptions.ProtocolError, ConnectionError, KeyError):
            pass  # it was reset meanwhile
        self.done(stream)

    async def write(self, stream, got):
        fields = self.streams[stream][0]
        answer = Answer(fields[":path"], got)
        if answer.kind == "hints":
            self.connection.send_headers(stream, [(":status", "103"), ("link", "</a>")])
        head = [(":status", str(answer.status)), *answer.fields("h2")]
        if answer.kind == "wait":
            await asyncio.sleep(0.5)
        if fields[":method"] == "HEAD" or answer.status != 200:
            self.connection.send_headers(stream, head, end_stream=True)
            return await self.flush()
        self.connection.send_headers(stream, head)
        await self.flush()
        if answer.kind in STREAM_KINDS:
            async for piece in answer.events():
                await self.data(stream, piece)
            self.connection.end_stream(stream)
        elif answer.kind == "abort":
            await self.data(stream, made(1000))
            self.connection.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)
        else:
            await self.data(stream, answer.body())
            if answer.kind == "trailers":
                self.connection.send_headers(stream, [("x-sum", "42")], end_stream=True)
            else:
                self.connection.end_stream(stream)
        await self.flush()

    async def data(self, stream, data):
        view = memoryview(data)
        while view:
            room = min(self.connection.local_flow_control_window(stream), self.connection.max_outbound_frame_size)
            if room <= 0:
                self.windows.clear()
                await self.windows.wait()
                if stream not in self.streams:
                    raise h2.exceptions.ProtocolError("reset")
                continue
            self.connection.send_data(stream, bytes(view[:room]))
            view = view[room:]
            await self.flush()


async def serve(reader, writer):
    counts["connections"] += 1
    try:
        secured = writer.get_extra_info("ssl_object")
        if secured and secured.selected_alpn_protocol() == "h2":
            await H2(reader, writer).run()
        else:
            await serve_h1(reader, writer)
    except (ConnectionError, h2.exceptions.ProtocolError, h11.RemoteProtocolError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def main():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    context.set_alpn_protocols(["h2", "http/1.1"])
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    clear = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], clear.sockets[0].getsockname()[1], flush=True)
    await asyncio.gather(server.serve_forever(), clear.serve_forever())


asyncio.run(main())
