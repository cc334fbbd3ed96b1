"""An OpenID provider as the standards have it: signs in whoever `person` is, without a page, and tells who signs out.

Its signing key is the test's, so that logout tokens of every kind can be made (`logout_token`).
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from tests.authority_app import ABSENT, CLIENT, AuthorityApp, answer, compact, token

HOST = "idp.example"
ISSUER = f"https://{HOST}/v2.0"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


class StandardProvider(AuthorityApp):
    """Authorization code, refresh, revocation and end of session; `asked` lists what came to which endpoint."""

    def __init__(self, now: Callable[[], datetime], *, host: str = HOST) -> None:
        super().__init__(f"https://{host}")
        self._now = now
        self.issuer: str = self.metadata["issuer"]
        self.person: dict[str, Any] = {"sub": "ada", "sid": "first-sid"}
        self.metadata |= {
            "authorization_endpoint": f"https://{host}/authorize",
            "token_endpoint": f"https://{host}/token",
            "end_session_endpoint": f"https://{host}/logout",
            "userinfo_endpoint": None,
        }
        self.opaque: dict[str, dict[str, Any]] = {}
        """What the introspection endpoint says of which token."""
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.at_renewal: dict[str, Any] = {}
        """What an ID token of a renewal says beside `sub`: less than that of the sign-in, as the standard lets it."""
        self._codes: dict[str, dict[str, Any]] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        if path == "/token":
            await _json(send, self._granted(await self._form(path, receive)))
        elif path == "/revoke":
            await self._form(path, receive)
            await (self.answers.get(path) or answer(b"{}"))(scope, receive, send)
        elif path == "/introspect":
            said = await self._form(path, receive)
            known = self.opaque.get(said["token"], {"active": False})
            await (self.answers.get(path) or answer(json.dumps(known).encode()))(scope, receive, send)
        elif path in {"/authorize", "/logout"}:
            query = dict(parse_qsl(scope["query_string"].decode()))
            self.asked.append((path, query))
            await _redirect(send, self._back(query) if path == "/authorize" else query["post_logout_redirect_uri"])
        else:
            await super().__call__(scope, receive, send)

    def calls(self, path: str) -> list[dict[str, str]]:
        """Return what each request to this endpoint said."""
        return [said for where, said in self.asked if where == path]

    def logout_token(self, *, header: dict[str, Any] | None = None, signer: str = "one", **changes: Any) -> str:
        """Return a good logout token for the person with these changes to its claims and header."""
        seconds = int(self._now().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": seconds,
            "exp": seconds + 120,
            "jti": f"token-{len(self._codes)}-{seconds}",
            "events": {EVENT: {}},
            **self.person,
        } | changes
        head = {"typ": "logout+jwt", "alg": "RS256", "kid": "one"} | (header or {})
        return compact(_present(head), _present(claims), signer=signer)

    def access_token(self, *, header: dict[str, Any] | None = None, signer: str = "one", **changes: Any) -> str:
        """Return a good RFC 9068 access token for the person with these changes to its claims and header."""
        claims = self.granted() | {"iss": self.issuer, "jti": "a"} | changes
        head = {"typ": "at+jwt", "alg": "RS256", "kid": "one"} | (header or {})
        return compact(_present(head), _present(claims), signer=signer)

    def granted(self, **changes: Any) -> dict[str, Any]:
        """Return what an access token of the person says, and the answer about an opaque one."""
        seconds = int(self._now().timestamp())
        said = {"aud": CLIENT, "iat": seconds, "exp": seconds + 3600, "client_id": "spa", "scope": "orders.read"}
        return _present(said | {"sub": self.person["sub"]} | changes)

    async def _form(self, path: str, receive: Any) -> dict[str, str]:
        said = dict(parse_qsl((await receive())["body"].decode()))
        self.asked.append((path, said))
        return said

    def _back(self, query: dict[str, str]) -> str:
        code = f"code-{len(self._codes)}"
        self._codes[code] = {"nonce": query["nonce"], **self.person}
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def _granted(self, form: dict[str, str]) -> dict[str, Any]:
        renewed = form["grant_type"] == "refresh_token"
        number = form["refresh_token" if renewed else "code"].rpartition("-")[2]
        said = self._codes[f"code-{number}"]
        if renewed:
            said = {"sub": said["sub"], "nonce": ABSENT, "name": ABSENT, "preferred_username": ABSENT} | self.at_renewal
        id_token = token(now=self._now(), iss=self.issuer, **({"tid": ABSENT, "oid": ABSENT} | said))
        return {
            "token_type": "Bearer",
            "access_token": f"access-{number}",
            "expires_in": 3600,
            "refresh_token": f"refresh-{number}",
            "id_token": id_token,
        }


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not ABSENT}


async def _redirect(send: Any, url: str) -> None:
    await send({"type": "http.response.start", "status": 302, "headers": [(b"location", url.encode())]})
    await send({"type": "http.response.body", "body": b""})


async def _json(send: Any, document: dict[str, Any]) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})
