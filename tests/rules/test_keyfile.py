"""Where the key ring comes from."""

import stat
from pathlib import Path

import pytest

from entrada.errors import SettingsRefused
from entrada.files import write_anew
from entrada.keyring import KeyRing, generate
from entrada.sessions.keyfile import KeyFile, load_or_create_ring
from entrada.settings import Settings
from tests.processes import together


def settings(data_dir: Path, **values: str) -> Settings:
    return Settings(tenant_id="contoso.com", client_id="a", data_dir=data_dir, _env_file=None, **values)


def test_a_development_key_is_made_once_and_kept(tmp_path: Path) -> None:
    """The first start makes a key for its owner only; later starts find it (SEC-176)."""
    data = tmp_path / "data"
    ring = load_or_create_ring(settings(data))
    assert load_or_create_ring(settings(data)) == ring
    assert KeyRing.parse((data / "keys").read_text()) == ring
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in data.iterdir()} == {"keys": 0o600}


def test_processes_that_start_together_get_the_same_key(tmp_path: Path) -> None:
    """Four processes on a new directory agree on one key, and leave nothing else behind."""
    source = """
import sys
from hashlib import sha256
from pathlib import Path
from entrada.sessions.keyfile import KeyFile, load_or_create_ring
from entrada.settings import Settings
settings = Settings(data_dir=Path(sys.argv[1]), _env_file=None)
print("ready", flush=True)
sys.stdin.readline()
print(sha256(load_or_create_ring(settings).active.secret).hexdigest())
"""
    printed = together(source, str(tmp_path / "data"), times=4)
    assert len(set(printed)) == 1
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["keys"]


def test_given_keys_are_used_and_nothing_is_made(tmp_path: Path) -> None:
    """Keys from the settings or their file are taken, and no directory is made."""
    text = generate()
    file = tmp_path / "ring"
    file.write_text(text)
    assert load_or_create_ring(settings(tmp_path / "data", keys=text)) == KeyRing.parse(text)
    assert load_or_create_ring(settings(tmp_path / "data", keys_file=str(file))) == KeyRing.parse(text)
    assert not (tmp_path / "data").exists()


def test_production_never_makes_a_key(tmp_path: Path) -> None:
    """Without keys production is refused, and nothing is made (SEC-183)."""
    with pytest.raises(SettingsRefused, match="keys: production needs its own"):
        load_or_create_ring(settings(tmp_path / "data", profile="production"))
    assert not (tmp_path / "data").exists()


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """A key file with rights for others is refused with its mend (SEC-176)."""
    load_or_create_ring(settings(tmp_path))
    (tmp_path / "keys").chmod(0o640)
    with pytest.raises(SettingsRefused, match=r"keys: others may read it; delete it"):
        load_or_create_ring(settings(tmp_path))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"a:short"])
def test_a_damaged_key_file_is_refused_not_replaced(content: bytes, tmp_path: Path) -> None:
    """A damaged file is a fault: replacing it would end everybody's session without a word."""
    (tmp_path / "keys").touch(0o600)
    (tmp_path / "keys").write_bytes(content)
    with pytest.raises(SettingsRefused, match="keys"):
        load_or_create_ring(settings(tmp_path))
    assert (tmp_path / "keys").read_bytes() == content


def test_a_missing_parent_is_refused_plainly(tmp_path: Path) -> None:
    """A directory that cannot be made is a fault with its path and mend (REL-026)."""
    with pytest.raises(SettingsRefused, match=r"data_dir: .*/gone/data: No such file"):
        load_or_create_ring(settings(tmp_path / "gone" / "data"))


def test_a_changed_file_is_noticed_once(tmp_path: Path) -> None:
    """The new ring is given once, a file that is no ring refused once, and what comes after is taken (REL-076)."""
    path = tmp_path / "ring"
    path.write_text(generate())
    file = KeyFile(path)
    assert file.changed() is None
    second = KeyRing.parse(f"{generate()},{generate()}")
    write_anew(path, second.text().encode())
    assert file.changed() == second
    assert file.changed() is None
    path.write_text("half a li")
    with pytest.raises(SettingsRefused, match="keys: number 1"):
        file.changed()
    assert file.changed() is None
    path.unlink()
    with pytest.raises(SettingsRefused, match="cannot be read"):
        file.changed()
    path.write_text(second.text())
    assert file.changed() == second


def test_writing_anew_is_whole_and_for_the_owner_only(tmp_path: Path) -> None:
    """Others may read the file no more, a link stays a link, and nothing else is left behind (SEC-176)."""
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o644)
    (tmp_path / "link").symlink_to("real")
    write_anew(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["link", "real"]


def test_a_ring_that_is_there_is_only_read(tmp_path: Path) -> None:
    """A start writes nothing where the ring is made already: it may be that nothing can be written (REL-076)."""
    ring = load_or_create_ring(settings(tmp_path / "data"))
    before = (tmp_path / "data").stat().st_mtime_ns
    assert load_or_create_ring(settings(tmp_path / "data")).active.id == ring.active.id
    assert (tmp_path / "data").stat().st_mtime_ns == before
