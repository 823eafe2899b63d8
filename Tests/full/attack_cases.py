"""Attacks by web pages, by names that lead here, by paths and by fields: the table that the suite `attacks` runs over every kind of connection.

A case says what is sent and what has to become of it: a code of README's list, or, where the request is harmless, what the provider may see of it.
"""

CHAT = "/openai/v1/chat/completions"
JSON = ("Content-Type", "application/json")
GOOD = "app://good.test"
KEYS = ("authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie", "proxy-authorization")
# HTTP/1.1 and WebSocket handshakes, in clear and over TLS; HTTP/2 in both ways.
LINES = "h1 tls ws wss"
FRAMES = "h2c h2"
ALL = f"{LINES} {FRAMES}"


def case(name, code, *fields, method=None, target=None, host="localhost", body=None, on=ALL, raw=None, pseudo=None, lacks=(), sees=()):
    """`code`: of the refusal; None: the provider is asked, sees `sees` in the head's text and none of `lacks`.

    `raw`: the bytes of an HTTP/1.1 request in place of all that; `pseudo`: the fields of an HTTP/2 request."""
    return {
        "name": name, "code": code, "fields": list(fields), "method": method, "target": target, "host": host, "body": body, "on": on.split(),
        "raw": raw, "pseudo": pseudo, "lacks": lacks, "sees": sees,
    }


def origin(value, *more, **options):
    return case(f"Origin: {value}", "origin_refused", ("Origin", value), *more, **options)


BROWSER = [
    *(origin(value) for value in (
        "https://evil.example", "https://evil.example:443", "http://localhost", "http://localhost:3000", "http://127.0.0.1:5392",
        "https://localhost", "null", "file://", "chrome-extension://abcdefghijklmnop", "moz-extension://0a1b", "app://evil.test",
        f"{GOOD}.evil.example", f"{GOOD}/", f"{GOOD}:80", "app://good.tes", f"{GOOD}, https://evil.example", "http://good.test", "*",
        "https://user@evil.example", "https://xn--lcalhost-54a", "x",
    )),
    case("an empty Origin", "origin_refused", ("Origin", "")),
    case("an admitted Origin before a strange one", "origin_refused", ("Origin", GOOD), ("Origin", "https://evil.example")),
    case("a strange Origin before an admitted one", "origin_refused", ("Origin", "https://evil.example"), ("Origin", GOOD)),
    case("an admitted Origin twice", "origin_refused", ("Origin", GOOD), ("Origin", GOOD)),
    origin("https://evil.example", ("Referer", "http://127.0.0.1:5392/")),
    origin("https://evil.example", ("Sec-Fetch-Site", "same-origin")),
    origin("https://evil.example", ("Sec-Fetch-Site", "none")),
    origin("https://evil.example", ("Content-Type", "text/plain"), body='{"model":"m"}', on="h1 tls h2c h2"),
    origin("https://evil.example", ("Content-Type", "application/x-www-form-urlencoded"), body="a=b", on="h1 tls h2c h2"),
    origin("null", ("Content-Type", "multipart/form-data; boundary=x"), body="--x--", on="h1 tls h2c h2"),
    origin("https://evil.example", ("Accept", "text/event-stream"), method="GET"),
    origin("https://evil.example", method="GET", target="/-/healthz"),
    origin("https://evil.example", method="GET", target="/-/status"),
    origin("https://evil.example", method="POST", target="/-/sessions/unpin?session=x", on="h1 tls h2c h2"),
    origin("https://evil.example", method="DELETE", target="/openai/v1/files/x", on="h1 tls h2c h2"),
    case("an image of another site", "cross_site_refused", ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")),
    case("a form of another site", "cross_site_refused", ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"),
         ("Content-Type", "application/x-www-form-urlencoded"), body="a=b", on="h1 tls h2c h2"),
    case("a link of another site", "cross_site_refused", ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-User", "?1"),
         method="GET"),
    case("a page of another port", "cross_site_refused", ("Sec-Fetch-Site", "same-site")),
    case("Sec-Fetch-Site twice", "cross_site_refused", ("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "cross-site")),
    case("Sec-Fetch-Site as a list", "cross_site_refused", ("Sec-Fetch-Site", "none, cross-site")),
    case("Sec-Fetch-Site that nobody knows", "cross_site_refused", ("Sec-Fetch-Site", "friendly")),
    case("Sec-Fetch-Site without a value", "cross_site_refused", ("Sec-Fetch-Site", "")),
    case("another site's Referer beside Sec-Fetch-Site", "cross_site_refused", ("Referer", "https://evil.example/"), ("Sec-Fetch-Site", "cross-site")),
    case("a preflight", "origin_refused", ("Origin", "https://evil.example"), ("Access-Control-Request-Method", "POST"),
         ("Access-Control-Request-Headers", "authorization"), method="OPTIONS", on="h1 tls h2c h2"),
    case("a preflight of a private network", "origin_refused", ("Origin", "https://evil.example"), ("Access-Control-Request-Method", "POST"),
         ("Access-Control-Request-Private-Network", "true"), method="OPTIONS", on="h1 tls h2c h2"),
    case("a preflight of nobody", "origin_refused", ("Origin", "null"), ("Access-Control-Request-Method", "PUT"), method="OPTIONS", on="h1 tls h2c h2"),
    case("a strange page with a good client key", "origin_refused", ("Origin", "https://evil.example"), ("Authorization", "Bearer {key}")),
    case("an admitted page", None, ("Origin", GOOD), ("Sec-Fetch-Site", "cross-site"), sees=["sk-attacks"], lacks=["access-control-"]),
    # Browsers before 2023: it may be an image of any page, whose answer the page cannot read.
    case("a GET of a browser that tells nothing", None, ("Referer", "https://evil.example/"), ("Accept", "image/*"), method="GET", sees=["sk-attacks"],
         lacks=["access-control-"]),
    case("an address that was typed", None, ("Sec-Fetch-Site", "none"), ("Sec-Fetch-Mode", "navigate"), method="GET", sees=["sk-attacks"]),
]

REBINDING = [
    *(case(f"Host: {host}", "wrong_host", host=host) for host in (
        "evil.example", "evil.example:5392", "127.0.0.1.evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "sub.localhost",
        "localhostx", "xlocalhost", "127.0.0.1x", "0.0.0.0", "0.0.0.0:5392", "192.168.1.2", "10.0.0.1:5392", "169.254.169.254", "[::]",
        "[2001:db8::1]", "[::ffff:192.168.1.2]", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "metadata.google.internal",
        "host.docker.internal", "api.openai.com",
    )),
    *(case(f"Host: {host}", "bad_request", host=host) for host in (
        "localhost@evil.example", "evil.example@localhost", "evil.example/localhost", "localhost#evil.example", "localhost?x", "localhost:80:80",
        "localhost:x", "local host", "[::1", "localhost, evil.example",
    )),
    *(case(f"Host: {host}", None, host=host, sees=["Host: 127.0.0.1:"]) for host in ("LocalHost", "127.0.0.1:1", "[::1]:80", "127.8.9.1")),
    case("a strange name in absolute form", "wrong_host", target="http://evil.example" + CHAT, host="evil.example", on=LINES),
    case("absolute form and Host differ", "bad_request", target="http://evil.example" + CHAT, on=LINES),
    case("absolute form is ours and Host is not", "bad_request", target="http://localhost" + CHAT, host="evil.example", on=LINES),
    case("absolute form with userinfo", "bad_request", target="http://a:b@localhost" + CHAT, on=LINES),
    case("absolute form of another scheme", "bad_request", target="file://localhost/etc/passwd", on=LINES),
    case("a strange name and a page of our own origin", "wrong_host", ("Origin", "http://evil.example:5392"), ("Sec-Fetch-Site", "same-origin"),
         host="evil.example:5392"),
    case("a strange name and a good client key", "wrong_host", ("Authorization", "Bearer {key}"), host="evil.example"),
    case("a strange name for the sign of life", "wrong_host", host="evil.example", method="GET", target="/-/healthz"),
    case("the provider's name in X-Forwarded-Host", None, ("X-Forwarded-Host", "evil.example"), ("Forwarded", "host=evil.example"),
         sees=["Host: 127.0.0.1:"]),
    case("two Hosts", "bad_request", ("Host", "evil.example"), on=LINES),
    case("no Host", "bad_request", host=None, on=LINES),
    case(":authority and Host differ", "bad_request", ("host", "evil.example"), on=FRAMES),
]

PLACES = [
    *(case(f"path {target}", code, target=target) for target, code in (
        ("//evil.example/v1/x", "bad_target"), ("/http://evil.example/", "no_route"), ("/evil.example/v1/x", "no_route"),
        ("/openai/../anthropic/v1/x", "bad_target"), ("/openai/%2e%2e/x", "bad_target"), ("/openai/.%2E/x", "bad_target"),
        ("/openai/v1/..%2f..%2fx", "bad_target"), ("/openai/v1/%5c..%5cx", "bad_target"), ("/openai/v1/..\\x", "bad_target"),
        ("/openai@evil.example/v1/x", "unknown_profile"), ("/openai@anthropic:key/v1/x", "unknown_profile"), ("/agents/../openai/v1/x", "bad_target"),
        ("/agents/nobody/openai/v1/x", "unknown_agent"), ("/-/../openai/v1/x", "bad_target"), ("/-/nothing", "unknown_path"),
        ("/openai@one@two/v1/x", "unknown_profile"), ("/openai@%ff/v1/x", "malformed_pin"),
    )),
    *(case(f"path {target}", "bad_request", target=target) for target in ("/openai/v1/x#@evil.example/", "/openai/v1/\u00e4", "/openai/v1/a b")),
    *(case(f"path {target}", None, target=target, sees=["Host: 127.0.0.1:"]) for target in (
        "/openai/v1/http:%2F%2F169.254.169.254/latest", "/openai/v1/%zz", "/openai/v1/x%00",
        "/openai/v1/x?url=http://169.254.169.254/&next=//evil.example",
    )),
    case("an encoded line break", None, target="/openai/v1/%0d%0aX-Injected:%201", lacks=["\nx-injected"], sees=[" /v1/%0d%0aX-Injected:%201 HTTP"]),
    case("a path of the provider's choice in a field", None, ("X-Original-URL", "http://evil.example/"), ("X-Rewrite-URL", "/evil"),
         sees=["Host: 127.0.0.1:", " /v1/"]),
    case("CONNECT", "method_refused", method="CONNECT", target="evil.example:443", host="evil.example:443", on="h1 tls"),
    case("TRACE", "method_refused", method="TRACE", on="h1 tls h2c h2"),
]

PINS = [
    case("two pins", "malformed_pin", ("Keybearer-Profile", "openai:default"), ("Keybearer-Profile", "openai:other")),
    case("the same pin twice", "malformed_pin", ("Keybearer-Profile", "openai:default"), ("Keybearer-Profile", "openai:default")),
    case("pins in path and field that differ", "contradicting_pins", ("Keybearer-Profile", "openai:other"), target="/openai@default/v1/x"),
    case("a pin that is no text", "malformed_pin", ("Keybearer-Profile", "%zz")),
    case("a pin to nobody", "unknown_profile", ("Keybearer-Profile", "openai:nobody")),
    case("a pin to another provider's profile", "unknown_profile", ("Keybearer-Profile", "anthropic:default")),
    case("two agents", "malformed_pin", ("Keybearer-Agent", "main"), ("Keybearer-Agent", "main")),
    case("agents in path and field that differ", "contradicting_pins", ("Keybearer-Agent", "other"), target="/agents/main/openai/v1/x"),
    case("fields that look like ours", None, ("Keybearer_Profile", "openai:other"), ("X-Keybearer-Profile", "a"), ("keybearer-other", "b"),
         lacks=["keybearer-other", "keybearer_profile"], sees=["sk-attacks-default"]),
    case("a client key that is none of ours", "key_refused", ("Authorization", "Bearer {key}x")),
    case("two client keys", "key_refused", ("Authorization", "Bearer {key}"), ("x-api-key", "{other}")),
    case("a client key outside its policy", "key_policy", ("Authorization", "Bearer {other}")),
    case("a client key in the query, outside its policy", "key_policy", target=CHAT + "?key={other}"),
    case("a client key whose name is encoded in the query", "key_policy", target=CHAT + "?k%65y={other}"),
]

FIELDS = [
    *(case(f"{name} of the client", None, (name, f"{value}canary-of-the-client"), lacks=["canary-of-the-client"], sees=["Authorization: Bearer sk-attacks"])
      for name, value in (
        ("Authorization", "Bearer "), ("Authorization", "Basic "), ("AUTHORIZATION", "bearer "), ("x-api-key", ""), ("X-API-KEY", ""),
        ("x-goog-api-key", ""), ("api-key", ""), ("Cookie", "a="), ("Proxy-Authorization", "Basic "), ("chatgpt-account-id", ""),
        ("OpenAI-Organization", ""), ("OpenAI-Project", ""),
    )),
    case("five credentials at once", None, ("Authorization", "Bearer canary-1"), ("Authorization", "Bearer canary-2"), ("x-api-key", "canary-3"),
         ("api-key", "canary-4"), ("Cookie", "canary-5"), lacks=["canary-"], sees=["Authorization: Bearer sk-attacks"]),
    *(case(f"a credential in the query, {name}", None, target=f"{CHAT}?a=1&{name}=canary-of-the-client&b=2", lacks=["canary-of-the-client"],
           sees=["a=1&b=2", "Authorization: Bearer sk-attacks"]) for name in ("key", "k%65y", "%6b%65%79")),
    *(case(f"Connection: {name}", "bad_request", ("Connection", name), on=LINES) for name in (
        "authorization", "Authorization, close", "x-api-key", "api-key", "x-goog-api-key", "host", "content-length", "content-type", "cookie",
        "transfer-encoding", "keybearer-profile", "chatgpt-account-id",
    )),
    case("a field that Connection names", None, ("Connection", "x-hop"), ("X-Hop", "canary-hop"), lacks=["canary-hop"], on=LINES),
    *(case(f"{name}", None, (name, "canary-hop"), lacks=["canary-hop"], on="h1 tls") for name in ("Keep-Alive", "Proxy-Connection", "Trailer")),
    case("Upgrade: h2c", None, ("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
         method="GET", on="h1 tls", lacks=["upgrade", "settings"], sees=["sk-attacks"]),
    case("Upgrade of another kind", "upgrade_not_served", ("Connection", "Upgrade"), ("Upgrade", "TLS/1.0"), method="GET", on="h1 tls"),
    case("Expect of something else", "bad_request", ("Expect", "200-ok"), body="{}", on="h1 tls"),
]


def raw(name, text, on="h1 tls", code="bad_request"):
    return case(name, code, raw=text.replace("\n", "\r\n").encode("latin-1"), on=on)


START = f"POST {CHAT} HTTP/1.1\nHost: localhost\n"
LINE_BY_LINE = [
    raw("a space before the colon", START + "Authorization : Bearer x\n\n"),
    raw("a tab before the colon", START + "Authorization\t: Bearer x\n\n"),
    raw("a folded line", START + "X-A: b\n Authorization: Bearer x\n\n"),
    raw("a first line that is folded", f"POST {CHAT} HTTP/1.1\n Host: localhost\n\n"),
    case("a bare line feed in a value", "bad_request", raw=START.replace("\n", "\r\n").encode() + b"X-A: b\nX-B: c\r\n\r\n", on="h1 tls"),
    raw("a bare carriage return in a value", START + "X-A: b\rAuthorization: Bearer x\n\n"),
    raw("NUL in a value", START + "X-A: b\0c\n\n"),
    raw("NUL in a name", START + "X\0A: b\n\n"),
    raw("a name without a value", START + "Authorization\n\n"),
    raw("no name", START + ": Bearer x\n\n"),
    raw("Content-Length and Transfer-Encoding", START + "Content-Length: 4\nTransfer-Encoding: chunked\n\n0\n\n"),
    raw("two Content-Lengths", START + "Content-Length: 0\nContent-Length: 4\n\n"),
    raw("a list of Content-Lengths", START + "Content-Length: 4, 4\n\nabcd"),
    raw("a negative Content-Length", START + "Content-Length: -1\n\n"),
    raw("a Content-Length with a sign", START + "Content-Length: +4\n\nabcd"),
    raw("a Content-Length beyond all numbers", START + "Content-Length: 18446744073709551616\n\n"),
    raw("Transfer-Encoding: xchunked", START + "Transfer-Encoding: xchunked\n\n0\n\n"),
    raw("Transfer-Encoding: chunked twice", START + "Transfer-Encoding: chunked, chunked\n\n0\n\n"),
    raw("Transfer_Encoding", START + "Transfer_Encoding: chunked\n\n0\n\n"),
    raw("Transfer-Encoding in HTTP/1.0", f"POST {CHAT} HTTP/1.0\nHost: localhost\nTransfer-Encoding: chunked\n\n0\n\n"),
    raw("HTTP/1.2", f"GET {CHAT} HTTP/1.2\nHost: localhost\n\n"),
    raw("HTTP/9.9", f"GET {CHAT} HTTP/9.9\nHost: localhost\n\n"),
    raw("two spaces in the first line", f"GET  {CHAT} HTTP/1.1\nHost: localhost\n\n"),
    raw("no version", f"GET {CHAT}\nHost: localhost\n\n"),
    raw("a method that is no token", f"GE(T {CHAT} HTTP/1.1\nHost: localhost\n\n"),
    raw("OPTIONS *", "OPTIONS * HTTP/1.1\nHost: localhost\n\n"),
    raw("a target without a slash", "GET openai/v1/x HTTP/1.1\nHost: localhost\n\n"),
    raw("a body with the handshake of a WebSocket", f"GET {CHAT} HTTP/1.1\nHost: localhost\nConnection: Upgrade\nUpgrade: websocket\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\nContent-Length: 2\n\n{}"),
    raw("a handshake of a WebSocket without a key", f"GET {CHAT} HTTP/1.1\nHost: localhost\nConnection: Upgrade\nUpgrade: websocket\n"
        "Sec-WebSocket-Version: 13\n\n"),
]

_PSEUDO = [(":method", "POST"), (":scheme", "http"), (":authority", "localhost"), (":path", CHAT)]


def framed(name, *fields, base=_PSEUDO, code="bad_request"):
    return case(name, code, pseudo=[*base, *fields], on=FRAMES)


FRAME_BY_FRAME = [
    framed("HTTP/2: connection", ("connection", "x-api-key")),
    framed("HTTP/2: transfer-encoding", ("transfer-encoding", "chunked")),
    framed("HTTP/2: keep-alive", ("keep-alive", "1")),
    framed("HTTP/2: upgrade", ("upgrade", "websocket")),
    framed("HTTP/2: proxy-connection", ("proxy-connection", "close")),
    framed("HTTP/2: te other than trailers", ("te", "gzip")),
    framed("HTTP/2: a name in upper case", ("Authorization", "Bearer x")),
    framed("HTTP/2: a line break in a value", ("x-a", "b\r\nauthorization: Bearer x")),
    framed("HTTP/2: a line break in a name", ("x-a: b\r\nx-b", "c")),
    framed("HTTP/2: a space before a name's end", ("authorization ", "Bearer x")),
    framed("HTTP/2: NUL in a value", ("x-a", "b\0")),
    framed("HTTP/2: two content-lengths", ("content-length", "0"), ("content-length", "4")),
    framed("HTTP/2: a content-length that the body has not", ("content-length", "4")),
    framed("HTTP/2: two paths", (":path", "/openai/v1/x")),
    framed("HTTP/2: a pseudo-field behind a field", base=[("x-a", "b"), *_PSEUDO]),
    framed("HTTP/2: a pseudo-field that nobody knows", base=[*_PSEUDO, (":protocol2", "x")]),
    framed("HTTP/2: no path", base=[field for field in _PSEUDO if field[0] != ":path"]),
    framed("HTTP/2: an empty path", base=[*_PSEUDO[:3], (":path", "")]),
    framed("HTTP/2: no method", base=_PSEUDO[1:]),
    framed("HTTP/2: no scheme", base=[_PSEUDO[0], *_PSEUDO[2:]]),
    framed("HTTP/2: another scheme", base=[_PSEUDO[0], (":scheme", "file"), *_PSEUDO[2:]]),
    framed("HTTP/2: a path with a version", base=[*_PSEUDO[:3], (":path", f"{CHAT} HTTP/1.1\r\nX-A: b")]),
    framed("HTTP/2: CONNECT", base=[(":method", "CONNECT"), (":authority", "evil.example:443")], code="method_refused"),
    framed("HTTP/2: a WebSocket by extended CONNECT", base=[(":method", "CONNECT"), (":protocol", "websocket"), *_PSEUDO[1:]]),
]

CASES = BROWSER + REBINDING + PLACES + PINS + FIELDS + LINE_BY_LINE + FRAME_BY_FRAME
