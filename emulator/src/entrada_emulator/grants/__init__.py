"""The grants of the token endpoint, one module each."""

from collections.abc import Callable

from entrada_emulator.grants.client_credentials import client_credentials
from entrada_emulator.grants.code import redeem_code
from entrada_emulator.grants.device_code import device_code
from entrada_emulator.grants.on_behalf_of import on_behalf_of
from entrada_emulator.grants.password import password
from entrada_emulator.grants.refresh import refresh
from entrada_emulator.grants.request import TokenRequest
from entrada_emulator.instance import Emulator
from entrada_emulator.issuing.token_answers import Answer

GRANTS: dict[str, Callable[[Emulator, TokenRequest], Answer]] = {
    "authorization_code": redeem_code,
    "refresh_token": refresh,
    "client_credentials": client_credentials,
    "urn:ietf:params:oauth:grant-type:jwt-bearer": on_behalf_of,
    "urn:ietf:params:oauth:grant-type:device_code": device_code,
    "device_code": device_code,  # what msal-node and version 1 call it
    "password": password,
}
