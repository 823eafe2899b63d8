"""What Authlib asks of whoever stores things for it: people, codes and refresh tokens."""
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, TokenMixin


class User:
    def __init__(self, name):
        self.name = name

    def get_user_id(self):
        return self.name


class Code(AuthorizationCodeMixin):
    def __init__(self, values, user):
        self.redirect_uri, self.scope, self.user = values.redirect_uri, values.scope, user
        self.code_challenge = values.data.get("code_challenge")
        self.code_challenge_method = values.data.get("code_challenge_method")

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope


class Refresh(TokenMixin):
    def __init__(self, client, user, scope):
        self.client, self.user, self.scope, self.is_used = client, user, scope, False

    def check_client(self, client):
        return client.client_id == self.client.client_id

    def get_scope(self):
        return self.scope

    def get_expires_in(self):
        return 0

    def is_expired(self):
        return False

    def is_revoked(self):
        return self.is_used
