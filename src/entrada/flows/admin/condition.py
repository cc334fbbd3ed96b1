"""How the application does, for whoever runs it: what answers, what waits, what fails."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from entrada.errors import EntradaError
from entrada.logs import log


@dataclass(frozen=True, slots=True)
class Condition:
    """What was found just now, in the worker that was asked."""

    parts: Mapping[str, bool]
    """Whether each part answers."""
    failing: Sequence[str]
    """The work beside the requests that went wrong when it was last done."""
    audit_waiting: int
    """Entries of the audit log that are not written yet."""
    audit_lost: int
    """Entries that found no room since the last one that was written."""
    credential_days: int | None
    """Until the application's own secret or certificate ends, from 30 days before."""

    @property
    def good(self) -> bool:
        """Whether nothing is to be done."""
        return all(self.parts.values()) and not self.failing and not self.audit_lost


async def answers(checks: Mapping[str, Callable[[], Awaitable[object]]]) -> dict[str, bool]:
    """Return whether each part answers; why one does not is in the log."""
    found = {}
    for part, check in checks.items():
        try:
            await check()
            found[part] = True
        except EntradaError as error:
            log.warning("part_not_reached", part=part, reason=str(error))
            found[part] = False
    return found
