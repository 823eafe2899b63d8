"""HTTP/2 from clients with prior knowledge: curl, nghttp, h2load, and raw frames that no sound client sends."""
import json
import os
import re
import subprocess
import time

from harness import (
    CHAT, Proxy, Sandbox, check, environment, eventually, main, temporary_folder, tool,
)

TARGET = "/openai/v1/chat/completions"


def run(arguments, timeout=120):
    done = subprocess.run(arguments, capture_output=True, timeout=timeout)
    return done.stdout + done.stderr


def clients(sandbox, proxy):
    base = f"http://127.0.0.1:{proxy.port}"
    folder = temporary_folder()
    body = os.path.join(folder, "body.json")
    with open(body, "wb") as file:
        file.write(CHAT)
    answer = subprocess.run(
        [tool("curl"), "-sS", "--http2-prior-knowledge", "-H", "content-type: application/json", "-H", "sandbox-interval: 0", "-d", f"@{body}",
         "-w", "\n%{http_code} %{http_version}", base + TARGET], capture_output=True, timeout=30).stdout
    check(answer.endswith(b"[DONE]\n\n\n200 2"), "curl: a stream over HTTP/2", answer[-20:])
    large = os.path.join(folder, "large")
    with open(large, "wb") as file:
        file.write(os.urandom(20 << 20))
    answer = run([tool("curl"), "-sS", "--http2-prior-knowledge", "--data-binary", f"@{large}", "-o", "/dev/null", "-w", "%{http_code} %{size_upload}",
                  base + "/openai/v1/files"])
    check(answer == b"200 20971520", "curl: 20 MiB up", answer)
    answer = run([tool("curl"), "-sS", "--http2-prior-knowledge", "-H", "Host: evil.example", "-w", "%{http_code}", base + "/openai/v1/models"])
    check(answer.endswith(b"421") and b'"wrong_host"' in answer, "curl: a refusal has its body over HTTP/2", answer[-3:])
    codes = [
        run([tool("curl"), "-sS", "--http2-prior-knowledge", "--data-binary", f"@{large}", "-o", "/dev/null", "-w", "%{http_code}",
             base + "/nobody/v1/files"]) for _ in range(10)]
    check(codes == [b"404"] * 10, "curl: a refusal while 20 MiB are on their way is not lost", set(codes))
    answer = run([tool("nghttp"), "-v", base + "/-/healthz"])
    check(b":status: 200" in answer, "nghttp: an answer of our own", len(answer))
    sandbox.forget()
    answer = run([tool("h2load"), "-n", "3000", "-c", "4", "-m", "32", "-d", body, "-H", "content-type: application/json",
                  "-H", "sandbox-interval: 0", base + TARGET]).decode()
    done = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", answer)
    check(done and done.groups() == ("3000", "0", "0"), "h2load: 3,000 streams over 4 connections", done and done[0])


def malformed(result, sandbox):
    """Each is answered by an error, and the provider has seen none."""
    wrong = {}
    for name, verdict in result.items():
        is_refused = isinstance(verdict, int) and 400 <= verdict < 600 or str(verdict).startswith(("reset", "goaway", "closed"))
        if not is_refused:
            wrong[name] = verdict
    check(not wrong, f"{len(result)} malformed requests are refused", wrong or "all")
    seen = sandbox.reached()
    check(not seen, "none of them has reached the provider", seen[:3])


def floods(result):
    for name, flood in result.items():
        quick = flood["p50_ms"] < 5
        small = flood["growth_kib"] < 2048
        # Bombs are small here, and a head that never ends is cut by its deadline.
        cut = flood["goaway"] or name in ("HPACK bombs", "a head that never ends")
        check(quick and small and cut, f"flood of {name}: {'cut by GOAWAY' if flood['goaway'] else 'let through'}, a client beside it is served, memory stays",
              f"p50 {flood['p50_ms']} ms, +{flood['growth_kib']} KiB, goaway {flood['goaway']}", "p50 under 5 ms, under +2,048 KiB")


def frames(python, proxy, part, path):
    here = os.path.dirname(os.path.abspath(__file__))
    done = subprocess.run([python, "-B", f"{here}/http2-frames.py", part, str(proxy.port), path, str(proxy.pid)], capture_output=True, timeout=300)
    if done.returncode:
        raise RuntimeError(done.stderr.decode()[-2000:])
    return json.loads(done.stdout)


def drain(sandbox, folder):
    """A stream under way is served to its end while the server drains, and its connection says GOAWAY."""
    with Proxy(sandbox.state) as proxy:
        process = subprocess.Popen(
            [tool("nghttp"), "-v", "-H", "content-type: application/json", "-H", "sandbox-events: 20", "-H", "sandbox-interval: 100ms", "-d",
             f"{folder}/body.json", f"http://127.0.0.1:{proxy.port}{TARGET}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        time.sleep(0.7)
        proxy.process.terminate()
        output = process.communicate(timeout=20)[0]
        check(b"[DONE]" in output and b"GOAWAY" in output, "SIGTERM: a stream ends whole, and its connection is told GOAWAY", len(output))
        check(eventually(lambda: not proxy.is_alive, within=5), "the server stops once the stream has ended")


def suite():
    python = environment("http2", ["h2", "hypercorn"])
    sandbox = Sandbox()
    with Proxy(sandbox.state) as proxy:
        clients(sandbox, proxy)
        sandbox.forget()
        malformed(frames(python, proxy, "malformed", "/openai/v1/models"), sandbox)
        floods(frames(python, proxy, "floods", "/-/healthz"))
        check(proxy.is_alive, "the server is still there")
    folder = temporary_folder()
    with open(os.path.join(folder, "body.json"), "wb") as file:
        file.write(CHAT)
    drain(sandbox, folder)


main(suite)
