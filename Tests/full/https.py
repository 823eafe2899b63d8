"""Tools that insist on https, or can be made to: the files of `keybearer tls init`, and each tool told of them as README says.

The real Claude Code, the SDKs, curl; and the real Codex with a ChatGPT login of its own, through the route `/chatgpt`: its own workspace
check is forwarded and answered by the provider, never by us.
"""

import base64
import glob
import http.server
import json
import os
import subprocess
import threading
import time

from harness import AGENT, BINARY, Proxy, Sandbox, Unavailable, check, clean_environment, environment, main, temporary_folder, tool, write_store

ACCOUNT = "acct-0123456789"


def jwt(kind):
    """An unsigned token as ChatGPT's: good for a day."""
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = {
        "exp": int(time.time()) + 86400, "iat": int(time.time()), "email": "a@example.com", "sub": f"user-{kind}",
        "https://api.openai.com/auth": {"chatgpt_account_id": ACCOUNT, "chatgpt_plan_type": "plus", "chatgpt_user_id": f"user-{kind}"},
    }
    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}.c2lnbmF0dXJl"


EVENTS = [
    {"type": "response.created", "response": {"id": "resp_1", "object": "response", "status": "in_progress", "model": "m", "output": []}},
    {"type": "response.output_item.done", "output_index": 0, "item": {
        "id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": "Hello from the workspace.", "annotations": []}]}},
    {"type": "response.completed", "response": {
        "id": "resp_1", "object": "response", "status": "completed", "model": "m", "output": [],
        "usage": {"input_tokens": 1, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 1,
                  "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 2}}},
]


class Workspace:
    """chatgpt.com's part, on loopback: the account's check, and answers."""

    def __init__(self):
        self.seen = []
        seen = self.seen

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, body, kind="application/json"):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                seen.append((self.path.split("?")[0], dict(self.headers)))
                if "accounts/check" in self.path:
                    account = {"id": ACCOUNT, "workspace_backend_origin": "NO_CONSTRAINT", "account_routing_override": "NO_CONSTRAINT"}
                    return self.answer(200, json.dumps({"accounts": [account]}).encode())
                self.answer(200, b"{}")

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                seen.append((self.path.split("?")[0], dict(self.headers), body))
                if not self.path.split("?")[0].endswith("/responses"):
                    return self.answer(200, b"{}")
                text = "".join(f"event: {e['type']}\ndata: {json.dumps({**e, 'sequence_number': n})}\n\n" for n, e in enumerate(EVENTS))
                self.answer(200, text.encode(), "text/event-stream")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def serve(state, settings):
    """A server with a TLS listener beside the plain one, and the port and authority of that. `settings`: JSON5 that begins with a brace."""
    made = subprocess.run([BINARY, "tls", "init", "--json", "--state-dir", state], capture_output=True, env=clean_environment(), check=True)
    files = json.loads(made.stdout)
    listen = ["127.0.0.1:0", {"address": "127.0.0.1:0", "tls": {"certFile": files["certFile"], "keyFile": files["keyFile"]}}]
    with open(f"{state}/keybearer.json5", "w") as file:
        file.write(settings.replace("{", f"{{ listen: {json.dumps(listen)},", 1))
    proxy = Proxy.__new__(Proxy)
    super(Proxy, proxy).__init__(["serve", "--state-dir", state], temporary_folder(), r"listening on 127\.0\.0\.1:(\d+), https://127\.0\.0\.1:(\d+)")
    proxy.port = int(proxy.ready[1])
    return proxy, int(proxy.ready[2]), files["caFile"]


SDKS = """
import sys
import anthropic, openai
base = sys.argv[1]
print(openai.OpenAI(base_url=base + "/openai/v1", api_key="dummy").chat.completions.create(
    model="m", messages=[{"role": "user", "content": "hi"}]).choices[0].message.content is not None)
print(anthropic.Anthropic(base_url=base + "/anthropic", api_key="dummy").messages.create(
    model="m", max_tokens=5, messages=[{"role": "user", "content": "hi"}]).content[0].text != "")
"""


def tools(python, sandbox):
    """Each against the Sandbox, which imitates the providers."""
    proxy, port, authority = serve(sandbox.state, sandbox.settings)
    with proxy:
        base = f"https://localhost:{port}"
        for version in ("--http1.1", "--http2"):
            run = subprocess.run(
                [tool("curl"), "-sS", version, "--cacert", authority, "-w", "%{http_code} %{http_version}", "-o", "/dev/null",
                 f"{base}/openai/v1/models"], capture_output=True, text=True, timeout=30)
            check(run.stdout.startswith("200 " + ("2" if "2" in version else "1.1")), f"curl {version}", run.stdout + run.stderr)
        plain = clean_environment()
        run = subprocess.run([python, "-c", SDKS, base], capture_output=True, text=True, timeout=60, env={**plain, "SSL_CERT_FILE": authority})
        check(run.stdout.split() == ["True", "True"], "the SDKs of OpenAI and Anthropic, with SSL_CERT_FILE", run.stderr[-200:])
        run = subprocess.run([python, "-c", SDKS, base], capture_output=True, text=True, timeout=60, env=plain)
        check("CERTIFICATE_VERIFY_FAILED" in run.stderr or "Connection error" in run.stderr, "without it they refuse our certificate", run.returncode)
        claude(python, base, authority)


def claude(python, base, authority):
    binary = glob.glob(os.path.join(os.path.dirname(python), "../lib/python*/site-packages/claude_agent_sdk/_bundled/claude"))
    if not binary:
        raise Unavailable("the claude binary is not in the wheel")
    home = temporary_folder()
    run = subprocess.run(
        [binary[0], "-p", "say hi"], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, cwd=home,
        env={"PATH": os.environ["PATH"], "HOME": home, "ANTHROPIC_BASE_URL": f"{base}/anthropic", "ANTHROPIC_AUTH_TOKEN": "dummy",
             "NODE_EXTRA_CA_CERTS": authority, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"})
    check(run.returncode == 0 and run.stdout.strip(), "Claude Code over https, with NODE_EXTRA_CA_CERTS", (run.stdout + run.stderr).strip()[-160:])


def codex(python):
    """It is logged in with ChatGPT itself, and is sent to us for everything."""
    binary = glob.glob(os.path.join(os.path.dirname(python), "../lib/python*/site-packages/codex_cli_bin/bin/codex"))
    if not binary:
        raise Unavailable("the codex binary is not in the wheel")
    workspace = Workspace()
    state = os.path.join(temporary_folder(), "state")
    os.makedirs(os.path.join(state, AGENT))
    ours = jwt("profile")
    write_store(state, {"openai-codex:work": {
        "type": "oauth", "provider": "openai-codex", "access": ours, "refresh": "rt-of-the-profile-0123456789", "expires": int(time.time() + 86400) * 1000,
        "accountId": ACCOUNT}})
    stand_in = f"http://127.0.0.1:{workspace.port}"
    providers = {"openai-codex": {"baseURL": f"{stand_in}/backend-api/codex", "webSocket": False}, "chatgpt": {"baseURL": stand_in, "webSocket": False}}
    proxy, port, authority = serve(state, json.dumps({"providers": providers}))
    with proxy:
        home, work = temporary_folder(), temporary_folder()
        theirs = jwt("codex")
        with open(os.path.join(home, "auth.json"), "w") as file:
            json.dump({
                "OPENAI_API_KEY": None, "last_refresh": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "tokens": {"id_token": theirs, "access_token": theirs, "refresh_token": "rt-of-codex-itself", "account_id": ACCOUNT}}, file)
        base = f"https://localhost:{port}"
        with open(os.path.join(home, "config.toml"), "w") as file:
            file.write(f'model = "gpt-5"\nchatgpt_base_url = "{base}/chatgpt/backend-api/"\nopenai_base_url = "{base}/openai-codex"\n')
        run = subprocess.run(
            [binary[0], "exec", "--skip-git-repo-check", "-C", work, "say hello"], capture_output=True, text=True, timeout=180,
            stdin=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "HOME": home, "CODEX_HOME": home, "CODEX_CA_CERTIFICATE": authority, "SSL_CERT_FILE": authority,
                 "NO_PROXY": "*"})
        check("Hello from the workspace." in run.stdout, "Codex with a ChatGPT login of its own finishes a turn through us",
              run.stdout.strip()[-100:] or run.stderr[-300:])
        paths = [entry[0] for entry in workspace.seen]
        check(any("wham/accounts/check" in path for path in paths), "its workspace check has reached the provider", sorted(set(paths))[:8])
        tokens = {headers.get("Authorization", headers.get("authorization")) for _, headers, *_ in workspace.seen}
        check(tokens == {f"Bearer {ours}"}, "the provider has seen the profile's credential and never Codex's own", len(tokens), "1")
        text = json.dumps([[path, {k: v for k, v in headers.items()}] for path, headers, *_ in workspace.seen])
        check(theirs not in text and "rt-of-codex-itself" not in text, "nothing of Codex's login has passed us")
        posted = [entry for entry in workspace.seen if len(entry) > 2 and entry[0].endswith("/responses")]
        check(posted and posted[-1][1].get("content-encoding", posted[-1][1].get("Content-Encoding")) == "zstd", "its body went as it came, in zstd",
              posted[-1][1].get("Content-Encoding") if posted else "none")


def suite():
    python = environment("https", ["openai", "anthropic", "claude-agent-sdk", "openai-codex-cli-bin"])
    tools(python, Sandbox())
    codex(python)


if __name__ == "__main__":
    main(suite)
