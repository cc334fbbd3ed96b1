"""Names and forms that more than one part knows."""

import re

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
"""An id of Entra's: a tenant's, a person's, a group's, an application's; in lower case."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""What a host is called that is this machine."""
MANY_TENANTS = frozenset({"common", "organizations"})
"""What stands for several tenants, where one could be named."""
EMULATOR_MARK = "e7712ada-"
"""Every tenant id of entrada-emulator begins so (SEC-190)."""
