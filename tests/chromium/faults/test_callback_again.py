"""The callback's address after its time: gone back to, reloaded, opened a day later, loaded ahead by the browser."""

from datetime import timedelta

from tests.chromium.line import cut_at, goes_on_until
from tests.chromium.portals import HERE, Clock, arrives, picks, session_of, signs_in
from tests.chromium.visitor import Visitor


def test_back_and_forward_over_a_sign_in(visitor: Visitor) -> None:
    """REL-061: the way back through the history never meets the callback, and the session is there at its end."""
    visitor.page.goto("/public")
    signs_in(visitor.page)
    begun = session_of(visitor.page)
    seen = []
    while visitor.page.go_back() is not None and visitor.page.url != "about:blank":
        seen.append(visitor.page.url)
    assert f"{HERE}/public" in seen
    assert not [url for url in seen if "/callback" in url]
    visitor.goes_to("/private")
    visitor.sees("Private to Gil Guest")
    assert session_of(visitor.page) == begun


def test_the_callback_again_by_whoever_is_signed_in(visitor: Visitor) -> None:
    """REL-061: opened once more, from the history or a bookmark, it leads home; the session is the same."""
    signs_in(visitor.page)
    begun = session_of(visitor.page)
    visitor.goes_to(_callback(visitor))
    visitor.sees("Hello Gil Guest")
    assert session_of(visitor.page) == begun


def test_the_callback_again_by_a_stranger(visitor: Visitor) -> None:
    """REL-061: signed out, it is a page with a button, at an address without the code; its reload is the same page."""
    signs_in(visitor.page)
    callback = _callback(visitor)
    visitor.presses("Sign out")
    visitor.page.wait_for_url("**/signed-out")
    with visitor.expecting("400"):
        visitor.goes_to(callback)
        visitor.sees("This sign-in cannot be finished")
        assert "code=" not in visitor.page.url
        visitor.page.reload()
        visitor.sees("This sign-in cannot be finished")
    visitor.presses("Sign in")
    picks(visitor.page, "Gil Guest")
    arrives(visitor.page, "Hello Gil Guest")


def test_the_authority_is_left_open_for_a_day(visitor: Visitor, clock: Clock) -> None:
    """REL-061: whoever answers it tomorrow is asked to sign in again, with one click, and comes to the page."""
    visitor.page.goto("/private?day=1")
    with clock.later(timedelta(days=1)), visitor.expecting("400"):
        picks(visitor.page, "Gil Guest")
        arrives(visitor.page, "This sign-in cannot be finished")
    visitor.presses("Sign in")
    arrives(visitor.page, "Hello Gil Guest")


def test_a_page_that_has_the_browser_load_ahead(visitor: Visitor) -> None:
    """REL-061, SEC-088: a prefetched sign-in begins nothing, a prefetched answer spends nothing; a click does both."""
    visitor.page.goto("/private?ahead=1")
    with visitor.expecting("ERR_CONNECTION_RESET", "Failed to load"), cut_at(visitor.page, "*/callback?*") as held:
        picks(visitor.page, "Mia Member")
        goes_on_until(visitor.page, lambda: held)
    path = held[0].removeprefix(HERE)
    with visitor.expecting("503", "preload"):
        with visitor.page.expect_response(lambda answer: answer.url == held[0]) as prefetched:
            visitor.page.goto(f"/public?to={path.replace('&', '%26')}")
        assert prefetched.value.status == 503
        assert session_of(visitor.page) is None
        visitor.presses("There")
        visitor.sees("Private to Mia Member")


def _callback(visitor: Visitor) -> str:
    return next(request.url for request in visitor.requests if request.url.startswith(f"{HERE}/callback?"))
