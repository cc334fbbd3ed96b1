"""SEC-048: nothing in the library reads a token's claims without verifying them."""

import ast
from pathlib import Path

import pytest

import entrada.provider.tokens.jws

LIBRARY = Path(entrada.provider.tokens.jws.__file__).parents[2]
TOKEN_LIBRARIES = {"jwt", "jose", "joserfc", "authlib", "jwcrypto", "python_jwt"}
FILES = sorted(LIBRARY.rglob("*.py"))


def nodes(file: Path):
    return ast.walk(ast.parse(file.read_text("utf-8")))


def imported(file: Path) -> set[str]:
    found = set()
    for node in nodes(file):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(LIBRARY)))
def test_sec_048_no_other_library_reads_tokens(file):
    """SEC-048: libraries that can decode without verifying are not imported."""
    assert not imported(file) & TOKEN_LIBRARIES


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("_payload", "provider/tokens/jws.py"),
        ("Claims", "provider/tokens/validate.py"),
        ("Jws", "provider/tokens/jws.py"),
    ],
)
def test_sec_048_only_its_owner_makes_or_opens_it(name, owner):
    """SEC-048: the payload is opened where the signature is checked, and Claims are made where they were checked."""
    using = set()
    for file in FILES:
        for node in nodes(file):
            opened = isinstance(node, ast.Attribute) and node.attr == name == "_payload"
            made = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
            if opened or made:
                using.add(file.relative_to(LIBRARY).as_posix())
    assert using == {owner}
