# ruff: noqa: E501
"""The directory: its look-ups, its YAML file, and what it refuses."""

from pathlib import Path

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.directory.graph_resource import GRAPH
from entrada_emulator.directory.model import TENANT_MARK, RedirectUri
from entrada_emulator.directory.seeds import default_world
from entrada_emulator.directory.world import World
from entrada_emulator.directory.world_checks import WorldError, with_redirect_uris
from entrada_emulator.directory.world_file import load_world

TENANT = f"{TENANT_MARK}0009-4000-8000-000000000009"
PERSON = "c0000000-0000-4000-8000-000000000091"
CLIENT = "a0000000-0000-4000-8000-000000000091"
SMALL = f"""
tenants:
  - id: {TENANT}
    display_name: Willow
    domains: [willow.example]
groups:
  - {{id: b0000000-0000-4000-8000-000000000091, tenant_id: {TENANT}, display_name: Staff}}
users:
  - id: {PERSON}
    tenant_id: {TENANT}
    user_principal_name: wil@willow.example
    display_name: Wil
    password: not-a-real-password
    mfa_required: true
    mfa_methods: [totp]
    group_ids: [b0000000-0000-4000-8000-000000000091]
    app_roles: {{{CLIENT}: [Admin]}}
applications:
  - client_id: {CLIENT}
    tenant_id: {TENANT}
    display_name: Portal
    redirect_uris:
      - uri: http://localhost/callback
      - {{uri: "http://localhost/spa", kind: spa}}
    secrets: [{{value: emulator-secret-portal, lifetime: 3600}}]
    app_roles: [{{value: Admin, display_name: Admins}}]
    pre_consented: [openid, User.Read]
"""


def world_of(tmp_path: Path, text: str) -> World:
    """The directory in a file of this text."""
    path = tmp_path / "world.yaml"
    path.write_text(text)
    return load_world(path)


def test_a_redirect_uri_more_is_of_the_applications_kind() -> None:
    """A single-page application's is one of a single-page application; what is registered is not registered twice."""
    world, page = default_world(), "http://localhost:4200/"
    spa = world.application(seeds.SPA)
    assert spa is not None
    changed = with_redirect_uris(world, spa, (page, "http://localhost:4200/spa")).application(seeds.SPA)
    assert changed is not None
    assert changed.redirect_uris == (*spa.redirect_uris, RedirectUri(page, "spa"))


def test_a_file_becomes_a_directory(tmp_path: Path) -> None:
    """Every member of the model can be written, nested ones too."""
    world = world_of(tmp_path, SMALL)
    wil, portal = world.user_by_name("WIL@willow.example"), world.application(CLIENT)
    assert wil is not None
    assert portal is not None
    assert (wil.mfa_methods, wil.app_roles) == (("totp",), {CLIENT: ("Admin",)})
    assert [uri.kind for uri in portal.redirect_uris] == ["web", "spa"]
    assert portal.secrets[0].lifetime is not None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (f"id: {TENANT}\n    display_name", "id: 11111111-1111-4111-8111-111111111111\n    display_name", ":3: tenants[0].id: '1111"),
        ("domains: [willow.example]", "domains: []", ":5: tenants[0].domains: there is none"),
        ("display_name: Wil\n", "display_nam: Wil\n", ":12: users[0].display_nam: no such member; did you mean display_name?"),
        ("display_name: Wil\n", "given_name: Wil\n", ":9: users[0]: add display_name"),
        ("mfa_required: true", "mfa_required: maybe", ":14: users[0].mfa_required: 'maybe' must be true or false"),
        ("mfa_methods: [totp]", "mfa_methods: totp", ":15: users[0].mfa_methods: must be a list"),
        ("mfa_methods: [totp]", "mfa_methods: [sms]", ":15: users[0].mfa_methods[0]: 'sms' must be one of totp, push"),
        ("group_ids: [b0000000-0000-4000-8000-000000000091]", "group_ids: [x]", ":16: users[0].group_ids: no group 'x'"),
        ("[Admin]}", "[Boss]}", "offers no role 'Boss' for User; it offers ['Admin']"),
        ("uri: http://localhost/callback", "uri: http://app.example/callback", "must be https, except on localhost"),
        ("kind: spa", "kind: mobile", "'mobile' must be one of web, spa, public"),
        ("pre_consented: [openid, User.Read]", "pre_consented: [Made.Up]", "'Made.Up' is offered by no application"),
        ("password: not-a-real-password", "password: 12345", "12345 must be text (put it in quotes)"),
        ("tenants:\n", "tenant:\n", "tenant: no such member; did you mean tenants?"),
        ("users:\n", "users: [\n", "is not YAML"),
        ("domains: [willow.example]", "domains: [willow.example]\n    kind: b2c", "tenants[0].user_flows: there is none"),
        ("domains: [willow.example]", "domains: [willow.example]\n    kind: shop", "must be one of workforce, b2c, external"),
        ("domains: [willow.example]", "domains: [willow.example]\n    user_flows: [{name: B2C_1_x}]", "only a tenant of kind"),
        ("domains: [willow.example]", "domains: [willow.example]\n    kind: b2c\n    user_flows: [{name: susi}]", "B2C_1A_"),
        ("applications:\n", f"policies: [{{id: x, tenant_id: {TENANT}, display_name: X}}]\napplications:\n", "policies[0].id: 'x'"),
        ("kind: spa}", "kind: spa}\n    certificates: [{pem: x}]", "certificates[0].pem: must be a certificate in PEM"),
        ("kind: spa}", "kind: spa}\n    federated_credentials: [{issuer: i, subject: s, jwks: x}]", "must be a JWK set"),
        ("user_principal_name: wil@willow.example", "user_principal_name: [x]", "must be text"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_a_fault_names_file_line_place_and_mend(tmp_path: Path, old: str, new: str, told: str) -> None:
    """Whoever wrote the file learns where it is wrong and what to write."""
    assert old in SMALL
    with pytest.raises(WorldError) as refused:
        world_of(tmp_path, SMALL.replace(old, new, 1))
    assert str(tmp_path / "world.yaml") in str(refused.value)
    assert told in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "just words", "tenants: 3", "users: []"])
def test_a_file_that_is_no_directory_is_refused(tmp_path: Path, text: str) -> None:
    """Empty files, lists and scalars are told apart from directories."""
    with pytest.raises(WorldError):
        world_of(tmp_path, text)


def test_duplicates_are_refused(tmp_path: Path) -> None:
    """No two people share an id or a user principal name."""
    start, end = SMALL.index("  - id: " + PERSON), SMALL.index("applications:")
    with pytest.raises(WorldError, match="already taken"):
        world_of(tmp_path, SMALL[:end] + SMALL[start:end] + SMALL[end:])


def test_an_unverified_mail_address_signs_nobody_in() -> None:
    """The hostile tenant's person bears Mia's mail address; the name finds Mia."""
    found = default_world().user_by_name("mia@birch.example")
    assert found is not None
    assert found.tenant_id == seeds.BIRCH.id


def test_a_guest_is_found_from_home_and_back() -> None:
    """in_tenant goes from home to the guest entry and back; elsewhere the person is nobody."""
    world = default_world()
    home = world.user_by_name("gil@cedar.example")
    assert home is not None
    guest = world.in_tenant(home, seeds.BIRCH.id)
    assert guest is not None
    assert guest.is_guest
    assert world.in_tenant(guest, seeds.CEDAR.id) == home
    assert world.in_tenant(home, seeds.NETTLE.id) is None


def test_secrets_do_not_show() -> None:
    """Neither passwords nor secrets appear when the directory is printed."""
    shown = repr(default_world())
    assert seeds.PASSWORD not in shown
    assert "emulator-secret" not in shown
    assert seeds.TOTP_SECRET not in shown


def test_graph_is_in_every_tenant() -> None:
    """Microsoft Graph is a resource whatever the file says, under each of its names."""
    world = default_world()
    names = ("https://graph.microsoft.com", "https://graph.microsoft.com/", "00000003-0000-0000-c000-000000000000")
    assert all(world.resource(name) is GRAPH for name in names)
