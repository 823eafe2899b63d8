"""Every pairing of HTTP versions, byte for byte, against servers that are not ours: the packages h2 and h11, hypercorn, nginx."""
import json
import os
import socket
import subprocess

from harness import AGENT, Proxy, check, environment, eventually, main, spawn, temporary_folder, tool, write_store, BINARY, clean_environment

STREAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Corpus", "sse.jsonl")
NGINX = """
daemon off; error_log stderr crit; pid {folder}/nginx.pid;
events {{ worker_connections 256; }}
http {{
    access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port} ssl http2; ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
        root {folder}/files; client_max_body_size 64m;
    }}
}}
"""

APP = """
import hashlib
async def app(scope, receive, send):
    digest, count = hashlib.sha256(), 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return
        digest.update(message.get("body", b""))
        count += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    text = f"{scope['http_version']} {count} {digest.hexdigest()}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": text})
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Scene:
    """Three providers over TLS, each under two names: one that may agree on HTTP/2, one that may not. The first is there in clear, too."""

    def __init__(self, python):
        self.folder = temporary_folder()
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{self.folder}/key.pem",
             "-out", f"{self.folder}/cert.pem", "-days", "3", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
            check=True, capture_output=True)
        here = os.path.dirname(os.path.abspath(__file__))
        upstream = spawn(
            [python, "-B", f"{here}/matrix-upstream.py", f"{self.folder}/cert.pem", f"{self.folder}/key.pem", STREAMS], stdout=subprocess.PIPE)
        secured, clear = map(int, upstream.stdout.readline().split())
        self.ports = ports = {"peer": secured, "clear": clear, "corn": free_port(), "ngin": free_port()}
        self.start_others(python, ports)
        self.state = os.path.join(self.folder, "state")
        os.makedirs(os.path.join(self.state, AGENT))
        write_store(self.state, {f"{name}:a": {"type": "api_key", "provider": name, "key": f"sk-{name}-0123456789abcdef"} for name in self.providers(ports)})
        made = subprocess.run(
            [BINARY, "tls", "init", "--json", "--state-dir", self.state], capture_output=True, env=clean_environment(), check=True)
        self.files = json.loads(made.stdout)
        tls = {"certFile": self.files["certFile"], "keyFile": self.files["keyFile"]}
        with open(f"{self.state}/keybearer.json5", "w") as file:
            json.dump({
                "listen": ["127.0.0.1:0", {"address": "127.0.0.1:0", "tls": tls}],
                "upstream": {"caFile": f"{self.folder}/cert.pem"},
                "providers": self.providers(ports),
            }, file)

    @staticmethod
    def providers(ports):
        names = {"new": ("peer", True), "old": ("peer", False), "corn2": ("corn", True), "corn1": ("corn", False), "ngin2": ("ngin", True),
                 "ngin1": ("ngin", False)}
        secured = {name: {"baseURL": f"https://localhost:{ports[server]}", "http2": http2} for name, (server, http2) in names.items()}
        return {**secured, "clear": {"baseURL": f"http://127.0.0.1:{ports['clear']}"}}

    def start_others(self, python, ports):
        with open(f"{self.folder}/app.py", "w") as file:
            file.write(APP)
        spawn([os.path.join(os.path.dirname(python), "hypercorn"), "--workers", "0", "-b", f"127.0.0.1:{ports['corn']}", "--certfile", f"{self.folder}/cert.pem",
               "--keyfile", f"{self.folder}/key.pem", "app:app"], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.makedirs(f"{self.folder}/files")
        with open(f"{self.folder}/files/large", "wb") as file:
            file.write(os.urandom(20 << 20))
        with open(f"{self.folder}/nginx.conf", "w") as file:
            file.write(NGINX.format(folder=self.folder, port=ports["ngin"]))
        # Its workers are another user's, who may not look into our folder, unless there is only one process.
        spawn([tool("nginx"), "-c", f"{self.folder}/nginx.conf", "-g", "master_process off;"], stderr=subprocess.DEVNULL)
        for port in (ports["corn"], ports["ngin"]):
            eventually(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, within=15)


def others(scene, proxy, tls_port):
    """hypercorn and nginx, by curl, in every pairing."""
    plain = f"http://127.0.0.1:{proxy.port}"
    ways = {
        "h1": ["--http1.1", plain], "h2c": ["--http2-prior-knowledge", plain],
        "h2 TLS": ["--http2", "--cacert", scene.files["caFile"], f"https://localhost:{tls_port}"],
        "h1 TLS": ["--http1.1", "--cacert", scene.files["caFile"], f"https://localhost:{tls_port}"],
    }
    large = f"{scene.folder}/files/large"
    digest = subprocess.run(["sha256sum", large], capture_output=True).stdout.split()[0].decode()

    def curl(way, target, *arguments):
        *flags, base = ways[way]
        return subprocess.run([tool("curl"), "-sS", "-m", "60", *flags, *arguments, base + target], capture_output=True).stdout

    for way in ways:
        for version, number in (("h1", 1), ("h2", 2)):
            answer = curl(way, f"/corn{number}/x", "--data-binary", f"@{large}", "-H", "content-type: a/b").decode()
            wanted = f"{'1.1' if number == 1 else '2'} {20 << 20} {digest}"
            check(answer == wanted, f"{way} to hypercorn over {version}: 20 MiB up", answer[:80])
            got = curl(way, f"/ngin{number}/large")
            with open(large, "rb") as file:
                check(got == file.read(), f"{way} to nginx over {version}: 20 MiB down", len(got))
            head = curl(way, f"/ngin{number}/large", "-I").decode().lower()
            check(" 200" in head and f"content-length: {20 << 20}" in head, f"{way} to nginx over {version}: HEAD", len(head))
            tag = next(line for line in head.split("\r\n") if line.startswith("etag: "))[6:]
            code = curl(way, f"/ngin{number}/large", "-o", "/dev/null", "-w", "%{http_code} %{size_download}", "-H", f"if-none-match: {tag}").decode()
            check(code == "304 0", f"{way} to nginx over {version}: 304", code)


def suite():
    python = environment("http2", ["h2", "hypercorn"])
    scene = Scene(python)
    arguments = ["serve", "--state-dir", scene.state]
    proxy = Proxy.__new__(Proxy)
    super(Proxy, proxy).__init__(arguments, scene.folder, r"listening on 127\.0\.0\.1:(\d+), https://127\.0\.0\.1:(\d+)")
    proxy.port, tls_port = int(proxy.ready[1]), int(proxy.ready[2])
    with proxy:
        others(scene, proxy, tls_port)
        here = os.path.dirname(os.path.abspath(__file__))
        done = subprocess.run(
            [python, "-B", f"{here}/matrix-client.py", str(proxy.port), str(tls_port), scene.files["caFile"], STREAMS, str(proxy.pid),
             str(scene.ports["peer"]), f"{scene.folder}/cert.pem"], capture_output=True, timeout=900)
        if done.returncode:
            raise RuntimeError(done.stderr.decode()[-3000:])
        for name, fault in json.loads(done.stdout).items():
            check(fault is None, name, fault or "")
        check(proxy.is_alive, "the server is still there")


main(suite)
