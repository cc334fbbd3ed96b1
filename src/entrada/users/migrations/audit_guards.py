"""What the database itself refuses of the audit log: changing a row, and deleting one that was not pruned.

It stops mistakes, and an application whose role is not the tables' owner; who owns the tables can take it away, which
is what the chain is for (docs/audit.md).
"""

from collections.abc import Iterator

KEPT = ("id", "stream", "at", "action", "outcome", "reason", "tenant_id", "person", "resource", "correlation_id", "uti",
        "key_id", "hash", "mac")  # fmt: skip
ERASED = 32  # bytes of a seal whose values are erased; before, it has sixteen
WHO = ("user_key", "label", "address", "user_agent")


def guards(dialect: str) -> Iterator[str]:
    """Give the statements that make the triggers in this kind of database."""
    changed = " OR ".join(f"NEW.{name} IS {_not(dialect)} OLD.{name}" for name in KEPT)
    who = " OR ".join(f"NEW.{name} IS NOT NULL" for name in WHO)
    blanked = (
        f"(NEW.who_seal <> OLD.who_seal AND (length(NEW.who_seal) <> {ERASED} OR {who}))"
        f" OR (NEW.what_seal <> OLD.what_seal AND (length(NEW.what_seal) <> {ERASED} OR NEW.details IS NOT NULL))"
        f" OR (NEW.who_seal = OLD.who_seal AND ({_differ(dialect, WHO)}))"
        f" OR (NEW.what_seal = OLD.what_seal AND ({_differ(dialect, ('details',))}))"
    )
    living = "OLD.id > coalesce((SELECT pruned_to FROM entrada_audit_stream WHERE name = OLD.stream), 0)"
    yield from (_sqlite if dialect == "sqlite" else _postgres)(f"{changed} OR {blanked}", living)


def _not(dialect: str) -> str:
    return "NOT" if dialect == "sqlite" else "DISTINCT FROM"


def _differ(dialect: str, names: tuple[str, ...]) -> str:
    return " OR ".join(f"NEW.{name} IS {_not(dialect)} OLD.{name}" for name in names)


def _sqlite(changed: str, living: str) -> Iterator[str]:
    for when, condition in (("UPDATE", changed), ("DELETE", living)):
        yield (
            f"CREATE TRIGGER entrada_audit_no_{when.lower()} BEFORE {when} ON entrada_audit WHEN {condition}"
            " BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )


def _postgres(changed: str, living: str) -> Iterator[str]:
    yield (
        "CREATE OR REPLACE FUNCTION entrada_audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF TG_OP = 'UPDATE' THEN IF NOT ({changed}) THEN RETURN NEW; END IF;"
        f" ELSIF TG_OP = 'DELETE' THEN IF NOT ({living}) THEN RETURN OLD; END IF; END IF;"
        " RAISE EXCEPTION 'the audit log is append-only'; END $$"
    )
    for when, each in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        yield (
            f"CREATE TRIGGER entrada_audit_no_{each.lower()} BEFORE {when} ON entrada_audit"
            f" FOR EACH {each} EXECUTE FUNCTION entrada_audit_guard()"
        )
