"""Who may: each rule on each kind of caller, as a table."""

from dataclasses import replace
from datetime import timedelta

import pytest

from entrada import all_of, any_of, app_role, auth_context, group, in_session, mfa, role, scope, tenant
from entrada.principal import App, Delegation, User
from entrada.requirements import lack_of
from tests.authority_app import OBJECT, START, TENANT

GROUP, OTHER = "b0000000-0000-4000-8000-000000000001", "b0000000-0000-4000-8000-000000000002"
MINUTE = timedelta(minutes=1)
ADA = User(
    issuer="https://idp.example",
    subject="ada",
    tenant_id=TENANT,
    object_id=OBJECT,
    roles=frozenset({"Admin"}),
    groups=frozenset({GROUP}),
    acrs=frozenset({"c1"}),
    amr=("pwd", "mfa"),
    auth_time=START - 5 * MINUTE,
)
BY_CLIENT = replace(ADA, delegation=Delegation("client", frozenset({"Orders.Read", "Admin"})))
PLAIN = User(issuer="https://idp.example", subject="bob")
JOB = App("https://idp.example", "job", "job", tenant_id=TENANT, roles=frozenset({"Task.Write", "Admin"}))

TABLE = [
    # rule, session of Ada, client for Ada, nobody special, application
    (role("Admin"), True, True, False, False),
    (role("admin"), False, False, False, False),
    (role("Adm"), False, False, False, False),
    (scope("Orders.Read"), False, True, False, False),
    (scope("Orders"), False, False, False, False),
    (scope("Task.Write"), False, False, False, False),
    (app_role("Task.Write"), False, False, False, True),
    (app_role("Admin"), False, False, False, True),
    (app_role("Orders.Read"), False, False, False, False),
    (in_session(), True, False, True, False),
    (group(GROUP), True, True, False, False),
    (group(GROUP.upper()), True, True, False, False),
    (group(OTHER), False, False, False, False),
    (tenant(TENANT), True, True, False, False),
    (tenant(OTHER, TENANT), True, True, False, False),
    (tenant(OTHER), False, False, False, False),
    (mfa(), True, True, False, False),
    (mfa(within=5 * MINUTE), True, True, False, False),
    (mfa(within=4 * MINUTE), False, False, False, False),
    (auth_context("c1"), True, True, False, False),
    (auth_context("c2"), False, False, False, False),
    (any_of(role("Owner"), role("Admin")), True, True, False, False),
    (any_of(in_session(), scope("Orders.Read")), True, True, True, False),
    (any_of(tenant(TENANT), app_role("Other")), True, True, False, False),
    (any_of(role("Admin"), app_role("Task.Write")), True, True, False, True),
    (all_of(role("Admin"), tenant(TENANT)), True, True, False, False),
    (all_of(role("Admin"), scope("Orders.Read")), False, True, False, False),
    (all_of(app_role("Task.Write"), tenant(TENANT)), False, False, False, True),
    (all_of(app_role("Task.Write"), tenant(OTHER)), False, False, False, False),
    (all_of(app_role("Task.Write"), any_of(tenant(OTHER), tenant(TENANT))), False, False, False, True),
    (any_of(all_of(role("Owner")), all_of(group(GROUP), mfa())), True, True, False, False),
]


NUMBERED = [f"{number} {type(row[0]).__name__}" for number, row in enumerate(TABLE)]


@pytest.mark.parametrize(("rule", *("session", "client", "plain", "job")), TABLE, ids=NUMBERED)
def test_sec_054_who_meets_which_rule(rule, session, client, plain, job):
    """SEC-054, SEC-131: whole words, people and applications apart, sessions and tokens alike."""
    found = [lack_of(principal, rule, START) is None for principal in (ADA, BY_CLIENT, PLAIN, JOB)]
    assert found == [session, client, plain, job]


@pytest.mark.parametrize("rule", [group(GROUP), all_of(group(GROUP), role("Admin")), any_of(group(GROUP), role("x"))])
def test_sec_132_overage_is_no_membership(rule):
    """SEC-132: a token that had no room for the groups grants none of them."""
    assert lack_of(replace(ADA, groups_overage=True), rule, START) is not None
    assert rule.groups


def test_sec_047_several_factors_are_not_inferred():
    """SEC-047: `amr` alone is no proof, nor its absence; the time of the sign-in must be known, and lie behind."""
    assert lack_of(replace(ADA, auth_time=None), mfa(), START) is not None
    assert lack_of(replace(ADA, amr=()), mfa(), START) is not None
    assert lack_of(replace(ADA, auth_time=START + 10 * MINUTE), mfa(within=5 * MINUTE), START) is not None
    by_acr = replace(ADA, amr=(), auth_time=None, acr="http://schemas.openid.net/pape/policies/2007/06/multi-factor")
    assert lack_of(by_acr, mfa(), START) is None
    assert lack_of(by_acr, mfa(within=5 * MINUTE), START) is not None


def test_api_4_what_is_missing_is_said():
    """API-4: a refusal names what would have done, and only what more proof could bring asks for a step-up."""
    lack = lack_of(PLAIN, any_of(role("Admin"), role("Owner")), START)
    assert (lack.said, lack.step_up) == ("the role Admin or the role Owner", False)
    lack = lack_of(PLAIN, all_of(role("Admin"), mfa()), START)
    assert (lack.said, lack.step_up) == ("the role Admin", False)
    lack = lack_of(PLAIN, all_of(mfa(within=10 * MINUTE), mfa(within=5 * MINUTE), auth_context("c1")), START)
    assert (lack.step_up, lack.max_age, lack.contexts, lack.mfa) == (True, 5 * MINUTE, ("c1",), True)
    lack = lack_of(BY_CLIENT, any_of(scope("a"), scope("b")), START)
    assert lack.scopes == ("a", "b")
    assert lack_of(JOB, role("Admin"), START).said == "a person; an application's token is not taken here"
    assert not lack_of(JOB, all_of(app_role("Task.Write"), mfa()), START).step_up


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: group("Engineering"),
        lambda: group("B0000000"),
        lambda: tenant("contoso.com"),
        tenant,
        lambda: role(""),
        lambda: role("two words"),
        lambda: scope("a b"),
        lambda: mfa(within=timedelta(0)),
        lambda: auth_context("C1"),
        lambda: auth_context("p1"),
        any_of,
        all_of,
    ],
)
def test_sec_133_what_is_no_rule(wrong):
    """SEC-133: a rule that could never mean what it says is refused when it is written down."""
    with pytest.raises(ValueError, match=r"\w+\(.*\) takes"):
        wrong()
