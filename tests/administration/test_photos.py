"""Pictures: everybody sees their own, administrators those of their people, and nobody else any (USR-1, SEC-126)."""

import base64

import anyio

from tests.administration.site import ADA, CLEO, CORA, GRETA, MIA, AdminSite


async def with_photo(site: AdminSite, name: str) -> bytes:
    """Sign a person in, if they are not, and return their picture at the authority once it has come from there."""
    await site.of(name)
    with anyio.fail_after(30):
        while (await site.person(name)).photo is None:
            await anyio.sleep(0.01)
    return site.entra.user(name).photo or b""


async def test_an_administrator_sees_a_picture(site: AdminSite) -> None:
    """As the authority has it, by its own type, to be kept by nobody and embedded by no other site; 404 for none."""
    ada, picture = await site.of(ADA), await with_photo(site, MIA)
    answer = await ada.get(await site.path(MIA, "photo"))
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, picture, "image/jpeg")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await ada.get(await site.path(MIA))).json()["has_photo"] is True
    refused = await ada.get(await site.path(GRETA, "photo"))
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert (await ada.get(await site.path(GRETA))).json()["has_photo"] is False


async def test_sec_126_who_may_not_see_it(site: AdminSite) -> None:
    """SEC-126, SEC-096: not who is no administrator, not another organisation's, and not a page of another site."""
    await with_photo(site, MIA)
    path = await site.path(MIA, "photo")
    mia, cora, cleo, ada = [await site.of(name) for name in (MIA, CORA, CLEO, ADA)]
    assert [(await each.get(path)).status_code for each in (mia, cora, cleo)] == [403, 404, 403]
    embedded = await ada.get(path, headers={"sec-fetch-site": "cross-site", "sec-fetch-dest": "image"})
    assert embedded.status_code == 403


async def test_it_is_exported_and_goes_with_the_person(site: AdminSite) -> None:
    """SEC-150: it is in the document of what is kept; of somebody who was erased nothing is left."""
    ada, picture = await site.of(ADA), await with_photo(site, MIA)
    path, person = await site.path(MIA), await site.person(MIA)
    told = (await ada.get(f"{path}/export")).json()["person"]["photo"]
    assert (told["kind"], base64.b64decode(told["base64"])) == ("image/jpeg", picture)
    assert (await ada.post(f"{path}/erase")).status_code == 200
    assert await site.house.people.photos.of(person.id) is None


async def test_everybody_sees_their_own(console: AdminSite) -> None:
    """The account page and the console's page of a person show it; who has none is shown by initials."""
    picture = await with_photo(console, MIA)
    mia, ada = await console.of(MIA), await console.of(ADA)
    own = await mia.get("/account/photo")
    assert (own.status_code, own.content, own.headers["content-type"]) == (200, picture, "image/jpeg")
    assert 'src="/account/photo"' in (await mia.get("/account")).text
    theirs = await console.path(MIA, "photo")
    assert f'src="{theirs}"' in (await ada.get(f"/admin/users/{(await console.person(MIA)).id}")).text
    greta = await console.of(GRETA)
    assert (await greta.get("/account/photo")).status_code == 404
    page = (await greta.get("/account")).text
    assert "/account/photo" not in page
    assert ">GG</span>" in page
