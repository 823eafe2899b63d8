"""The official SDKs and curl, unchanged but for their base URL: the text, the order of a stream's events, who paid, and typed errors."""

import hashlib
import json
import os
import subprocess
import time

from harness import Proxy, Sandbox, Unavailable, check, environment, eventually, main, payer, secrets, store, temporary_folder, tool, write_store

HERE = os.path.dirname(os.path.abspath(__file__))
# The current major version and the one before.
ENVIRONMENTS = {"current": ["openai", "anthropic", "google-genai"], "older": ["openai<3", "anthropic<2", "google-genai<3"]}
CALLS = 25
TEXT = "Hello from account {}."

# What each call must have yielded: the profile that pays, and the events of the stream in order (runs of one kind count as one).
PAYERS = {
    "openai": {"pin by header": "openai:second", "pin by path": "openai:second", "codex stream": "openai-codex:work", "": "openai:default"},
    "anthropic": {"pin by header": "anthropic:key", "pin by path": "anthropic:key", "": "anthropic:setup"},
    "google-genai": {"pin by header": "google:second", "pin by path": "google:second", "": "google:default"},
}
RESPONSE_EVENTS = [
    f"response.{name}"
    for name in (
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    )
]
CHAT_EVENTS = ["role", "content", "stop", "usage"]
MESSAGE_EVENTS = ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"]
EVENTS = {
    ("openai", "chat stream"): CHAT_EVENTS,
    ("openai", "pin by header"): CHAT_EVENTS,
    ("openai", "responses stream"): RESPONSE_EVENTS,
    ("openai", "codex stream"): RESPONSE_EVENTS,
    ("anthropic", "messages stream"): MESSAGE_EVENTS,
    ("anthropic", "pin by header"): MESSAGE_EVENTS,
    ("google-genai", "generate stream"): ["content", "STOP"],
    ("google-genai", "pin by header"): ["content", "STOP"],
}
ERRORS = {
    ("openai", "unknown pin"): ("NotFoundError", 404),
    ("openai", "rate limit"): ("RateLimitError", 429),
    ("anthropic", "unknown pin"): ("NotFoundError", 404),
    ("anthropic", "rate limit"): ("RateLimitError", 429),
    ("google-genai", "unknown pin"): ("ClientError", 404),
    ("google-genai", "rate limit"): ("ClientError", 429),
}


def profiles(sandbox):
    """The sandbox's own profiles, and for each provider a second key and one that is always told to wait."""
    held = store(sandbox.state)["profiles"]
    for provider in ("openai", "anthropic", "google"):
        for name in ("second", "limited"):
            made = sandbox.control("POST", "accounts", {"provider": provider, "kind": "api_key", "account": f"{provider}-{name}"})
            held[f"{provider}:{name}"] = {"type": "api_key", "provider": provider, "key": made["key"]}
        sandbox.fault("/", "status", account=f"{provider}-limited", status=429, retryAfter=1, times=1000)
    write_store(sandbox.state, held)


def access_lines(sandbox):
    """How many requests the proxy has logged."""
    path = os.path.join(sandbox.state, "logs/access.jsonl")
    return sum(1 for _ in open(path)) if os.path.exists(path) else 0


def squeezed(events):
    return [event for index, event in enumerate(events) if index == 0 or events[index - 1] != event]


def judge(sandbox, label, line, entries, requests):
    """One call of an SDK against what it got, what the provider saw, and how often it asked."""
    sdk, call = line["sdk"], line["call"]
    name = f"{label} {sdk} {line['version']}, {call}"
    if (sdk, call) in ERRORS:
        error, status = ERRORS[sdk, call]
        got = f"{line.get('error')} {line.get('status')}, {requests} request(s)"
        # A pin that is not known reaches no provider; a provider's 429 is asked once here, since the program said so.
        upstream = 0 if call == "unknown pin" else requests
        check(
            (line.get("error"), line.get("status")) == (error, status) and requests == 1 and len(entries) == upstream,
            name,
            got,
            f"{error} {status}, 1 request",
        )
        return
    expected = PAYERS[sdk].get(call, PAYERS[sdk][""])
    paid = [payer(entry, sandbox.state) for entry in entries]
    account = entries[-1]["account"] if entries else None
    events = squeezed([event for event in line.get("events", []) if event != "ping"])
    leaked = [entry for entry in entries if entry["refusal"] or "dummy" in json.dumps(entry)]
    check(
        not leaked and line.get("text") == TEXT.format(account) and paid == [expected] and events == EVENTS.get((sdk, call), []),
        name,
        line.get("error")
        and f"{line['error']}: {line['message']}"
        or f"{line['text']!r} paid by {paid[0] if paid else None}" + (f", {len(events)} kinds of events in order" if events else ""),
        expected,
    )


def sdk_suite(sandbox, proxy, label, packages):
    try:
        python = environment(label, packages)
    except (Unavailable, subprocess.CalledProcessError) as reason:
        return check.skip(f"the {label} SDKs", reason)
    sandbox.control("DELETE", "audit")
    process = subprocess.Popen(
        [python, "-B", os.path.join(HERE, "sdk-client.py"), str(proxy.port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "NO_PROXY": "*", "HOME": temporary_folder()},
    )
    calls = 0
    counted = access_lines(sandbox)
    for text in process.stdout:
        line = json.loads(text)
        eventually(lambda: access_lines(sandbox) > counted, within=3)
        if "error" in line:
            # A retry would come within the first second.
            time.sleep(1.5)
        requests = access_lines(sandbox) - counted
        counted += requests
        entries = [entry for entry in sandbox.audit()["entries"] if "/oauth/" not in entry["target"]]
        judge(sandbox, label, line, entries, requests)
        sandbox.control("DELETE", "audit")
        calls += 1
        process.stdin.write("next\n")
        process.stdin.flush()
    check(process.wait() == 0 and calls == CALLS, f"{label}: the program ran to its end", f"{calls} calls", CALLS)


# MARK: - curl


def curl(proxy, *arguments, binary=False):
    """curl's output, and its exit status."""
    run = subprocess.run([tool("curl"), "-sS", "--noproxy", "*", "--max-time", "30", *arguments], capture_output=True)
    return run.stdout if binary else run.stdout.decode(), run.returncode


def curl_suite(sandbox, proxy):
    base = f"http://127.0.0.1:{proxy.port}"
    sandbox.control("DELETE", "audit")
    key = ["-H", "x-api-key: dummy-curl", "-H", "Authorization: Bearer dummy-curl", "-H", "Cookie: a=dummy-curl"]
    ask = ["-d", '{"model":"m","messages":[],"max_tokens":9}', f"{base}/anthropic/v1/messages"]
    text, code = curl(proxy, *key, *ask)
    check(code == 0 and json.loads(text)["content"][0]["text"].startswith("Hello from account"), "curl, plain", text[:60])

    text, code = curl(proxy, f"{base}/google/v1beta/models?key=dummy-curl")
    check(code == 0 and "gemini" in text, "curl, a key in the query is replaced", text[:40])

    stream = ["-N", "-H", "Sandbox-Interval: 200ms", "-d", '{"model":"m","messages":[],"max_tokens":9,"stream":true}']
    process = subprocess.Popen([tool("curl"), "-sS", "--noproxy", "*", *stream, f"{base}/anthropic/v1/messages"], stdout=subprocess.PIPE)
    arrivals = [(time.monotonic(), line) for line in process.stdout if line.startswith(b"event:")]
    spread = arrivals[-1][0] - arrivals[0][0] if arrivals else 0
    check(
        process.wait() == 0 and arrivals[-1][1] == b"event: message_stop\n" and spread > 0.7,
        "curl -N, events come one by one",
        f"{len(arrivals)} events over {spread:.2f} s",
        "over 0.7 s",
    )

    upload = os.path.join(temporary_folder(), "upload")
    data = os.urandom(5 << 20)
    with open(upload, "wb") as file:
        file.write(data)
    for name, expect in (("that waits for 100 Continue", "Expect: 100-continue"), ("without Expect", "Expect:")):
        text, code = curl(
            proxy,
            "-v",
            "-i",
            "-H",
            expect,
            "-H",
            "Content-Type: application/octet-stream",
            "--data-binary",
            f"@{upload}",
            f"{base}/openai/v1/files",
        )
        digest = hashlib.sha256(data).hexdigest()
        continued = text.startswith("HTTP/1.1 100")
        check(
            code == 0 and f"sandbox-body-sha256: {digest}" in text.lower() and continued == ("100" in expect),
            f"curl --data-binary, 5 MB, {name}",
            text.splitlines()[0] if text else f"exit {code}",
        )

    text, code = curl(proxy, "-I", f"{base}/openai/v1/models")
    check(code == 0 and text.startswith("HTTP/1.1 200") and "content-length:" in text.lower(), "curl -I", text.splitlines()[:1])
    text, code = curl(proxy, "--http1.0", "-i", *stream[3:], f"{base}/anthropic/v1/messages")
    check(
        code == 0 and "message_stop" in text and "transfer-encoding" not in text.lower(),
        "curl --http1.0, a stream that ends with the connection",
        text.splitlines()[:1],
    )
    text, code = curl(proxy, "-o", "/dev/null", "-w", "%{http_code}", "-H", "Keybearer-Profile: anthropic:nobody", *ask)
    check(text == "404", "curl, an unknown pin", text, "404")


def suite():
    sandbox = Sandbox()
    profiles(sandbox)
    proxy = Proxy(sandbox.state)
    held = set(secrets(sandbox.state))
    curl_suite(sandbox, proxy)
    audit = sandbox.audit()
    # The audit shows every field but the values of credentials, and refuses a request with more than ours.
    check(
        audit["refused"] == 0 and "dummy" not in json.dumps(audit),
        "curl's dummy credentials never reach the provider",
        f"{audit['modelRequests']} requests, {audit['refused']} refused",
    )
    for label, packages in ENVIRONMENTS.items():
        sdk_suite(sandbox, proxy, label, packages)
    log = proxy.output()
    check(not any(secret in log for secret in held | set(secrets(sandbox.state))), "no secret in the log")


main(suite)
