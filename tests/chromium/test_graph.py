"""When Graph does not answer as it should: the person is never left with a bare error."""

from tests.chromium.emulated import Tenant
from tests.chromium.visitor import Visitor


def test_a_token_that_graph_no_longer_takes_is_replaced_by_a_new_sign_in_without_a_question(
    visitor: Visitor, tenant: Tenant
) -> None:
    """Revoked over there, the person still signed in there: they are back on the page with a new token."""
    _is_signed_in(visitor, tenant)
    tenant.lets_fail("graph", status=401)
    visitor.goes_to("/call-graph")
    visitor.sees("Microsoft Graph says")
    went_to = [request.url for request in visitor.requests if request.is_navigation_request()][-5:]
    assert any("/oauth2/v2.0/authorize" in url for url in went_to)


def test_graph_in_trouble_is_told_and_nobody_is_signed_out(visitor: Visitor, tenant: Tenant) -> None:
    """A fault of the API is not the person's: they stay signed in and may ask again."""
    _is_signed_in(visitor, tenant)
    tenant.lets_fail("graph", status=503)
    visitor.goes_to("/call-graph")
    visitor.sees("Microsoft Graph did not answer")
    assert "503" in visitor.text
    visitor.shows("example-graph-in-trouble")
    visitor.presses("Ask again")
    visitor.sees("Microsoft Graph says")


def _is_signed_in(visitor: Visitor, tenant: Tenant) -> None:
    """Sign in somebody whom the other walks leave alone, and see that Graph is left alone from then on."""
    with tenant.tells_a_profile():
        visitor.goes_to("/login")
        visitor.one_click("Gil Guest")
        visitor.stays()
        if visitor.sees_one_of("Permissions requested", "Hello, Gil Guest") == "Permissions requested":
            visitor.presses("Accept")
        visitor.sees("Hello, Gil Guest")
