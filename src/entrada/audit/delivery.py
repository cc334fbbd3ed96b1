"""The log on its way to another system: signed batches by HTTPS, each at least once and in order.

It reads what is written, in one worker at a time, so nothing that people do waits for the receiver. How far it has come
is kept in the database, and moves on only when the receiver has said that it has a batch: whatever fails, nothing is
skipped. The form is that of Standard Webhooks, whose libraries check it (https://www.standardwebhooks.com).
"""

import base64
import hmac
import json
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import insert, select, update

from entrada.audit.log import AuditLog
from entrada.audit.recorded import Recorded
from entrada.clock import Clock
from entrada.errors import AuthorityUnavailable
from entrada.logs import log
from entrada.provider.egress import Egress
from entrada.sessions.leases import Leases
from entrada.users.database import Database
from entrada.users.tables import audit_deliveries

EVERY = timedelta(seconds=5)
AT_ONCE = 100  # rows of a batch: a megabyte at most
LONGEST_ANSWER = 64 * 1024  # bytes; nobody reads it
RECEIVER = "webhook"
SECRET_PREFIX = "whsec_"  # noqa: S105 what such a secret begins with
TAKEN = range(200, 300)


class Delivery:
    """Takes new rows to one receiver."""

    def __init__(
        self, database: Database, leases: Leases, egress: Egress, *, url: str, secret: str, clock: Clock
    ) -> None:
        self._database = database
        self._log = AuditLog(database)
        self._leases = leases
        self._egress = egress
        self._url = url
        self._key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
        self._clock = clock

    async def once(self) -> None:
        """Send what is new, batch after batch, unless another worker is at it.

        AuthorityUnavailable when the receiver does not take a batch, StoreUnavailable when the log cannot be read.
        """
        async with self._leases.taken(b"chore:audit_webhook") as lease:
            if lease is None:
                return
            place = await self._place()
            while await lease.is_ours() and (rows := await self._log.since(place, limit=AT_ONCE)):
                await self._send(rows)
                await self._move(place, rows[-1].id)
                place = rows[-1].id

    async def _send(self, rows: Sequence[Recorded]) -> None:
        now = self._clock()
        name, moment = f"audit-{rows[0].id}-{rows[-1].id}", str(int(now.timestamp()))
        document = {"type": "audit.rows", "timestamp": now.isoformat(), "data": {"rows": [row.plain() for row in rows]}}
        body = json.dumps(document, ensure_ascii=True, separators=(",", ":")).encode()
        signature = hmac.new(self._key, f"{name}.{moment}.".encode() + body, sha256).digest()
        headers = {
            "Content-Type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": moment,
            "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
        }
        answer = await self._egress.post(self._url, body, purpose="audit", headers=headers, limit=LONGEST_ANSWER)
        if answer.status not in TAKEN:
            raise AuthorityUnavailable(f"the receiver of the audit log answered {answer.status}")
        log.debug("audit_rows_delivered", first=rows[0].id, last=rows[-1].id)

    async def _place(self) -> int:
        """Return the last row that the receiver has; the log is sent from its beginning."""
        there = select(audit_deliveries.c.last_id).where(audit_deliveries.c.receiver == RECEIVER)
        async with self._database.unit_of_work() as connection:
            found = await connection.scalar(there)
            if found is None:
                await connection.execute(insert(audit_deliveries).values(receiver=RECEIVER, last_id=0))
            return found or 0

    async def _move(self, before: int, now: int) -> None:
        """Note the progress, unless another worker, to whom the lease has passed, is further already."""
        mine = (audit_deliveries.c.receiver == RECEIVER, audit_deliveries.c.last_id == before)
        async with self._database.unit_of_work() as connection:
            await connection.execute(update(audit_deliveries).where(*mine).values(last_id=now))
