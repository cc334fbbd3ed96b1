"""What Microsoft Graph knows of the person who signs in: names, address, department, job title, picture (USR-1)."""

from collections.abc import Mapping
from typing import Any

from entrada.errors import AuthorityUnavailable
from entrada.provider.egress import Egress

OK = 200
NOT_FOUND = 404
LONGEST = 256  # characters; the longest of them, an address, has no more at Entra
COLUMNS: Mapping[str, str] = {
    "givenName": "given_name",
    "surname": "family_name",
    "mail": "email",
    "department": "department",
    "jobTitle": "job_title",
}
"""What the users' directory calls Graph's members."""
SELECTED = ",".join(("id", *COLUMNS))
SIDE = 96  # pixels of a picture: what our pages show, twice over for fine screens
MOST_PHOTO_BYTES = 64 * 1024

Profile = Mapping[str, str | None]
"""By column; None for what Graph says is empty. What it does not say is not in it."""


class GraphProfiles:
    """Reads profiles with the token of the person that they are of."""

    def __init__(self, egress: Egress, *, graph_url: str) -> None:
        self._egress = egress
        me = f"{graph_url.rstrip('/')}/v1.0/me"
        self._address = f"{me}?$select={SELECTED}"
        self._photo_address = f"{me}/photos/{SIDE}x{SIDE}/$value"

    async def of(self, object_id: str, *, access_token: str) -> Profile:
        """Return the profile of the person of this object id; AuthorityUnavailable when Graph does not tell it."""
        headers = {"Authorization": f"Bearer {access_token}"}
        answer = await self._egress.get(self._address, purpose="graph", headers=headers)
        if answer.status != OK:
            raise AuthorityUnavailable(f"Graph: answer {answer.status} to a question for a profile")
        return profile_in(answer.json_object(), object_id=object_id)

    async def photo(self, *, access_token: str) -> bytes | None:
        """Return the picture of the person whose token it is, None when they have none of this size.

        AuthorityUnavailable when Graph does not tell.
        """
        headers = {"Authorization": f"Bearer {access_token}", "Accept": "image/*"}
        address, limit = self._photo_address, MOST_PHOTO_BYTES
        answer = await self._egress.get(address, purpose="graph", headers=headers, limit=limit)
        if answer.status == NOT_FOUND:
            return None
        if answer.status != OK:
            raise AuthorityUnavailable(f"Graph: answer {answer.status} to a question for a picture")
        return answer.body


def profile_in(told: Mapping[str, Any], *, object_id: str) -> Profile:
    """Return what is usable of an answer; AuthorityUnavailable when it is about somebody else."""
    if str(told.get("id")).lower() != object_id.lower():
        raise AuthorityUnavailable("Graph: the profile of somebody else")
    return {COLUMNS[name]: value or None for name, value in told.items() if name in COLUMNS and _is_usable(value)}


def _is_usable(value: object) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= LONGEST and (not value or value.isprintable()))
