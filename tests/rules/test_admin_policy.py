"""Who administers whom, as rules on settings and people (ADM-3, ADM-5, SEC-126, SEC-131, SEC-132, SEC-140)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from entrada.errors import NotAllowed, SettingsRefused
from entrada.flows.admin.policy import AdminPolicy, Scope
from entrada.principal import ADMIN_ROLE, User
from entrada.requirements import lack_of
from entrada.settings import Settings
from entrada.users.person import Person

HOME, ELSEWHERE = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
GROUP = "b0000000-0000-4000-8000-0000000000aa"
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
USER = User(issuer="https://login.example", subject="s", tenant_id=HOME, object_id="o", auth_time=NOW, amr=("pwd",))
PERSON = Person(UUID(int=1), "Ada", "ada", None, is_active=True, created_at=NOW, last_sign_in_at=NOW, tenant_id=HOME)


def policy(tmp_path: Path, **values: Any) -> AdminPolicy:
    given = {"tenant_id": HOME, "client_id": ELSEWHERE, "client_secret": "a-long-enough-secret", "data_dir": tmp_path}
    return AdminPolicy.from_settings(Settings.load(**(given | values)))


@pytest.mark.parametrize(("user", "person", "administers"), [
    (USER, PERSON, False),
    (USER, replace(PERSON, is_admin=True), True),
    (USER, replace(PERSON, is_admin=True, is_active=False), False),
    (replace(USER, roles=frozenset({"Boss"})), PERSON, True),
    (replace(USER, roles=frozenset({"Boss"})), replace(PERSON, is_active=False), False),
    (replace(USER, roles=frozenset({"Boss"}), granted=frozenset({"Boss"})), PERSON, False),
    (replace(USER, roles=frozenset({"boss", "Bos", "Boss2"})), PERSON, False),
    (replace(USER, roles=frozenset({ADMIN_ROLE})), PERSON, False),
    (replace(USER, groups=frozenset({GROUP})), PERSON, True),
    (replace(USER, groups=frozenset({GROUP}), groups_overage=True), PERSON, False),
    (replace(USER, groups=frozenset({GROUP.upper()})), PERSON, False),
], ids=["nobody", "promoted", "promoted, inactive", "app role", "app role, inactive", "granted role", "similar roles",
        "the authority's word for ours", "group", "group overage", "another group"])  # fmt: skip
def test_who_administers(tmp_path: Path, user: User, person: Person, administers: bool) -> None:
    """By promotion, by the authority's app role, by a group that is known; never when inactive, nor by a look-alike."""
    rules = policy(tmp_path, admin_role="Boss", admin_group=GROUP.upper())
    if administers:
        assert rules.scope_of(user, person) == Scope()
    else:
        with pytest.raises(NotAllowed):
            rules.scope_of(user, person)


def test_whose_people(tmp_path: Path) -> None:
    """Of one tenant everybody is seen; of many the own ones, but for operators; without a tenant nobody."""
    admin = replace(PERSON, is_admin=True)
    many = policy(tmp_path, tenant_id="organizations", any_tenant=True, admin_operators=(ELSEWHERE.upper(),))
    assert many.scope_of(USER, admin) == Scope(HOME)
    assert many.scope_of(USER, replace(admin, tenant_id=ELSEWHERE)) == Scope()
    with pytest.raises(NotAllowed):
        many.scope_of(USER, replace(admin, tenant_id=None))
    assert policy(tmp_path).scope_of(USER, replace(admin, tenant_id=None)) == Scope()
    assert Scope(HOME).covers(PERSON)
    assert not Scope(HOME).covers(replace(PERSON, tenant_id=ELSEWHERE))
    assert not Scope(HOME).covers(replace(PERSON, tenant_id=None))


def test_what_must_be_proven(tmp_path: Path) -> None:
    """Several factors always, lately for what cannot be undone; where no factor is asked for, a sign-in lately."""
    factors = replace(USER, amr=("pwd", "mfa"))
    later = NOW + timedelta(minutes=16)
    strict, lax = policy(tmp_path), policy(tmp_path, admin_mfa=False)
    assert lack_of(USER, strict.proof, NOW)
    assert lack_of(factors, strict.proof, later) is None
    assert lack_of(factors, strict.fresh_proof, NOW) is None
    assert lack_of(factors, strict.fresh_proof, later)
    assert lack_of(USER, lax.proof, later) is None
    assert lack_of(USER, lax.fresh_proof, NOW) is None
    lack = lack_of(USER, lax.fresh_proof, later)
    assert lack
    assert (lack.max_age, lack.mfa) == (timedelta(minutes=15), False)
    assert lack_of(replace(USER, auth_time=None), lax.fresh_proof, NOW)


@pytest.mark.parametrize("value", [
    {"admin_group": "Administrators"}, {"admin_role": "two words"}, {"admin_role": ""},
    {"admin_operators": ("contoso.com",)}, {"admin_mfa_context": "c0"}, {"admin_proof_minutes": 0},
], ids=lambda value: next(iter(value)))  # fmt: skip
def test_a_wrong_setting_is_named(tmp_path: Path, value: dict[str, Any]) -> None:
    """SEC-133: names of groups, domains of tenants and the like stop the start."""
    with pytest.raises(SettingsRefused, match=next(iter(value))):
        policy(tmp_path, **value)
