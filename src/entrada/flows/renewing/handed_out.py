"""An access token as a request gets it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token for some API, and where it came from."""

    value: str = field(repr=False)
    expires_at: datetime
    source: Literal["cache", "identity_provider"]
