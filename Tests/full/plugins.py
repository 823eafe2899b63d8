"""Providers declared by files: each flow against Authlib's server, three portals against imitations of their endpoints, programs, hot changes."""
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import harness
from harness import AGENT, Proxy, check, clean_environment, eventually, read, sign_in, temporary_folder
from terminal import free_port, in_environment

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = ["authlib", "flask", "jsonschema", "json5"]
SECRET = "client-secret-canary/+="


class Servers:
    """The servers in a process of their own, and a state directory."""

    def __init__(self):
        self.callback = free_port()
        self.redirect = f"http://localhost:{self.callback}/auth/callback"
        folder = temporary_folder()
        log = open(os.path.join(folder, "server.log"), "wb")
        self.process = harness.spawn([sys.executable, "-B", os.path.join(HERE, "plugins-server.py")], stdout=subprocess.PIPE, stderr=log,
                                     env={**clean_environment(), "REDIRECT_URI": self.redirect, "CLIENT_SECRET": SECRET})
        self.port = int(self.process.stdout.readline() or 0)
        self.base = f"http://127.0.0.1:{self.port}"
        self.state = os.path.join(folder, "state")
        os.makedirs(os.path.join(self.state, "providers"))
        self.environment = {"OIDC_SECRET": SECRET, "CHUTES_CLIENT_ID": "my-chutes-app"}

    def file(self, name, content):
        path = os.path.join(self.state, "providers", name + ".json5")
        with open(path + ".new", "w") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
        os.rename(path + ".new", path)
        return path

    def settings(self, content):
        with open(os.path.join(self.state, "keybearer.json5"), "w") as file:
            json.dump(content, file)

    def post(self, door, **members):
        ask = urllib.request.Request(f"{self.base}/test/{door}", json.dumps(members).encode(), {"Content-Type": "application/json"})
        urllib.request.urlopen(ask, timeout=10).read()

    def seen(self, door):
        entries = json.load(urllib.request.urlopen(self.base + "/test/seen", timeout=10))
        return [entry for entry in entries if entry["door"] == door]

    def run(self, *arguments, input="", environment=None):
        return subprocess.run([harness.BINARY, *arguments, "--state-dir", self.state], input=input, text=True, capture_output=True, timeout=60,
                              env={**clean_environment(), **self.environment, **(environment or {})})

    def profiles(self):
        try:
            return json.loads(read(self.state, AGENT, "auth-profiles.json"))["profiles"]
        except FileNotFoundError:
            return {}

    def change(self, name, **members):
        """Another program changes the entry, such as its end."""
        profiles = self.profiles()
        profiles[name].update(members)
        harness.write_store(self.state, profiles)


class Login:
    """A login in a pipe: what it says is read while it goes on."""

    def __init__(self, servers, provider, *arguments):
        self.process = harness.subprocess.Popen(
            [harness.BINARY, "models", "auth", "login", "--provider", provider, "--no-browser", "--timeout", "60s", *arguments, "--state-dir", servers.state],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**clean_environment(), **servers.environment, "DISPLAY": ":99"})
        harness._running.append(self.process)
        self.said, self.printed = "", ""
        self.threads = [threading.Thread(target=self.listen, args=pair, daemon=True)
                        for pair in ((self.process.stderr, "said"), (self.process.stdout, "printed"))]
        for thread in self.threads:
            thread.start()

    def listen(self, stream, name):
        for line in stream:
            setattr(self, name, getattr(self, name) + line)

    def find(self, pattern):
        found = eventually(lambda: re.search(pattern, self.said) or self.process.poll() is not None, within=20)
        if not isinstance(found, re.Match):
            raise RuntimeError(f"{pattern} was not said: {self.said}")
        return found[1]

    def end(self, within=45):
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = None
        for thread in self.threads:
            thread.join(5)
        return code


def log_in_at(address, user=None):
    """What a browser does: the provider's page, and the address that it leads back to."""
    with urllib.request.urlopen(sign_in(address, user) or address, timeout=40) as page:
        return page.status


def asked(servers, proxy, provider, rest="/v1/x", **fields):
    """A request by way of the proxy: its status, and what arrived."""
    status, headers, body = proxy.ask(f"/{provider}{rest}", b"{}", fields=fields)
    entries = json.load(urllib.request.urlopen(servers.base + "/test/seen", timeout=10))
    return status, next((entry for entry in reversed(entries) if entry["door"].startswith("model:")), {})


# MARK: - Parts

def browser_with_discovery(servers, proxy):
    servers.file("oidc", {"oidc": {
        "baseURL": servers.base + "/api", "auth": {"oauth": {"accountHeader": "x-org"}},
        "oauth": {"issuer": servers.base + "/realm", "clientID": "public", "scopes": ["openid", "email", "offline_access"],
                  "tokenParameters": ["audience=llm", "z=1"],
                  "answer": {"accountClaim": ["org", "id"], "emailClaim": ["mail"]},
                  "login": {"redirectURI": servers.redirect, "parameters": ["b=2", "a=1"], "state": {"sentInExchange": True}, "device": {}}}}})
    login = Login(servers, "oidc")
    address = login.find(r"(http://127\.0\.0\.1:\d+/realm/authorize\?\S+)")
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
    check(list(query)[-2:] == ["b", "a"] and query["code_challenge_method"] == "S256", "extra parameters stand behind OAuth's own, in their order", list(query))
    log_in_at(address, "ann")
    check(login.end() == 0, "OIDC discovery and PKCE: logged in", login.said[-300:] if login.process.returncode else "")
    profile = servers.profiles().get("oidc:ann@plugins.example", {})
    check(profile.get("accountId") == "org-ann" and profile.get("tokenEndpoint") == servers.base + "/realm/token",
          "the claims that the file names say whose it is; the discovered endpoint is kept", sorted(profile))
    form = servers.seen("token")[-1]["form"]
    check(list(form) == ["grant_type", "client_id", "code", "code_verifier", "redirect_uri", "state", "audience", "z"]
          and form["state"] == query["state"], "the exchange has the parameters and the state that the file wants", list(form))
    status, arrived = eventually(lambda: (got := asked(servers, proxy, "oidc"))[0] == 200 and got, within=5) or (0, {})
    check(status == 200 and arrived["door"] == "model:api/v1/x" and arrived["live"] == "public" and arrived["account"] == "org-ann",
          "hot: the running server knows the file and the login, and sends the account's header", arrived.get("account"))
    discoveries = len(servers.seen("discovery"))
    servers.change("oidc:ann@plugins.example", expires=1000)
    status, arrived = eventually(lambda: (got := asked(servers, proxy, "oidc"))[1].get("bearer") != profile["access"] and got, within=5) or (0, {})
    form = servers.seen("token")[-1]["form"]
    check(status == 200 and arrived["live"] == "public" and form["grant_type"] == "refresh_token" and form["audience"] == "llm",
          "an expired token is refreshed at the endpoint that was kept", list(form))
    check(len(servers.seen("discovery")) == discoveries, "and nothing is discovered again for it")


def device(servers, proxy):
    servers.post("steer", slow_down=1)
    login = Login(servers, "oidc", "--device-code")
    code = login.find(r"enter the code\s+(\S+)")
    polls = len(servers.seen("token"))
    eventually(lambda: len(servers.seen("token")) > polls, within=10, every=0.1)
    servers.post("decide", user_code=code, user="dora")
    check(login.end() == 0 and "oidc:dora@plugins.example" in servers.profiles(), "RFC 8628 with a discovered endpoint, slow_down survived",
          login.said[-200:] if login.process.returncode else "")


def confidential(servers, proxy):
    servers.file("conf", {"conf": {
        "baseURL": servers.base + "/api",
        "oauth": {"tokenURL": servers.base + "/realm/token", "authorizeURL": servers.base + "/realm/authorize", "clientID": "confidential",
                  "clientSecretEnvironment": "OIDC_SECRET", "clientAuthentication": "basic", "scopes": ["openid", "offline_access"],
                  "answer": {"emailClaim": ["mail"]}, "login": {"redirectURI": servers.redirect}}}})
    without = subprocess.run([harness.BINARY, "models", "auth", "login", "--provider", "conf", "--state-dir", servers.state], text=True,
                             capture_output=True, env=clean_environment(), timeout=20)
    check(without.returncode == 1 and "$OIDC_SECRET is not set" in without.stderr, "without its secret a client is not sent to the browser", without.stderr[-200:])
    login = Login(servers, "conf")
    log_in_at(login.find(r"(http://127\.0\.0\.1:\d+/realm/authorize\?\S+)"), "carl")
    check(login.end() == 0, "a client with a secret (Basic) logs in", login.said[-200:] if login.process.returncode else "")
    sent = servers.seen("token")[-1]
    check(sent["authorization"].startswith("Basic ") and "client_secret" not in sent["form"] and SECRET not in json.dumps(servers.profiles()),
          "the secret is in Authorization alone, and is not stored")
    servers.change("conf:carl@plugins.example", expires=1000)
    renewed = servers.run("token", "conf:carl@plugins.example")
    check(renewed.returncode == 0 and SECRET not in renewed.stdout + renewed.stderr, "and renews its logins", renewed.stderr[-200:])


def client_credentials(servers, proxy):
    for name, way in (("service", "basic"), ("service-post", "body")):
        servers.file(name, {name: {
            "baseURL": servers.base + "/api",
            "oauth": {"grant": "client_credentials", "tokenURL": servers.base + "/realm/token", "clientID": name, "scopes": ["llm"],
                      "clientSecretEnvironment": "OIDC_SECRET", "clientAuthentication": way}}})
        stored = servers.run("models", "auth", "login", "--provider", name)
        check(stored.returncode == 0 and servers.profiles().get(f"{name}:default") == {"type": "token", "provider": name, "onDemand": True},
              f"client credentials ({way}): the profile holds none", stored.stderr[-200:])
        status, arrived = eventually(lambda: (got := asked(servers, proxy, name))[0] == 200 and got, within=5) or (0, {})
        check(status == 200 and arrived["live"] == name, "a request carries the token", arrived.get("live"))
        first = arrived["bearer"]
        tokens = len(servers.seen("token"))
        check(asked(servers, proxy, name)[1]["bearer"] == first and len(servers.seen("token")) == tokens, "which is kept")
        servers.post("revoke", token=first)
        status, arrived = asked(servers, proxy, name)
        check(status == 200 and arrived["bearer"] != first, "and had anew when it is refused", status)


def program(servers, proxy):
    """exec, ahead of time and after a refusal, in a running server."""
    tool = os.path.join(os.path.dirname(servers.state), "cloud-cli")
    runs = tool + ".runs"
    with open(tool, "w") as file:
        file.write(f"""#!{sys.executable}
import json, time, urllib.request, uuid
open({runs!r}, "a").write("x")
token = "cloud-" + uuid.uuid4().hex
ask = urllib.request.Request({servers.base!r} + "/test/allow", json.dumps({{"token": token}}).encode(), {{"Content-Type": "application/json"}})
urllib.request.urlopen(ask).read()
print(json.dumps({{"credential": {{"access_token": token, "token_expiry": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4))}}}}))
""")
    os.chmod(tool, 0o700)
    servers.file("cloud", {"cloud": {"baseURL": servers.base + "/api", "exec": {
        "command": tool, "tokenField": "credential.access_token", "expiryField": "credential.token_expiry"}}})
    stored = servers.run("models", "auth", "login", "--provider", "cloud")
    check(stored.returncode == 0 and "cloud-" not in stored.stdout.replace("cloud-cli", ""), "exec: a login asks the program, and prints no token", stored.stderr[-200:])
    status, arrived = eventually(lambda: (got := asked(servers, proxy, "cloud"))[0] == 200 and got, within=5) or (0, {})
    check(status == 200 and arrived["live"] == "allowed", "a request carries what it said", status)
    first = arrived["bearer"]
    servers.post("revoke", token=first)
    status, arrived = asked(servers, proxy, "cloud")
    check(status == 200 and arrived["bearer"] != first, "a refused token is asked for again", status)
    before = len(read(runs))
    end = time.monotonic() + 9
    statuses, bearers = [], set()
    while time.monotonic() < end:
        status, arrived = asked(servers, proxy, "cloud")
        statuses.append(status)
        bearers.add(arrived["bearer"])
        time.sleep(0.2)
    check(set(statuses) == {200} and len(bearers) >= 3, "tokens of four seconds follow one another without a failed request",
          f"{len(bearers)} tokens, {len(read(runs)) - before} runs, {len(statuses)} requests")
    with open(tool, "w") as file:
        file.write("#!/bin/sh\nsleep 60\n")
    time.sleep(4.5)
    began = time.monotonic()
    servers.file("cloud", {"cloud": {"baseURL": servers.base + "/api", "exec": {
        "command": tool, "timeout": "1s", "tokenField": "credential.access_token", "expiryField": "credential.token_expiry"}}})
    time.sleep(1)
    status, _ = asked(servers, proxy, "cloud")
    check(status == 503 and time.monotonic() - began < 20, "one that hangs is ended, and its requests are refused", status)


def portals(servers, proxy):
    base = servers.base
    servers.settings({"providers": {
        "qwen-portal": {"baseURL": base + "/qwen/elsewhere", "oauth": {
            "tokenURL": base + "/qwen/api/v1/oauth2/token", "answer": {"baseURLHosts": ["127.0.0.1"]},
            "login": {"device": {"startURL": base + "/qwen/api/v1/oauth2/device/code"}}}},
        "chutes": {"baseURL": base + "/chutes/llm", "oauth": {
            "tokenURL": base + "/chutes/idp/token", "authorizeURL": base + "/chutes/idp/authorize", "userinfoURL": base + "/chutes/idp/userinfo",
            "login": {"redirectURI": servers.redirect}}},
        "minimax-portal": {"baseURL": base + "/minimax/anthropic", "oauth": {
            "tokenURL": base + "/minimax/oauth/token", "login": {"device": {"startURL": base + "/minimax/oauth/code"}}}}}})

    login = Login(servers, "qwen-portal")
    code = login.find(r"enter the code\s+(\S+)")
    servers.post("decide", user_code=code)
    check(login.end() == 0, "qwen-portal: challenge and verifier, slow_down with 429, a stored login", login.said[-200:] if login.process.returncode else "")
    name, profile = next(((name, entry) for name, entry in servers.profiles().items() if name.startswith("qwen-portal:")), ("", {}))
    check(profile.get("baseUrl") == base + "/qwen/portal", "resource_url is kept, without the /v1 that tools send", profile.get("baseUrl"))
    status, arrived = eventually(lambda: (got := asked(servers, proxy, "qwen-portal"))[0] == 200 and got, within=5) or (0, {})
    check(arrived.get("door") == "model:qwen/portal/v1/x" and arrived["live"] == "qwen", "and requests go there", arrived.get("door"))
    servers.change(name, expires=1000)
    renewed = eventually(lambda: proxy.ask("/qwen-portal/v1/x", b"{}")[0] == 200 and servers.profiles()[name]["expires"] != 1000, within=5)
    check(renewed and servers.seen("qwen-token")[-1]["form"]["grant_type"] == "refresh_token", "it is refreshed")
    servers.change(name, expires=1000, refresh="spent")
    eventually(lambda: proxy.ask("/qwen-portal/v1/x", b"{}")[0] == 403, within=5)
    status, _, body = proxy.ask("/qwen-portal/v1/x", b"{}")
    check(status == 403 and b"needs_login" in body, "a refresh that is answered 400, whatever its code, means a new login", body[:120])
    servers.change(name, expires=int(time.time() * 1000) + 3_600_000, baseUrl="https://evil.example")
    status, _, body = eventually(lambda: (got := proxy.ask("/qwen-portal/v1/x", b"{}"))[0] == 403 and b"host_not_allowed" in got[2] and got, within=5) or (0, 0, b"")
    check(status == 403, "a stored address at another host is not followed", body[:200])

    login = Login(servers, "chutes")
    log_in_at(login.find(r"(http://127\.0\.0\.1:\d+/chutes/idp/authorize\?\S+)"))
    check(login.end() == 0, "chutes: a client of one's own, by the environment", login.said[-200:] if login.process.returncode else "")
    profile = servers.profiles().get("chutes:ann", {})
    check(profile.get("accountId") == "chutes-user-1" and profile.get("clientId") == "my-chutes-app", "userinfo says whose it is; the client id is kept", sorted(profile))
    servers.change("chutes:ann", expires=1000)
    renewed = servers.run("token", "chutes:ann", environment={"CHUTES_CLIENT_ID": "another-app"})
    check(renewed.returncode == 0 and servers.seen("chutes-token")[-1]["form"]["client_id"] == "my-chutes-app",
          "and it is renewed with the client that it was made with", renewed.stderr[-200:])

    servers.post("steer", state="somebody else's")
    login = Login(servers, "minimax-portal")
    check(login.end() == 1, "minimax-portal: a state that is not repeated ends the login")
    servers.post("steer", state=None)
    for approve in (False, True):
        login = Login(servers, "minimax-portal")
        code = login.find(r"enter the code\s+(\S+)")
        polls = len(servers.seen("minimax-token"))
        eventually(lambda: len(servers.seen("minimax-token")) > polls, within=10, every=0.1)
        servers.post("decide", user_code=code, approve=approve)
        check(login.end() == (0 if approve else 1), f"pending in a 200, then {'success' if approve else 'error'}", login.said[-200:])
    name, profile = next(((name, entry) for name, entry in servers.profiles().items() if name.startswith("minimax-portal:")), ("", {}))
    check(abs(profile.get("expires", 0) / 1000 - time.time() - 5400) < 60, "expired_in is an instant in milliseconds", profile.get("expires"))
    servers.change(name, expires=1000)
    eventually(lambda: proxy.ask("/minimax-portal/v1/messages", b"{}") and servers.profiles()[name]["expires"] != 1000, within=5, every=0.1)
    status, arrived = asked(servers, proxy, "minimax-portal", "/v1/messages")
    after = servers.profiles()[name]
    check(status == 200 and arrived["door"] == "model:minimax/anthropic/v1/messages" and abs(after["expires"] / 1000 - time.time() - 7200) < 60,
          "and a life in seconds at the next refresh", after["expires"])


def hot(servers, proxy):
    def ask():
        return proxy.ask("/fresh/x", b"{}")

    path = servers.file("fresh", {"fresh": {"baseURL": servers.base + "/one", "needsCredential": False}})
    check(eventually(lambda: ask()[0] == 401, within=5) and asked(servers, proxy, "fresh", "/x")[1]["door"] == "model:one/x",
          "a new file is in use without a restart")
    servers.file("fresh", {"fresh": {"baseURL": servers.base + "/two", "needsCredential": False}})
    check(eventually(lambda: asked(servers, proxy, "fresh", "/x")[1]["door"] == "model:two/x", within=5), "and a changed one")
    servers.file("fresh", '{\n  fresh: {\n    baseUrl: "http://127.0.0.1:1" } }')
    said = eventually(lambda: (got := json.loads(proxy.ask("/-/status", method="GET")[2])["settings"]["problem"]) and got, within=5) or {}
    place = f"{path}:3:5: providers.fresh.baseUrl: unknown member"
    check(place in said.get("message", ""), "a bad one is told in /-/status with its line", said.get("message", "")[:160])
    check(asked(servers, proxy, "fresh", "/x")[1]["door"] == "model:two/x", "and the last good one stays in use")
    status = servers.run("models", "status")
    check(status.returncode == 0 and place in status.stdout, "models status tells it too")
    listed = json.loads(servers.run("providers", "list", "--json").stdout)
    check(any(place in problem for problem in listed["problems"]), "and so does providers list")
    checked = servers.run("providers", "check")
    check(checked.returncode == 78 and place in checked.stderr, "providers check ends with 78", checked.returncode, 78)
    servers.file("fresh", {"openai": {"baseURL": servers.base + "/stolen"}})
    check(eventually(lambda: "sendsElsewhere" in (json.loads(proxy.ask("/-/status", method="GET")[2])["settings"]["problem"] or {}).get("message", ""), within=5),
          "a file that would send another provider's keys elsewhere is refused")
    os.chmod(path, 0o666)
    told = servers.run("providers", "check").stderr
    check("providers/fresh.json5" in told and "sendsElsewhere" not in told, "and one that others can write", told[-120:])
    os.remove(path)
    check(eventually(lambda: ask()[0] == 404, within=5), "a file that is gone takes its provider with it")


def schema(servers, proxy):
    """The JSON Schema by a validator that is not ours."""
    import json5
    import jsonschema
    document = json.loads(servers.run("providers", "schema").stdout)
    jsonschema.Draft202012Validator.check_schema(document)
    validator = jsonschema.Draft202012Validator(document)
    check(True, "provider.schema.json is a JSON Schema (draft 2020-12)")
    root = os.path.dirname(os.path.dirname(HERE))
    for name in sorted(os.listdir(os.path.join(root, "config/providers"))):
        with open(os.path.join(root, "config/providers", name)) as file:
            errors = [error.message for error in validator.iter_errors(json5.load(file))]
        check(not errors, f"{name} obeys it", errors[:2])
        check(subprocess.run([harness.BINARY, "providers", "check", os.path.join(root, "config/providers", name), "--state-dir", "/nonexistent"],
                             capture_output=True, env=clean_environment()).returncode == 0, f"and so says providers check of {name}")
    listed = [entry["id"] for entry in json.loads(servers.run("providers", "list", "--json").stdout)["providers"]]
    wrong = [name for name in listed if list(validator.iter_errors(json.loads(servers.run("providers", "show", name, "--json").stdout)))]
    check(len(listed) > 30 and not wrong, "every provider of the catalogue, written as a file, obeys it", f"{len(listed)} providers, {wrong}")
    for text in ('{"mine": {"baseURL": 1}}', '{"mine": {"nonsense": 1}}', '{"v 1": {}}', '{"mine": {"oauth": {"bodyForm": "xml"}}}',
                 '{"mine": {"exec": {"args": "x"}}}', '{"mine": {"http2": "no"}}', '{"mine": {"failover": []}}', "[]"):
        check(list(validator.iter_errors(json.loads(text))), f"it refuses {text}")


def suite():
    servers = Servers()
    servers.settings({})
    with Proxy(servers.state, environment=servers.environment) as proxy:
        for part in (browser_with_discovery, device, confidential, client_credentials, program, portals, hot, schema):
            harness.check.show(part.__name__)
            part(servers, proxy)
        log = proxy.output()
        check(SECRET not in log, "the client's secret is in no log")


if __name__ == "__main__":
    in_environment(suite, "plugins", PACKAGES)
