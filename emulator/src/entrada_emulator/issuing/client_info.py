"""`client_info`: who a person is at home, from which MSAL makes its account id."""

import json

from entrada_emulator.directory.model import User
from entrada_emulator.directory.world import home_of
from entrada_emulator.issuing.keys import base64url


def client_info(user: User) -> str:
    """Base64url JSON of `uid` and `utid`; a guest's name their home, not the tenant they visit."""
    tenant_id, object_id = home_of(user)
    return base64url(json.dumps({"uid": object_id, "utid": tenant_id}, separators=(",", ":")).encode())
