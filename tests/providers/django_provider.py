"""django-oauth-toolkit as a whole OpenID provider that nobody here wrote, in process, at https://provider.test.

    provider = DjangoProvider.started(directory)          # once in a process: Django's settings are the process's
    internet = Internet({provider.host: provider.app})
    callback = await provider.consent(internet, authorization_url)

It is set as its authors advise for RFC 9700: PKCE with S256, rotation that revokes the whole family on reuse, RS256.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx2
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.browser import Browser
from tests.internet import Application, Internet
from tests.page import Page

HOST = "provider.test"
ISSUER = f"https://{HOST}/o"
PARTS = ("django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider")
"""Their tables are made as their models say; their migrations lead there too, and take five times as long."""
LOGIN_PAGE = "<form method=post>{% csrf_token %}{{ form }}<button>Log in</button></form>"


@dataclass(frozen=True, slots=True)
class DjangoClient:
    """One registered application; `secret` is None for a public client."""

    client_id: str
    secret: str | None = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class DjangoProvider:
    """The provider that runs, who is registered, and the one person with her password."""

    app: Application
    confidential: DjangoClient
    public: DjangoClient
    username: str = "ada"
    password: str = field(default="correct horse battery staple", repr=False)
    host: str = HOST
    issuer: str = ISSUER

    @classmethod
    def started(cls, directory: Path, *, redirect_uri: str = "https://app.test/api/auth/callback") -> "DjangoProvider":
        """Set up Django in this process with its database in `directory`; to be called once."""
        with ThreadPoolExecutor(1) as thread:  # Django's database refuses a thread in which an event loop runs
            return thread.submit(cls._start, directory, redirect_uri).result()

    @classmethod
    def _start(cls, directory: Path, redirect_uri: str) -> "DjangoProvider":
        _configure(directory)
        from django.core.asgi import get_asgi_application
        from django.core.management import call_command

        app = get_asgi_application()
        provider = cls(
            app=app,
            confidential=DjangoClient("confidential-client", "s%cret with+odd/characters&", redirect_uri),
            public=DjangoClient("public-client", None, redirect_uri),
        )
        with _own_connection():
            call_command("migrate", run_syncdb=True, verbosity=0)
            provider._register()
        return provider

    async def admit(self, browser: Browser) -> Page:
        """Log in and agree, as far as this browser is asked to; return the page that one comes to."""
        if browser.page.has_button("Log in"):
            await browser.press("Log in", username=self.username, password=self.password)
        if browser.page.has_button("Authorize"):
            await browser.press("Authorize")
        return browser.page

    async def consent(self, internet: Internet, authorization_url: str) -> str:
        """Sign in with a fresh browser; return the address of the callback, whose host must not be in this internet."""
        browser = Browser(internet)
        with suppress(httpx2.ConnectError):
            await browser.open(authorization_url)
            await self.admit(browser)
        return browser.visited[-1]

    async def revoke_refresh_tokens(self) -> None:
        """Revoke every refresh token that is still good, as the person may at the provider's page."""
        await anyio.to_thread.run_sync(self._revoke)

    def _revoke(self) -> None:
        from oauth2_provider.models import RefreshToken

        with _own_connection():
            for token in RefreshToken.objects.filter(revoked__isnull=True):
                token.revoke()

    def _register(self) -> None:
        from django.contrib.auth.models import User
        from oauth2_provider.models import Application as Registration

        names = {"first_name": "Ada", "last_name": "Lovelace"}
        User.objects.create_user(self.username, "ada@contoso.test", self.password, **names)
        for client in (self.confidential, self.public):
            Registration.objects.create(
                name=client.client_id,
                client_id=client.client_id,
                client_secret=client.secret or "",
                client_type="confidential" if client.secret else "public",
                authorization_grant_type="authorization-code",
                redirect_uris=client.redirect_uri,
                post_logout_redirect_uris=client.redirect_uri.replace("/api/auth/callback", "/signed-out"),
                algorithm="RS256",
            )


@contextmanager
def _own_connection() -> Iterator[None]:
    """Close the database afterwards: what a thread leaves open is reported as a leak."""
    from django.db import connections

    try:
        yield
    finally:
        connections.close_all()


def _configure(directory: Path) -> None:
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="of a provider in a test",
        ALLOWED_HOSTS=[HOST],
        ROOT_URLCONF="tests.providers.django_urls",
        INSTALLED_APPS=[*PARTS],
        MIGRATION_MODULES=dict.fromkeys(name.rpartition(".")[2] for name in PARTS),
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        DATABASES={"default": _database(directory / "provider.db")},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],  # fast; its strength is not what we test
        TEMPLATES=_templates(),
        USE_TZ=True,
        OAUTH2_PROVIDER=_toolkit(),
    )
    django.setup()


def _database(file: Path) -> dict[str, Any]:
    """Return settings under which requests at the same time wait for each other instead of failing."""
    options = {"transaction_mode": "IMMEDIATE", "timeout": 20}
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file), "OPTIONS": options}


def _templates() -> list[dict[str, Any]]:
    own = ("django.template.loaders.locmem.Loader", {"registration/login.html": LOGIN_PAGE})
    loaders = [own, "django.template.loaders.app_directories.Loader"]
    return [{"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": loaders}}]


def _toolkit() -> dict[str, Any]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    advised = ("IMPLICIT_GRANT", "PASSWORD_GRANT", "PKCE_METHOD", "ACCESS_TOKEN_TRANSPORT", "AUTHZ_RESPONSE_ISS")
    return {
        "OIDC_ENABLED": True,
        "OIDC_ISS_ENDPOINT": ISSUER,
        "OIDC_RSA_PRIVATE_KEY": pem.decode(),
        "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
        "OIDC_RP_INITIATED_LOGOUT_ALWAYS_PROMPT": False,
        "OAUTH2_VALIDATOR_CLASS": "tests.providers.django_claims.PersonClaims",
        "SCOPES": {name: name.capitalize() for name in ("openid", "profile", "email", "offline_access", "read")},
        "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
        "REFRESH_TOKEN_REUSE_PROTECTION": True,
        "PKCE_REQUIRED": True,
        **{f"COMPLIANT_BCP_RFC9700_{name}": True for name in (*advised, "TOKEN_STORAGE")},
    }
