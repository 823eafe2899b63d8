"""WebSockets through the proxy: the same result as direct with a library that no one here wrote, the OpenAI SDK's realtime client, the codex binary."""

import asyncio
import glob
import json
import os
import subprocess
import sys
import threading
import time

from harness import Proxy, Unavailable, check, environment, main, temporary_folder, write_store

SIZES = [0, 1, 125, 126, 65535, 65536, 1 << 20, 8 << 20]
KEY = "sk-websocket-of-the-profile"


class Provider:
    """A WebSocket server in a thread: `/v1/echo` answers what comes, `/v1/realtime` and `/v1/responses` play OpenAI's parts."""

    def __init__(self):
        self.seen = []
        self.closed = []
        started = threading.Event()
        threading.Thread(target=self._run, args=(started,), daemon=True).start()
        started.wait(10)

    def _run(self, started):
        from websockets.asyncio.server import serve

        async def forever():
            async with serve(self._play, "127.0.0.1", 0, max_size=None, select_subprotocol=self._choose) as server:
                self.port = server.sockets[0].getsockname()[1]
                started.set()
                await asyncio.get_running_loop().create_future()

        asyncio.run(forever())

    @staticmethod
    def _choose(connection, offered):
        return next((name for name in offered if name in ("realtime", "chat")), None)

    async def _play(self, connection):
        path = connection.request.path.split("?")[0]
        self.seen.append((path, dict(connection.request.headers)))
        try:
            if path.endswith("/echo"):
                async for message in connection:
                    await connection.send(message)
            elif path.endswith("/realtime"):
                await connection.send(json.dumps({"type": "session.created", "event_id": "e1", "session": {"type": "realtime", "model": "m"}}))
                async for message in connection:
                    await connection.send(json.dumps({"type": "response.done", "event_id": "e2", "response": {"id": "r", "status": "completed"}}))
            else:
                async for message in connection:
                    await self._respond(connection, json.loads(message))
        except Exception:  # noqa: BLE001  a client that vanishes is normal
            pass
        self.closed.append((path, connection.close_code, time.monotonic()))

    async def _respond(self, connection, request):
        if request.get("type") != "response.create":
            return
        response = {"id": "resp_1", "object": "response", "status": "in_progress", "model": "m", "output": []}
        item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": "Hello over the socket.", "annotations": []}]}
        spoken = request.get("generate") is not False
        usage = {"input_tokens": 1, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 1,
                 "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 2}
        events = [{"type": "response.created", "response": response}]
        if spoken:
            events += [{"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": [], "status": "in_progress"}},
                       {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "Hello over the socket."},
                       {"type": "response.output_item.done", "output_index": 0, "item": item}]
        events.append({"type": "response.completed", "response": {**response, "status": "completed", "output": [item] if spoken else [], "usage": usage}})
        for number, event in enumerate(events):
            await connection.send(json.dumps({**event, "sequence_number": number}))


async def conversation(url):
    """What a careful client sees: echoes of all sizes and kinds, fragments, pings, compression, close codes."""
    from websockets.asyncio.client import connect

    results = []
    for compression in (None, "deflate"):
        async with connect(url, compression=compression, max_size=None, subprotocols=["chat"]) as socket:
            results.append(("subprotocol", socket.subprotocol))
            for size in SIZES:
                for message in (os.urandom(size), "é" * size):
                    await socket.send(message)
                    results.append((compression, size, type(message).__name__, await socket.recv() == message))

            async def pieces():
                for piece in ("one ", "two ", "three"):
                    yield piece
            await socket.send(pieces())
            results.append(("fragments", await socket.recv()))
            await asyncio.wait_for(await socket.ping(), 5)
            burst = [f"message {n}" for n in range(2000)]
            sender = asyncio.create_task(send_all(socket, burst))
            results.append(("burst", [await socket.recv() for _ in burst] == burst))
            await sender
            await socket.close(4321, "done")
            results.append(("close", socket.close_code, socket.close_reason))
    return results


async def send_all(socket, messages):
    for message in messages:
        await socket.send(message)


def the_same_as_direct(provider, proxy):
    direct = asyncio.run(conversation(f"ws://127.0.0.1:{provider.port}/v1/echo"))
    through = asyncio.run(conversation(f"ws://127.0.0.1:{proxy.port}/openai/v1/echo"))
    check(direct == through, "a library's conversation goes through the proxy as it goes direct", f"{len(through)} results", "equal")
    check(all(r[-1] is True for r in through if r[0] in (None, "deflate")), "messages of 0 B to 8 MiB come back as they were")
    headers = [h for path, h in provider.seen if path == "/v1/echo"]
    check(headers[-1].get("authorization", headers[-1].get("Authorization")) == f"Bearer {KEY}", "the handshake has the profile's credential")


def many(provider, proxy):
    """Side by side, and a client that vanishes."""
    from websockets.asyncio.client import connect

    async def one(number):
        async with connect(f"ws://127.0.0.1:{proxy.port}/openai/v1/echo") as socket:
            for turn in range(20):
                await socket.send(f"{number}.{turn}")
                if await socket.recv() != f"{number}.{turn}":
                    return False
                await asyncio.sleep(0.01)
        return True

    async def all_of_them():
        return await asyncio.gather(*(one(number) for number in range(200)))

    check(all(asyncio.run(all_of_them())), "200 sockets side by side, 20 messages each")

    async def vanish():
        socket = await connect(f"ws://127.0.0.1:{proxy.port}/openai/v1/echo")
        await socket.send("x")
        await socket.recv()
        before = len(provider.closed)
        at = time.monotonic()
        socket.transport.abort()
        while len(provider.closed) == before and time.monotonic() < at + 5:
            await asyncio.sleep(0.001)
        return (provider.closed[-1][2] - at) * 1000 if len(provider.closed) > before else None

    took = asyncio.run(vanish())
    check(took is not None and took < 50, "a client that vanishes ends the provider's connection", f"{took and round(took, 1)} ms", "50 ms")


REALTIME = """
import asyncio, sys
from openai import AsyncOpenAI
async def go():
    client = AsyncOpenAI(base_url=sys.argv[1], api_key="dummy", websocket_base_url=sys.argv[2])
    async with client.realtime.connect(model="m") as connection:
        first = await connection.recv()
        await connection.response.create()
        second = await connection.recv()
        print(first.type, second.type)
asyncio.run(go())
"""


def realtime(provider, proxy, python):
    base = f"127.0.0.1:{proxy.port}/openai/v1"
    run = subprocess.run([python, "-c", REALTIME, f"http://{base}", f"ws://{base}"], capture_output=True, text=True, timeout=60)
    check(run.stdout.split() == ["session.created", "response.done"], "the OpenAI SDK's realtime client", (run.stdout or run.stderr).strip()[-100:])


def codex(provider, proxy, python):
    """The real binary, which speaks WebSocket first; started with nothing but a custom provider."""
    found = glob.glob(os.path.join(os.path.dirname(python), "../lib/python*/site-packages/codex_cli_bin/bin/codex"))
    if not found:
        raise Unavailable("the codex binary is not in the wheel")
    home = temporary_folder()
    work = temporary_folder()
    with open(os.path.join(home, "config.toml"), "w") as file:
        file.write(f"""model = "gpt-5"
model_provider = "kb"
[model_providers.kb]
name = "kb"
base_url = "http://127.0.0.1:{proxy.port}/openai/v1"
env_key = "KB_KEY"
wire_api = "responses"
supports_websockets = true
""")
    provider.seen.clear()
    run = subprocess.run(
        [found[0], "exec", "--skip-git-repo-check", "-C", work, "say hello"], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "HOME": home, "CODEX_HOME": home, "KB_KEY": "dummy", "NO_PROXY": "*"})
    paths = [path for path, _ in provider.seen]
    check("Hello over the socket." in run.stdout, "the codex binary finishes a turn over WebSocket", (run.stdout + run.stderr).strip()[-160:])
    check("/v1/responses" in paths, "and it was a WebSocket", paths)
    tokens = {h.get("authorization", h.get("Authorization")) for _, h in provider.seen}
    check(tokens == {f"Bearer {KEY}"}, "with the profile's credential alone", len(tokens), "1")


def sys_prefix_of(python):
    """The folder of the virtual environment that this Python is of."""
    return os.path.dirname(os.path.dirname(python))


def suite():
    python = environment("websocket", ["websockets>=14", "openai[realtime]", "openai-codex-cli-bin"])
    if sys_prefix_of(python) != sys.prefix:
        # The rest needs the library: once more, with that Python.
        os.execve(python, [python, "-B", *sys.argv], {**os.environ, "KEYBEARER_VENV": os.path.dirname(sys_prefix_of(python))})
    provider = Provider()
    state = os.path.join(temporary_folder(), "state")
    os.makedirs(os.path.join(state, "agents/main/agent"))
    write_store(state, {"openai:default": {"type": "api_key", "provider": "openai", "key": KEY}})
    with open(os.path.join(state, "keybearer.json5"), "w") as file:
        file.write(f'{{ providers: {{ openai: {{ baseURL: "http://127.0.0.1:{provider.port}" }} }} }}')
    with Proxy(state) as proxy:
        the_same_as_direct(provider, proxy)
        many(provider, proxy)
        realtime(provider, proxy, sys.executable)
        codex(provider, proxy, sys.executable)
        log = open(os.path.join(state, "logs/access.jsonl")).read() if os.path.exists(os.path.join(state, "logs/access.jsonl")) else ""
        check(KEY not in log + proxy.output(), "no log has the key")


main(suite)
