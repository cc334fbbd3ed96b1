"""Templates as they were compiled, kept for all applications of this process: test suites make hundreds."""

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class Compiled(BytecodeCache):
    """Keeps each template that was compiled, until its file says something else; jinja2 compares.

    For environments with the same options only: what they compile a template to depends on these.
    """

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what is kept under this template's name and file, if that is what the file says now."""
        if kept := self._kept.get(bucket.key):
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it, in place of what was compiled of the same file before."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()
