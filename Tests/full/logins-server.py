"""An authorization server made of Authlib on Flask, for logins.py: codes with PKCE, RFC 8628 device codes, rotating refresh tokens.

It prints its port. `/test/…` are the doors by which a suite plays the person and the network; everything else is Authlib's.
"""
import base64
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
from flask import Flask, jsonify, request  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

DEVICE = DeviceCodeGrant.GRANT_TYPE
REDIRECT = os.environ["REDIRECT_URI"]
logging.getLogger("werkzeug").setLevel(logging.ERROR)

app = Flask(__name__)
lock = threading.Lock()
codes, devices, grants_by_refresh, live_access = {}, {}, {}, set()
seen = {"token": [], "authorize": [], "polls": [], "bearers": []}
steering = {"slow_down": 0, "token_delay": 0.0, "device_life": 600, "client_error": None}


class Client(ClientMixin):
    """A public client: it has no secret, and proves itself by PKCE."""
    client_id = "authlib-client"
    scope = "openid profile email offline_access"

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return REDIRECT

    def get_allowed_scope(self, scope):
        return " ".join(name for name in (scope or "").split() if name in self.scope.split())

    def check_redirect_uri(self, uri):
        return uri == REDIRECT

    def check_client_secret(self, _):
        return False

    def check_endpoint_auth_method(self, method, _):
        return method == "none"

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type in ("authorization_code", "refresh_token", DEVICE)


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["none"]

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
    TOKEN_ENDPOINT_AUTH_METHODS = ["none"]
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        found = grants_by_refresh.get(refresh_token)
        return found if found and not found.is_used else None

    def authenticate_user(self, refresh_token):
        return refresh_token.user

    def revoke_old_credential(self, refresh_token):
        refresh_token.is_used = True


class DeviceGrant(DeviceCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["none"]

    def query_device_credential(self, device_code):
        seen["polls"].append(time.monotonic())
        return next((entry["credential"] for entry in devices.values() if entry["credential"]["device_code"] == device_code), None)

    def query_user_grant(self, user_code):
        decision = devices[user_code]["decision"]
        return None if decision is None else (User(decision[0]), decision[1])

    def should_slow_down(self, credential):
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
            client_id=client_id, scope=scope, expires_at=int(time.time()) + steering["device_life"], **{
                name: data[name] for name in ("device_code", "user_code")})
        devices[data["user_code"]] = {"credential": credential, "decision": None}


def access_token(client, grant_type, user, scope):
    """A JWT with the claims of a ChatGPT token; nobody here checks its signature."""
    claims = {
        "iss": "http://issuer.example", "sub": f"sub-{user.name}", "n": secrets.token_hex(4), "exp": int(time.time()) + 3600,
        "https://api.openai.com/auth": {"chatgpt_account_id": f"acct-{user.name}", "chatgpt_user_id": f"user-{user.name}"},
        "https://api.openai.com/profile": {"email": f"{user.name}@authlib.example"},
    }
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{part}.c2ln"


def save_token(token, request):
    live_access.add(token["access_token"])
    if "refresh_token" in token:
        grants_by_refresh[token["refresh_token"]] = Refresh(request.client, request.user, token.get("scope"))


app.config.update(
    OAUTH2_ACCESS_TOKEN_GENERATOR=access_token, OAUTH2_REFRESH_TOKEN_GENERATOR=True,
    OAUTH2_TOKEN_EXPIRES_IN={"authorization_code": 3600, "refresh_token": 3600, DEVICE: 3600})
server = AuthorizationServer(app, query_client=lambda name: Client() if name == Client.client_id else None, save_token=save_token)
server.register_grant(CodeGrant, [CodeChallenge(required=True)])
server.register_grant(RefreshGrant)
server.register_grant(DeviceGrant)
server.register_endpoint(DeviceStart)


@app.get("/authorize")
def authorize():
    """The person signs in as `user`, which the suite adds to the address; as nobody, they say no."""
    seen["authorize"].append(request.full_path)
    name = request.args.get("user")
    grant = server.get_consent_grant(end_user=User(name) if name else None)
    return server.create_authorization_response(grant=grant, grant_user=User(name) if name else None)


@app.post("/token")
def token():
    with lock:
        seen["token"].append(dict(request.form))
    time.sleep(steering["token_delay"])
    return server.create_token_response()


@app.post("/device_authorization")
def device_authorization():
    return server.create_endpoint_response(DeviceStart.ENDPOINT_NAME)


@app.post("/model/responses")
def model():
    """Stands for the model API: says whether the access token is a live one."""
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    seen["bearers"].append({"live": bearer in live_access, "account": request.headers.get("ChatGPT-Account-Id"), "value": bearer})
    return jsonify({"ok": True}) if bearer in live_access else (jsonify({"error": {"code": "token_expired"}}), 401)


@app.post("/test/decide")
def decide():
    devices[request.json["user_code"]]["decision"] = (request.json["user"], request.json["approve"])
    return jsonify({})


@app.post("/test/steer")
def steer():
    steering.update(request.json)
    return jsonify({})


@app.get("/test/seen")
def tell():
    return jsonify(seen)


http = make_server("127.0.0.1", 0, app, threaded=True)
http.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
print(http.port, flush=True)
http.serve_forever()
