"""The readers of what strangers send, under libFuzzer and AddressSanitizer: heads, chunks, JSON, HTTP/2. Seeds are the corpora of the tests.

KEYBEARER_FUZZ_SECONDS is how long each of them is tried (ten minutes, else). An input that breaks a rule is kept and named.
"""

import base64
import json
import os
import re
import struct
import subprocess

from harness import Unavailable, check, main, temporary_folder, tool

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECONDS = int(os.environ.get("KEYBEARER_FUZZ_SECONDS", "600"))


def rows(path):
    with open(os.path.join(ROOT, "Tests", path)) as file:
        return [base64.b64decode(json.loads(line)["b64"]) for line in file]


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def connections(head):
    """What a peer may send, whose heads are `head`."""
    begin = frame(4, 0, 0)
    return [
        begin + frame(1, 5, 1, head),
        begin + frame(1, 4, 1, head) + frame(0, 0, 1, b"body") + frame(0, 1, 1, b"more"),
        begin + frame(1, 0, 3, head[:3]) + frame(9, 4, 3, head[3:]) + frame(8, 0, 0, struct.pack(">I", 1000)),
        begin + frame(1, 4, 1, head) + frame(1, 5, 1, b"\x40\x05x-sum\x011") + frame(7, 0, 0, bytes(8)),
        begin + frame(6, 0, 0, bytes(8)) + frame(3, 0, 1, bytes(4)) + frame(2, 0, 1, bytes(5)),
    ]


def seeds():
    http, text = rows("HTTPTests/Corpus/http1.jsonl"), rows("JSONTests/Corpus/json.jsonl")
    answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n", b"HTTP/1.0 404 Not Found\r\n\r\n",
               b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"]
    bodies = [whole.split(b"\r\n\r\n", 1)[1] for whole in http if b"\r\n\r\n" in whole]
    wanted = [b'{"model":"m","conversation":{"id":"c"},"input":[{"file_id":"f"}]}', b'{"mod\\u0065l":"a\\"b","a":"\\ud83d\\ude00"}']
    # :method GET or :status 200, :scheme http, :path /, :authority or a field.
    request, answer = b"\x82\x86\x84\x41\x09localhost", b"\x88\x5c\x014\x40\x03x-a\x01b"
    return {
        "request": http, "response": http[:50] + answers, "chunks": bodies + [b"5;a=\"b\"\r\nhello\r\n0\r\nX: y\r\n\r\n"],
        "scanner": text + wanted, "json": text + wanted, "http2client": connections(request), "http2provider": connections(answer),
    }


def built():
    folder = os.path.join(ROOT, ".build-fuzz")
    command = ["swift", "build", "-c", "release", "--product", "Fuzz", "--sanitize=fuzzer", "--sanitize=address",
               # Said once more: of two sanitizers only the one that happens to be passed last has its way of compiling.
               "-Xswiftc", "-sanitize-coverage=edge,inline-8bit-counters,pc-table,trace-cmp", "--package-path", ROOT, "--scratch-path", folder]
    # Which branches requests take is not what these are after.
    environment = {**os.environ, "KEYBEARER_FUZZ": "1", "KEYBEARER_PGO": "none"}
    run = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, umask=0o022)
    if run.returncode:
        raise RuntimeError(f"the fuzzers do not build:\n{run.stdout[-3000:]}{run.stderr[-3000:]}")
    return os.path.join(folder, "release", "Fuzz")


def fuzz(program, target, inputs):
    corpus, kept = temporary_folder(), os.path.join(os.environ.get("TMPDIR", "/tmp"), f"keybearer-fuzz-{target}-")
    for number, content in enumerate(inputs):
        with open(os.path.join(corpus, str(number)), "wb") as file:
            file.write(content)
    run = subprocess.run(
        [program, corpus, f"-max_total_time={SECONDS}", "-timeout=10", "-rss_limit_mb=1024", "-max_len=4096", f"-artifact_prefix={kept}", "-print_final_stats=1"],
        env={**os.environ, "FUZZ_TARGET": target, "ASAN_OPTIONS": "detect_leaks=0"}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        errors="replace", timeout=SECONDS + 120)
    tried = re.search(r"stat::number_of_executed_units:\s*(\d+)", run.stderr)
    covered = re.findall(r"cov: (\d+)", run.stderr)
    broken = re.findall(r"broken rule: .*|ERROR: \w+: .*|Test unit written to .*", run.stderr)
    check(
        run.returncode == 0 and tried and int(tried[1]) > 1000 and covered, f"{target}: no input breaks a rule or crashes it",
        f"{tried[1] if tried else 'no'} inputs in {SECONDS} s, {covered[-1] if covered else 'no'} places reached" + "".join(f"\n        {line}" for line in broken))


def suite():
    try:
        tool("swift")
    except Unavailable as reason:
        return check.skip("fuzzers", reason)
    program = built()
    for target, inputs in seeds().items():
        fuzz(program, target, inputs)


if __name__ == "__main__":
    main(suite)
