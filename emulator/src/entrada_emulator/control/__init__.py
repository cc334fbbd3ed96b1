"""The control API: how tests and demonstrations move the clock, change keys, and let things go wrong.

It answers only on loopback and only to the bearer of this instance's key (SEC-194). Every body and answer is JSON.
"""

from starlette.routing import Route

from entrada_emulator.control import changes, credentials, policies
from entrada_emulator.control.guard import guarded

routes = [
    Route("/_emulator/", guarded(changes.show)),
    Route("/_emulator/clock", guarded(changes.clock), methods=["POST"]),
    Route("/_emulator/keys", guarded(changes.keys), methods=["POST"]),
    Route("/_emulator/expire", guarded(changes.expire), methods=["POST"]),
    Route("/_emulator/revoke", guarded(changes.revoke), methods=["POST"]),
    Route("/_emulator/faults", guarded(changes.add_fault), methods=["POST"]),
    Route("/_emulator/faults", guarded(changes.clear_faults), methods=["DELETE"]),
    Route("/_emulator/requests", guarded(changes.requests)),
    Route("/_emulator/requests", guarded(changes.clear_requests), methods=["DELETE"]),
    Route("/_emulator/settings", guarded(changes.settings), methods=["POST"]),
    Route("/_emulator/credentials", guarded(credentials.add_credential), methods=["POST"]),
    Route("/_emulator/policies", guarded(policies.show_policies)),
    Route("/_emulator/policies", guarded(policies.switch_on), methods=["POST"]),
    Route("/_emulator/policies", guarded(policies.clear), methods=["DELETE"]),
]
