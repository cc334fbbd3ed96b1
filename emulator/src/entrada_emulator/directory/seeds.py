"""The default directory: two organisations, a hostile one, people and applications for each case.

Every id is fixed. Every password and secret says that it is not real.
"""

from functools import cache
from pathlib import Path

from entrada_emulator.directory.model import (
    GRAPH_APP_ID,
    PERSONAL_TENANT,
    TENANT_MARK,
    Application,
    AppRole,
    Group,
    Home,
    RedirectUri,
    Scope,
    Secret,
    Tenant,
    User,
)
from entrada_emulator.directory.seeds_customers import FAMILY, SHOP, customer_applications, customers
from entrada_emulator.directory.world import World
from entrada_emulator.directory.world_checks import checked_world

PICTURES = Path(__file__).parent / "pictures"
"""Drawn for this; of nobody."""
PASSWORD = "not-a-real-password"  # noqa: S105 - everybody's, shown on the sign-in page
TOTP_SECRET = "EMULATORNOTREALSECRETAAAAAAAAAAA"  # noqa: S105 - base32, shown on the sign-in page

BIRCH = Tenant(f"{TENANT_MARK}0001-4000-8000-000000000001", "Birch Works", ("birch.example", "birchworks.example"))
CEDAR = Tenant(f"{TENANT_MARK}0002-4000-8000-000000000002", "Cedar Labs", ("cedar.example",), region="NA")
PERSONAL = Tenant(PERSONAL_TENANT, "Personal accounts", ("outlook.example",))
NETTLE = Tenant(f"{TENANT_MARK}0666-4000-8000-000000000666", "Nettle (hostile)", ("nettle.example",), hostile=True)

WEB_APP = "a0000000-0000-4000-8000-000000000001"
SPA = "a0000000-0000-4000-8000-000000000002"
PUBLIC_CLIENT = "a0000000-0000-4000-8000-000000000003"
DAEMON = "a0000000-0000-4000-8000-000000000004"
API = "a0000000-0000-4000-8000-000000000005"
MULTI_TENANT_APP = "a0000000-0000-4000-8000-000000000006"
UNCONSENTED_APP = "a0000000-0000-4000-8000-000000000007"
ASSIGNED_ONLY_APP = "a0000000-0000-4000-8000-000000000008"
INTRANET = "a0000000-0000-4000-8000-000000000009"
LEDGER_API = "a0000000-0000-4000-8000-000000000010"
CALCULATOR = "a0000000-0000-4000-8000-000000000021"
LEDGER_URI = "https://ledger.birch.example"

EVERYONES_ADDRESSES = (
    "http://localhost/signed-out",
    "http://localhost/api/auth/onboarding/return",
    "https://portal.birch.example/api/auth/callback",
    "https://portal.birch.example/api/auth/onboarding/return",
    "https://portal.birch.example/callback",
    "https://portal.birch.example/signed-out",
    "https://portal.birch.example/onboarding/return",
)

ENGINEERING = "b0000000-0000-4000-8000-000000000001"
FINANCE = "b0000000-0000-4000-8000-000000000002"
CEDAR_STAFF = "b0000000-0000-4000-8000-000000000003"
MANY_GROUPS = 205  # more than the 200 that fit into a token

OIDC = ("openid", "profile", "email", "offline_access")


@cache
def default_world() -> World:
    """The directory used when no file is given; it is immutable, and made once."""
    return checked_world(
        tenants=(BIRCH, CEDAR, NETTLE, PERSONAL, SHOP, FAMILY),
        users=(*_people(), *customers(PASSWORD)),
        groups=_groups(),
        applications=(*_applications(), *customer_applications()),
    )


def _groups() -> tuple[Group, ...]:
    crowd = tuple(Group(_crowd_id(n), BIRCH.id, f"Crowd {n:03}") for n in range(MANY_GROUPS))
    return (
        Group(ENGINEERING, BIRCH.id, "Engineering"),
        Group(FINANCE, BIRCH.id, "Finance"),
        Group(CEDAR_STAFF, CEDAR.id, "Cedar staff"),
        *crowd,
    )


def _crowd_id(number: int) -> str:
    return f"b0000000-0000-4000-8000-{0x1000 + number:012x}"


def _person(number: int, name: str, upn: str, note: str, *, tenant: Tenant = BIRCH, **more: object) -> User:
    given_name, _, surname = name.partition(" ")
    values: dict[str, object] = {"mail": upn, "given_name": given_name, "surname": surname} | more
    return User(
        id=f"c0000000-0000-4000-8000-{number:012d}",
        tenant_id=tenant.id,
        user_principal_name=upn,
        display_name=name,
        password=PASSWORD,
        note=note,
        **values,  # type: ignore[arg-type]
    )


def _people() -> tuple[User, ...]:
    return (
        _person(1, "Mia Member", "mia@birch.example", "member", group_ids=(ENGINEERING,), job_title="Engineer",
                department="Engineering", photo=_picture("mia")),
        _person(2, "Ada Admin", "ada@birch.example", "administrator, role Admin", group_ids=(ENGINEERING, FINANCE),
                job_title="Head of IT", app_roles=_roles("Admin"), is_admin=True,
                photo=_picture("ada")),
        _person(3, "Olga Onetime", "olga@birch.example", "needs a code from an authenticator app, role Reader",
                mfa_required=True, mfa_methods=("totp",), totp_secret=TOTP_SECRET, app_roles=_roles("Reader"),
                photo=_picture("olga")),
        _person(4, "Pia Push", "pia@birch.example", "approves on a phone", mfa_required=True, mfa_methods=("push",)),
        _person(5, "Nora New", "nora@birch.example", "has to set up an authenticator app", mfa_required=True,
                mfa_methods=("totp",)),
        _person(6, "Dan Disabled", "dan@birch.example", "disabled", account_enabled=False),
        _person(7, "Greta Groups", "greta@birch.example", f"in {MANY_GROUPS} groups: overage",
                group_ids=tuple(_crowd_id(n) for n in range(MANY_GROUPS))),
        _person(11, "Gil Guest", "gil@cedar.example", "at home in Cedar Labs, guest at Birch Works", tenant=CEDAR,
                group_ids=(CEDAR_STAFF,)),
        _person(12, "Gil Guest", "gil_cedar.example#EXT#@birch.example", "guest from Cedar Labs",
                mail="gil@cedar.example", home=Home("c0000000-0000-4000-8000-000000000011", CEDAR.id),
                app_roles=_roles("Reader")),
        _person(13, "Cleo Cedar", "cleo@cedar.example", "member of another organisation", tenant=CEDAR),
        _person(14, "Cora Chief", "cora@cedar.example", "administrator of another organisation", tenant=CEDAR,
                is_admin=True),
        _person(21, "Petra Personal", "petra@outlook.example", "personal account", tenant=PERSONAL),
        _person(66, "Mia Member", "mallory@nettle.example", "hostile: claims Mia's mail address", tenant=NETTLE,
                mail="mia@birch.example", mail_verified=False),
    )  # fmt: skip


def _picture(name: str) -> bytes:
    return (PICTURES / f"{name}.jpg").read_bytes()


def _roles(role: str) -> dict[str, tuple[str, ...]]:
    return {WEB_APP: (role,), API: (role,)}


def _applications() -> tuple[Application, ...]:
    return (
        _web_app(),
        _spa(),
        _public_client(),
        _calculator(),
        _daemon(),
        _api(),
        _ledger_api(),
        _intranet(),
        *_special_cases(),
    )


APP_ROLES = (AppRole("Admin", "Administrators"), AppRole("Reader", "Readers"))


def _web_app() -> Application:
    return Application(
        WEB_APP,
        BIRCH.id,
        "Birch Portal",
        redirect_uris=(
            RedirectUri("http://localhost/api/auth/callback"),
            RedirectUri("http://localhost/callback"),
            RedirectUri("http://localhost/api/auth/signed-out"),
            RedirectUri("http://localhost/signed-out"),
            RedirectUri("http://localhost/auth/callback"),
            RedirectUri("http://localhost/"),
            RedirectUri("https://portal.birch.example/api/auth/callback"),
            RedirectUri("https://portal.birch.example/callback"),
            RedirectUri("https://portal.birch.example/api/auth/signed-out"),
            RedirectUri("https://portal.birch.example/signed-out"),
        ),
        secrets=(Secret("emulator-secret-birch-portal"),),
        identifier_uris=(f"api://{WEB_APP}",),
        scopes=(Scope("access_as_user", "Use the portal as you"),),
        app_roles=APP_ROLES,
        pre_consented=(),
        optional_id_claims=("email", "login_hint"),
        groups_claim=True,
    )


def _intranet() -> Application:
    """Told of sign-outs in a frame, as only an application with a logout URL is."""
    site = "https://intranet.birch.example"
    return Application(
        INTRANET,
        BIRCH.id,
        "Birch Intranet",
        redirect_uris=(RedirectUri(f"{site}/api/auth/callback"), RedirectUri(f"{site}/signed-out")),
        secrets=(Secret("emulator-secret-birch-intranet"),),
        pre_consented=(*OIDC, "User.Read"),
        logout_url=f"{site}/api/auth/frontchannel-logout",
    )


def _spa() -> Application:
    uris = (
        "http://localhost/redirect.html",
        "https://localhost/redirect.html",
        "http://localhost/spa",
        "https://portal.birch.example/spa",
        "http://localhost/docs/oauth2-redirect",
        "https://portal.birch.example/docs/oauth2-redirect",
    )
    return Application(
        SPA,
        BIRCH.id,
        "Birch Dashboard",
        redirect_uris=tuple(RedirectUri(uri, "spa") for uri in uris),
        pre_consented=(*OIDC, "User.Read"),
        kind="spa",
    )


def _public_client() -> Application:
    uris = ("http://localhost", "http://127.0.0.1", "birch-tool://auth")
    return Application(
        PUBLIC_CLIENT,
        BIRCH.id,
        "Birch Command Line",
        redirect_uris=tuple(RedirectUri(uri, "public") for uri in uris),
        allow_public_client=True,
        pre_consented=(*OIDC, "User.Read", f"api://{API}/access_as_user"),
        kind="public",
    )


def _calculator() -> Application:
    uris = ("http://localhost/auth/callback", "http://localhost/signed-out")
    return Application(
        CALCULATOR,
        BIRCH.id,
        "Birch Calculator",
        redirect_uris=tuple(RedirectUri(uri, "public") for uri in uris),
        allow_public_client=True,
        kind="public",
    )


def _daemon() -> Application:
    return Application(
        DAEMON,
        BIRCH.id,
        "Birch Night Job",
        secrets=(Secret("emulator-secret-birch-night-job"),),
        granted_app_roles={API: ("Task.Write",), LEDGER_API: ("Ledger.Audit",), GRAPH_APP_ID: ("User.Read.All",)},
        kind="daemon",
    )


def _api() -> Application:
    return Application(
        API,
        BIRCH.id,
        "Birch Orders API",
        secrets=(Secret("emulator-secret-birch-orders"),),
        identifier_uris=(f"api://{API}",),
        scopes=(
            Scope("access_as_user", "Use the orders API as you"),
            Scope("Orders.Read", "Read your orders"),
            Scope("Orders.Manage", "Manage all orders", admin_only=True),
        ),
        app_roles=(*APP_ROLES, AppRole("Task.Write", "Write tasks", ("Application",))),
        pre_consented=(*OIDC, "User.Read", f"{LEDGER_URI}/Ledger.Read"),
        optional_access_claims=("xms_cc",),
        kind="api",
    )


def _ledger_api() -> Application:
    """An older API: it takes version 1 tokens, and the orders API calls it on behalf of people."""
    return Application(
        LEDGER_API,
        BIRCH.id,
        "Birch Ledger API",
        secrets=(Secret("emulator-secret-birch-ledger"),),
        identifier_uris=(LEDGER_URI,),
        scopes=(Scope("Ledger.Read", "Read your ledger"),),
        app_roles=(AppRole("Ledger.Audit", "Audit all ledgers", ("Application",)),),
        access_token_version=1,
        optional_access_claims=("idtyp:include_user_token",),
        kind="api",
    )


def _special_cases() -> tuple[Application, ...]:
    web = (RedirectUri("http://localhost/callback"), RedirectUri("http://localhost/api/auth/callback"))
    return (
        Application(
            MULTI_TENANT_APP,
            BIRCH.id,
            "Birch for Everyone",
            redirect_uris=(*web, *map(RedirectUri, EVERYONES_ADDRESSES)),
            optional_id_claims=("wids",),
            secrets=(Secret("emulator-secret-birch-everyone"),),
            multi_tenant=True,
            personal_accounts=True,
            pre_consented=(*OIDC, "User.Read"),
        ),
        Application(
            UNCONSENTED_APP,
            CEDAR.id,
            "Cedar Surveys",
            redirect_uris=web,
            secrets=(Secret("emulator-secret-cedar-surveys"),),
            multi_tenant=True,
        ),
        Application(
            ASSIGNED_ONLY_APP,
            BIRCH.id,
            "Birch Payroll",
            redirect_uris=web,
            secrets=(Secret("emulator-secret-birch-payroll"),),
            app_roles=APP_ROLES,
            assignment_required=True,
            pre_consented=(*OIDC, "User.Read"),
        ),
    )
