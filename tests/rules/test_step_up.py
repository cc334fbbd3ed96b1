"""What a step-up asks of which authority, and how it joins a challenge that waits."""

import json

import pytest

from entrada.flows.stepping_up.step_up import Proof, both


@pytest.mark.parametrize(
    ("proof", "parameters", "claims"),
    [
        (Proof(), {}, {}),
        (Proof(("c1",)), {}, {"acrs": {"essential": True, "value": "c1"}}),
        (Proof(("c1", "c2")), {}, {"acrs": {"essential": True, "values": ["c1", "c2"]}}),
        (
            Proof(("c1",), 300, True),
            {"max_age": "300"},
            {"acrs": {"essential": True, "value": "c1"}, "auth_time": {"essential": True}},
        ),
        (
            Proof(mfa=True),
            {},
            {"amr": {"essential": True, "values": ["mfa"]}, "auth_time": {"essential": True}},
        ),
    ],
)
def test_entra(proof: Proof, parameters: dict[str, str], claims: dict[str, object]) -> None:
    """SEC-011: Entra is asked by `claims` of the ID token, and by max_age; never by acr_values, which it ignores."""
    assert proof.parameters(at_entra=True) == parameters
    assert proof.claims(at_entra=True) == ({"id_token": claims} if claims else {})


def test_other_providers() -> None:
    """OpenID Connect Core 3.1.2.1: others are asked by acr_values and max_age, and for auth_time."""
    proof = Proof(max_age=60, mfa=True)
    asked = proof.parameters(at_entra=False)
    assert asked["max_age"] == "60"
    assert set(asked["acr_values"].split()) >= {"phr", "phrh"}
    assert proof.claims(at_entra=False) == {"id_token": {"auth_time": {"essential": True}}}


def test_names_tell_proofs_apart() -> None:
    """SEC-021: two proofs have one name only if they ask the same."""
    proofs = [Proof(), Proof(("c1",)), Proof(("c2",)), Proof(("c1", "c2")), Proof(mfa=True), Proof(("c1",), mfa=True),
              Proof(("c1",), 60), Proof(("c1",), 61), Proof(max_age=60)]  # fmt: skip
    assert len({proof.name for proof in proofs}) == len(proofs)


def test_a_challenge_that_waits_is_asked_too() -> None:
    """SEC-011: one `claims` parameter asks for challenge and proof; where both name a claim the challenge wins."""
    challenge = '{"access_token":{"nbf":{"essential":true,"value":"1"}},"id_token":{"acrs":{"value":"c9"}}}'
    joined = both(challenge, Proof(("c1",), 60).claims(at_entra=True))
    assert joined
    assert json.loads(joined) == {
        "access_token": {"nbf": {"essential": True, "value": "1"}},
        "id_token": {"acrs": {"value": "c9"}, "auth_time": {"essential": True}},
    }
    assert both(None, {}) is None
    assert both(challenge, {}) == challenge
