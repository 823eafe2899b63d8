"""Servers for plugins.py. Authlib's authorization server with OpenID discovery, for clients without a secret, with one, and for themselves;
and, beside it, imitations of three portals by the facts of spec/credential-formats.md §3.3 and §4.5: nobody's code but this file's.

It prints its port. `/test/…` are the doors by which the suite plays the person.
"""
import base64
import hashlib
import json
import logging
import os
import secrets
import socket
import threading
import time

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.integrations.flask_oauth2 import AuthorizationServer  # noqa: E402
from authlib.oauth2.rfc6749 import ClientMixin, grants  # noqa: E402
from authlib.oauth2.rfc7636 import CodeChallenge  # noqa: E402
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint, DeviceCodeGrant, DeviceCredentialDict  # noqa: E402
from authlib_models import Code, Refresh, User  # noqa: E402
from flask import Flask, jsonify, redirect, request  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

DEVICE = DeviceCodeGrant.GRANT_TYPE
REDIRECT = os.environ["REDIRECT_URI"]
SECRET = os.environ["CLIENT_SECRET"]
logging.getLogger("werkzeug").setLevel(logging.ERROR)

app = Flask(__name__)
# Parameters are shown in the order in which they came.
app.json.sort_keys = False
lock = threading.Lock()
codes, devices, refreshes = {}, {}, {}
# What each access token stands for.
live = {}
seen = []
steering = {"slow_down": 0, "issuer": None}


# MARK: - Authlib

class Client(ClientMixin):
    scope = "openid email offline_access llm"

    def __init__(self, name, method, types):
        self.client_id, self.method, self.types = name, method, types

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return REDIRECT

    def get_allowed_scope(self, scope):
        return " ".join(name for name in (scope or "").split() if name in self.scope.split())

    def check_redirect_uri(self, uri):
        return uri == REDIRECT

    def check_client_secret(self, secret):
        return secret == SECRET

    def check_endpoint_auth_method(self, method, _):
        return method == self.method

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type in self.types


LOGIN = ("authorization_code", "refresh_token", DEVICE)
clients = {client.client_id: client for client in [
    Client("public", "none", LOGIN), Client("confidential", "client_secret_basic", LOGIN),
    Client("service", "client_secret_basic", ("client_credentials",)), Client("service-post", "client_secret_post", ("client_credentials",)),
]}
METHODS = ["none", "client_secret_basic", "client_secret_post"]


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def save_authorization_code(self, code, request):
        codes[code] = Code(request.payload, request.user)

    def query_authorization_code(self, code, client):
        return codes.get(code)

    def delete_authorization_code(self, authorization_code):
        for code in [name for name, value in codes.items() if value is authorization_code]:
            del codes[code]

    def authenticate_user(self, authorization_code):
        return authorization_code.user


class RefreshGrant(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        found = refreshes.get(refresh_token)
        return found if found and not found.is_used else None

    def authenticate_user(self, refresh_token):
        return refresh_token.user

    def revoke_old_credential(self, refresh_token):
        refresh_token.is_used = True


class ServiceGrant(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS


class DeviceGrant(DeviceCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def query_device_credential(self, device_code):
        return next((entry["credential"] for entry in devices.values() if entry["credential"]["device_code"] == device_code), None)

    def query_user_grant(self, user_code):
        decision = devices[user_code]["decision"]
        return None if decision is None else (User(decision[0]), decision[1])

    def should_slow_down(self, credential):
        with lock:
            if steering["slow_down"] > 0:
                steering["slow_down"] -= 1
                return True
        return False


class DeviceStart(DeviceAuthorizationEndpoint):
    CLIENT_AUTH_METHODS = ["none"]
    INTERVAL = 1

    def get_verification_uri(self):
        return request.host_url + "device"

    def save_device_credential(self, client_id, scope, data):
        credential = DeviceCredentialDict(
            client_id=client_id, scope=scope, expires_at=int(time.time()) + 600, **{
                name: data[name] for name in ("device_code", "user_code")})
        devices[data["user_code"]] = {"credential": credential, "decision": None}


def access_token(client, grant_type, user, scope):
    claims = {"sub": user.name if user else client.client_id, "n": secrets.token_hex(4), "exp": int(time.time()) + 3600,
              "org": {"id": f"org-{user.name}"} if user else None, "mail": f"{user.name}@plugins.example" if user else None}
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{part}.c2ln"


def save_token(token, request):
    live[token["access_token"]] = request.client.client_id
    if "refresh_token" in token:
        refreshes[token["refresh_token"]] = Refresh(request.client, request.user, token.get("scope"))


app.config.update(
    OAUTH2_ACCESS_TOKEN_GENERATOR=access_token, OAUTH2_REFRESH_TOKEN_GENERATOR=True,
    OAUTH2_TOKEN_EXPIRES_IN={"authorization_code": 3600, "refresh_token": 3600, "client_credentials": 3600, DEVICE: 3600})
server = AuthorizationServer(app, query_client=clients.get, save_token=save_token)
server.register_grant(CodeGrant, [CodeChallenge(required=True)])
server.register_grant(RefreshGrant)
server.register_grant(ServiceGrant)
server.register_grant(DeviceGrant)
server.register_endpoint(DeviceStart)


def note(door):
    seen.append({"door": door, "form": dict(request.form), "query": dict(request.args), "authorization": request.headers.get("Authorization")})


@app.get("/realm/.well-known/openid-configuration")
def discovery():
    note("discovery")
    home = request.host_url + "realm"
    return jsonify({"issuer": steering["issuer"] or home, "authorization_endpoint": home + "/authorize", "token_endpoint": home + "/token",
                    "device_authorization_endpoint": home + "/device_authorization", "userinfo_endpoint": home + "/me"})


@app.get("/realm/authorize")
def authorize():
    note("authorize")
    user = User(request.args["user"])
    return server.create_authorization_response(grant=server.get_consent_grant(end_user=user), grant_user=user)


@app.post("/realm/token")
def token():
    note("token")
    return server.create_token_response()


@app.post("/realm/device_authorization")
def device_authorization():
    note("device")
    return server.create_endpoint_response(DeviceStart.ENDPOINT_NAME)


# MARK: - Imitations

def s256(verifier):
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def issue(portal):
    pair = (f"{portal}-at-{secrets.token_hex(16)}", f"{portal}-rt-{secrets.token_hex(16)}")
    live[pair[0]] = portal
    refreshes[pair[1]] = portal
    return pair


def spend(refresh, portal):
    return refreshes.pop(refresh, None) == portal


attempts = {}


@app.post("/qwen/api/v1/oauth2/device/code")
def qwen_start():
    note("qwen-start")
    form = request.form
    if form.get("client_id") != "f0304373b74a44d2b584a3fb70ca9e56" or form.get("code_challenge_method") != "S256" or not form.get("scope"):
        return jsonify({"error": "invalid_request"}), 400
    code = "QWEN" + secrets.token_hex(2).upper()
    attempts[code] = {"device": secrets.token_hex(16), "challenge": form["code_challenge"], "decision": None, "slow": True}
    page = request.host_url + "qwen/authorize"
    return jsonify({"device_code": attempts[code]["device"], "user_code": code, "verification_uri": page,
                    "verification_uri_complete": f"{page}?user_code={code}&client=qwen-code", "expires_in": 900, "interval": 1})


@app.post("/qwen/api/v1/oauth2/token")
def qwen_token():
    note("qwen-token")
    form = request.form
    if form.get("grant_type") == "refresh_token":
        if not spend(form.get("refresh_token"), "qwen"):
            return jsonify({"error": "whatever", "error_description": "Invalid refresh token"}), 400
    else:
        attempt = next((entry for entry in attempts.values() if entry.get("device") == form.get("device_code")), None)
        if form.get("grant_type") != DEVICE or attempt is None or s256(form.get("code_verifier", "")) != attempt["challenge"]:
            return jsonify({"error": "invalid_grant"}), 400
        if attempt.pop("slow", False):
            return jsonify({"error": "slow_down"}), 429
        if attempt["decision"] is None:
            return jsonify({"error": "authorization_pending"}), 400
    access, refresh = issue("qwen")
    return jsonify({"access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": 21600,
                    "resource_url": request.host_url + "qwen/portal/v1"})


@app.get("/chutes/idp/authorize")
def chutes_authorize():
    note("chutes-authorize")
    codes["chutes-code"] = request.args["code_challenge"]
    return redirect(f"{request.args['redirect_uri']}?code=chutes-code&state={request.args['state']}")


@app.post("/chutes/idp/token")
def chutes_token():
    note("chutes-token")
    form = request.form
    if form.get("client_id") != "my-chutes-app":
        return jsonify({"error": "invalid_client"}), 401
    if form.get("grant_type") == "refresh_token":
        if not spend(form.get("refresh_token"), "chutes"):
            return jsonify({"error": "invalid_grant"}), 400
    elif s256(form.get("code_verifier", "")) != codes.pop(form.get("code"), None):
        return jsonify({"error": "invalid_grant"}), 400
    access, refresh = issue("chutes")
    return jsonify({"access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": 3600})


@app.get("/chutes/idp/userinfo")
def chutes_userinfo():
    note("chutes-userinfo")
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return jsonify({"sub": "chutes-user-1", "username": "ann"}) if live.get(bearer) == "chutes" else (jsonify({}), 401)


@app.post("/minimax/oauth/code")
def minimax_start():
    note("minimax-start")
    form = request.form
    if form.get("response_type") != "code" or form.get("client_id") != "78257093-7e40-4613-99e0-527b14b39113" or "state" not in form:
        return jsonify({"error": "invalid_request"}), 400
    code = "MM-" + secrets.token_hex(2).upper()
    attempts[code] = {"challenge": form["code_challenge"], "decision": None}
    return jsonify({"user_code": code, "verification_uri": request.host_url + "minimax/verify", "interval": 1,
                    "expired_in": int((time.time() + 300) * 1000), "state": steering.get("state") or form["state"]})


@app.post("/minimax/oauth/token")
def minimax_token():
    note("minimax-token")
    form = request.form
    if form.get("grant_type") == "refresh_token":
        if not spend(form.get("refresh_token"), "minimax"):
            return jsonify({"status": "error", "base_resp": {"status_msg": "refresh token is invalid"}}), 400
        # The other unit: a life in seconds.
        end = 7200
    else:
        attempt = attempts.get(form.get("user_code"))
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:user_code" or attempt is None \
                or s256(form.get("code_verifier", "")) != attempt["challenge"]:
            return jsonify({"status": "error"}), 400
        if attempt["decision"] is None:
            return jsonify({"status": "pending"})
        if not attempt["decision"]:
            return jsonify({"status": "error"})
        end = int((time.time() + 5400) * 1000)
    access, refresh = issue("minimax")
    return jsonify({"status": "success", "access_token": access, "refresh_token": refresh, "expired_in": end, "token_type": "Bearer"})


# MARK: - A model API, and the doors

@app.route("/<path:rest>", methods=["GET", "POST"])
def model(rest):
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    note("model:" + rest)
    seen[-1] |= {"live": live.get(bearer), "account": request.headers.get("X-Org"), "bearer": bearer}
    return jsonify({"ok": True}) if bearer in live else (jsonify({"error": {"code": "token_expired"}}), 401)


@app.post("/test/decide")
def decide():
    code = request.json["user_code"]
    if code in devices:
        devices[code]["decision"] = (request.json["user"], request.json.get("approve", True))
    else:
        attempts[code]["decision"] = request.json.get("approve", True)
    return jsonify({})


@app.post("/test/steer")
def steer():
    steering.update(request.json)
    return jsonify({})


@app.post("/test/revoke")
def revoke():
    live.pop(request.json["token"], None)
    return jsonify({})


@app.post("/test/allow")
def allow():
    live[request.json["token"]] = "allowed"
    return jsonify({})


@app.get("/test/seen")
def tell():
    return jsonify(seen)


http = make_server("127.0.0.1", 0, app, threaded=True)
http.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
print(http.port, flush=True)
http.serve_forever()
