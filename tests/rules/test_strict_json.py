"""One JSON object is read strictly, and nothing but our own refusal comes out whatever the bytes."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrada.provider.strict_json import NotStrict, json_object

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), JSON, max_size=6))
def test_every_object_is_read_as_it_was_written(value):
    """What json writes, this reads back."""
    assert json_object(json.dumps(value).encode()) == value
    assert json_object(b" \r\n\t" + json.dumps(value, ensure_ascii=False).encode() + b"\n") == value


@given(st.dictionaries(st.text(), JSON, max_size=6))
def test_every_object_written_without_blanks_is_read_as_it_was_written(value):
    """What is written compactly is read the same, by its shorter way."""
    written = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    assert json.dumps(json_object(written)) == json.dumps(value)


@given(st.dictionaries(st.text(max_size=4), JSON, min_size=1, max_size=4), st.data())
def test_sec_044_a_member_that_is_there_twice_is_refused_however_it_is_written(value, data):
    """SEC-044: with blanks or without, escaped or not, the same value or another: no member twice."""
    name = data.draw(st.sampled_from(sorted(value)))
    separators = data.draw(st.sampled_from([(",", ":"), (", ", ": ")]))
    escaped = data.draw(st.booleans())
    again = data.draw(st.just(value[name]) | JSON)
    one, two = (json.dumps(each, separators=separators, ensure_ascii=escaped) for each in (value, {name: again}))
    with pytest.raises(NotStrict):
        json_object(f"{one[:-1]},{two[1:]}".encode())
    with pytest.raises(NotStrict):
        json_object(f'{{"outer":[{one[:-1]},{two[1:]}]}}'.encode())


@given(st.binary(max_size=300))
def test_no_bytes_bring_another_exception(data):
    """Whatever the bytes, it is an object or NotStrict."""
    with contextlib.suppress(NotStrict):
        assert isinstance(json_object(data), dict)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"[]",
        b'"a"',
        b"1",
        b"null",
        b"{} {}",
        b"{}x",
        b"{}\0",
        b"\xa0{}",
        b"\x0c{}",
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":2}',
        b'{"x":{"a":1,"a":1}}',
        b'{"x":[{"a":1,"a":1}]}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":01}',
        b'{"a":"\n"}',
        b'{"a":"\\ud800"}',
        b'{"\\udc00":1}',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-16-le"),
        '{"a":1}'.encode("utf-32"),
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xc0\x80"}',
        b'{"a":' * 100_000,
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' + b"9" * 10_000 + b"}",
    ],
)
def test_what_is_not_one_strict_object_is_refused(data):
    """SEC-044, SEC-045: other encodings, duplicate members, trailing bytes, non-objects and depth are refused."""
    with pytest.raises(NotStrict):
        json_object(data)
