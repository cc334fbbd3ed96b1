"""With `form_post` the code comes in a POST from another site, where Lax cookies are missing."""

from collections.abc import Mapping

import pytest
from entrada_emulator.directory.seeds import PASSWORD

from tests.chromium.visitor import Visitor


@pytest.fixture(scope="module")
def settings() -> Mapping[str, str]:
    return {"ENTRADA_RESPONSE_MODE": "form_post"}


def test_a_code_that_comes_by_post_signs_in_and_never_stands_in_an_address(visitor: Visitor) -> None:
    """The cross-site POST finds its attempt, the person reaches the page they wanted, no address held the code."""
    visitor.goes_to("/call-graph")
    visitor.names_themselves("mia@birch.example")
    visitor.proves(PASSWORD)
    visitor.stays()
    if visitor.sees_one_of("Permissions requested", "Microsoft Graph says") == "Permissions requested":
        visitor.consents()  # unless she has done so in another test's browser
    visitor.sees("Microsoft Graph says")
    callbacks = [request for request in visitor.requests if request.url.endswith("/callback")]
    assert [request.method for request in callbacks] == ["POST"]
    assert not [request.url for request in visitor.requests if "code=" in request.url]
