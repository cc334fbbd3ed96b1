"""What the browser asks below a proxied path goes to the API behind it, with a token for that API (BEY-11)."""

from entrada_emulator.directory import seeds

from tests.journeys.test_downstream import claims_of
from tests.proxied import Site


async def test_with_the_callers_token(site: Site) -> None:
    """TOK-6: method, path below the prefix, query and body go on; the token is the person's, for this API."""
    async with site.client() as browser:
        answer = await browser.post("/api/orders/7/lines?a=1&b=%2F%20x&a=2", content=b"two desks")
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"method": "POST", "target": "/v1/7/lines?a=1&b=%2F%20x&a=2", "length": 9}
    (seen,) = site.api.seen
    (authorization,) = seen.values("authorization")
    claims = claims_of(authorization.removeprefix("Bearer "))
    assert (claims["aud"], claims["scp"]) == (seeds.API, "Orders.Read")
