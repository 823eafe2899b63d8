"""When a request goes to another profile: every row of DESIGN §8 with bodies of every size, chunked and not; a restart; a file cleared by command."""

import contextlib
import http.server
import json
import os
import subprocess
import threading
import time

from harness import BINARY, Proxy, check, clean_environment, eventually, main, read, temporary_folder, write_store

KIB, MIB = 1 << 10, 1 << 20
SIZES = {"0 B": 0, "4 KiB": 4 * KIB, "31 MiB": 31 * MIB, "33 MiB": 33 * MIB}
ERROR = '{"error":{"message":"m","type":"t","code":"%s"}}'

# What the first profile is answered, and whether another one may then be asked.
ROWS = {
    "401 of a key": (401, {}, ERROR % "invalid_api_key", True),
    "402": (402, {}, "pay", True),
    "403 by code": (403, {}, ERROR % "billing_not_active", True),
    "403 without": (403, {}, ERROR % "not_allowed", False),
    "404 by code": (404, {}, ERROR % "model_not_found", True),
    "404 without": (404, {}, ERROR % "not_found", False),
    "429": (429, {}, "slow", True),
    "529": (529, {}, "busy", True),
    "503 with Retry-After": (503, {"Retry-After": "5"}, "later", True),
    "503 without": (503, {}, "busy", False),
    "500": (500, {}, "oops", False),
    "cut before an answer": (0, {}, "", False),
}


class Provider:
    """A plain provider on loopback: the key `sk-one` is answered as told, every other one with the size of what was sent."""

    def __init__(self):
        self.refusal = (200, {}, "ok")
        self.asked = []
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                count, total = 0, 0
                if "chunked" in self.headers.get("Transfer-Encoding", ""):
                    while size := int(self.rfile.readline(), 16):
                        total += len(self.rfile.read(size))
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    count = int(self.headers.get("Content-Length", 0))
                    while total < count:
                        total += len(self.rfile.read(min(MIB, count - total)))
                key = self.headers.get("Authorization", "").removeprefix("Bearer ")
                passed = tuple((name.lower(), value) for name, value in self.headers.items() if name.lower() != "authorization")
                provider.asked.append((key, total, passed))
                status, fields, body = provider.refusal if key == "sk-one" else (200, {}, str(total))
                if status == 0:
                    self.connection.close()
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            do_GET = do_POST

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128  # with the usual 5, forty at once lose connections that no proxy may repeat

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


def stage(provider, extra=""):
    folder = os.path.join(temporary_folder(), "state")
    for path in ("", "agents", "agents/main", "agents/main/agent"):
        os.mkdir(os.path.join(folder, path), mode=0o700)
    write_store(folder, {name: {"type": "api_key", "provider": "openai", "key": key} for name, key in (("openai:one", "sk-one"), ("openai:two", "sk-two"))})
    config = os.path.join(os.path.dirname(folder), "settings.json5")
    with open(config, "w") as file:
        file.write("{ %s providers: { openai: { baseURL: '%s' } } }" % (extra, provider.url))
    return folder, config


def command(state, config, *arguments):
    done = subprocess.run(
        [BINARY, *arguments, "--state-dir", state, "--config", config], capture_output=True, text=True, env=clean_environment(), timeout=60)
    return done.returncode, done.stdout + done.stderr


def send(proxy, size, chunked):
    """Status, profile, reason and body of a POST with `size` octets."""
    with contextlib.closing(proxy.connect(timeout=120)) as connection:
        head = "POST /openai/v1/responses HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Trace: t-1\r\n"
        block = b"x" * MIB
        try:
            if chunked:
                connection.sendall((head + "Transfer-Encoding: chunked\r\n\r\n").encode())
                left = size
                while left > 0:
                    piece = block[: min(left, MIB)]
                    connection.sendall(b"%x\r\n" % len(piece) + piece + b"\r\n")
                    left -= len(piece)
                connection.sendall(b"0\r\n\r\n")
            else:
                connection.sendall((head + f"Content-Length: {size}\r\n\r\n").encode())
                for start in range(0, size, MIB):
                    connection.sendall(block[: min(MIB, size - start)])
        except OSError:
            pass  # answered before all was sent
        answer = b""
        with contextlib.suppress(OSError):
            while piece := connection.recv(65536):
                answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    fields = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:] if ":" in line)}
    return int(lines[0].split(" ")[1]), fields.get("keybearer-profile"), fields.get("keybearer-reason"), body


def rows():
    provider = Provider()
    state, config = stage(provider)
    with Proxy(state, config=config) as proxy:
        for row, (status, fields, body, moves) in ROWS.items():
            wrong = []
            for name, size in SIZES.items():
                for chunked in (False, True):
                    # The server writes what it has learned a quarter of a second later; what is cleared before would come back.
                    time.sleep(0.4)
                    command(state, config, "cooldown", "clear")
                    time.sleep(0.2)
                    provider.refusal = (status, fields, body)
                    provider.asked.clear()
                    kept = size <= (MIB if chunked else 32 * MIB)
                    got, profile, reason, text = send(proxy, size, chunked)
                    asked = [key for key, _, _ in provider.asked]
                    others = {fields for _, _, fields in provider.asked}
                    if moves and kept:
                        holds = (got, profile, reason, text) == (200, "openai:two", "failover", str(size).encode())
                        holds = holds and asked == ["sk-one", "sk-two"] and {total for _, total, _ in provider.asked} == {size}
                        holds = holds and len(others) == 1 and ("x-trace", "t-1") in others.pop()
                    else:
                        holds = got == (status or 502) and asked == ["sk-one"] and (status == 0 or text == body.encode())
                    if not holds:
                        wrong.append(f"{name}{' chunked' if chunked else ''}: {got} {profile} {reason} {text[:60]} asked {asked}")
            sentence = "goes to the next profile with all its fields and the whole body, where that was kept" if moves else "is the client's, and nobody else is asked"
            check(not wrong, f"{row} {sentence}: 0 B, 4 KiB, 31 MiB, 33 MiB, chunked and not", "; ".join(wrong))


def restart():
    provider = Provider()
    state, config = stage(provider)
    provider.refusal = (429, {"Retry-After": "3600"}, "slow")
    with Proxy(state, config=config) as proxy:
        send(proxy, 4, False)
        path = ("agents", "main", "agent", "auth-state.json")
        eventually(lambda: os.path.exists(os.path.join(state, *path)) and "cooldownUntil" in read(state, *path))
    provider.refusal = (200, {}, "ok")
    with Proxy(state, config=config) as proxy:
        _, profile, reason, _ = send(proxy, 4, False)
        check((profile, reason) == ("openai:two", "cooldown"), "a rest survives a restart", f"{profile} {reason}")
        code, text = command(state, config, "cooldown", "list", "--json")
        rests = json.loads(text)["cooldowns"]
        check(
            code == 0 and [(rest["profileId"], rest["reason"], rest["kind"]) for rest in rests] == [("openai:one", "rate_limit", "cooldown")]
            and 3_500_000 < rests[0]["remainingMs"] <= 3_600_000,
            "`cooldown list` tells of it", text)
        _, text = command(state, config, "models", "status", "--json")
        unusable = [entry for entry in json.loads(text)["auth"]["unusableProfiles"] if entry["profileId"] == "openai:one"]
        check(len(unusable) == 1 and unusable[0]["kind"] == "cooldown" and unusable[0]["until"] > time.time() * 1000, "and so does `models status`")
        code, text = command(state, config, "cooldown", "clear", "openai:one")
        check(code == 0 and "openai:one" in text, "`cooldown clear` ends it", text)
        began = time.monotonic()
        returned = eventually(lambda: send(proxy, 4, False)[1] == "openai:one", within=5.0)
        check(returned is not False, "and a running server follows", f"{time.monotonic() - began:.2f} s")
        code, text = command(state, config, "cooldown", "clear", "openai:nobody")
        check(code == 1 and "openai:nobody" in text, "an unknown profile is named", text)


def shared():
    """Two servers on one store: what one learns, the other knows."""
    provider = Provider()
    state, config = stage(provider)
    provider.refusal = (429, {"Retry-After": "600"}, "slow")
    with Proxy(state, config=config) as one, Proxy(state, config=config) as other:
        send(one, 4, False)
        provider.asked.clear()
        time.sleep(1.5)
        _, profile, reason, _ = send(other, 4, False)
        check(
            (profile, reason, [key for key, _, _ in provider.asked]) == ("openai:two", "cooldown", ["sk-two"]),
            "a second server on the same store obeys the first one's rest", f"{profile} {reason} {provider.asked}")


def stampede():
    """Forty clients at a time, and the first profile is refused: the next one is not drowned, and nobody fails."""
    provider = Provider()
    state, config = stage(provider)
    provider.refusal = (429, {"Retry-After": "60"}, "slow")
    with Proxy(state, config=config) as proxy:
        results = []
        threads = [threading.Thread(target=lambda: results.append(send(proxy, 100, False)[0])) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        check(results.count(200) == 40, "forty requests at once survive the refusal of the first profile", f"{sorted(results)}")


def suite():
    restart()
    shared()
    stampede()
    rows()


main(suite)
