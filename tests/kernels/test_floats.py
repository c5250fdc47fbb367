"""Printing and reading numbers, against NumPy's shortest representation."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textkit.kernels import floats
from textkit.kernels.jit import kernel

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@kernel
def put(out, negative, digits, exponent, powers):
    return floats.put_decimal(out, 0, negative, digits, exponent, powers)


def shown(value):
    out, (digits, exponents) = np.zeros(40, np.uint8), floats.find_decimals(np.array([1, value], np.float32))
    size = put(out, bool(value < 0), digits[1], np.int64(exponents[1]), floats.POWERS)
    return out[:size].tobytes().decode()


def read(text):
    data = np.frombuffer(text.encode(), np.uint8).copy()
    return floats.parse_float(data, 0, len(data), floats.POWERS)


def digits(text):
    return len(text.lower().split("e")[0].replace(".", "").lstrip("-").strip("0"))


@settings(deadline=None, max_examples=2000)
@given(FLOATS)
def test_printed_is_the_shortest_that_reads_back(value):
    text = shown(value)
    assert np.float32(text) == np.float32(value)
    assert digits(text) == digits(np.format_float_scientific(np.float32(value), unique=True))
    assert len(text) <= 24


@settings(deadline=None, max_examples=1000)
@given(st.floats(-10, 0, width=32))
def test_log_probabilities_are_plain_and_fit_their_room(value):
    text = shown(value)
    assert len(text) <= 16
    assert float(text) == pytest.approx(value, rel=1e-6)
    assert "e" not in text or abs(value) < 1e-6


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-1.0, "-1"), (-0.97751920, "-0.9775192"), (100.0, "100"), (1e-6, "0.000001"),
        (1e-7, "1e-7"), (-1.5e-7, "-1.5e-7"), (1e20, "100000000000000000000"), (1e22, "1e22"), (-99.0, "-99"),
    ],
)  # fmt: skip
def test_layout_is_that_of_kenlm(value, text):
    assert shown(value) == text


@settings(deadline=None, max_examples=1000)
@given(FLOATS)
def test_reading_is_exact_to_float32(value):
    for text in (repr(float(np.float32(value))), f"{value:.9e}", f"{np.float32(value):+.9g}"):
        found, good = read(text)
        assert good
        assert np.float32(found) == np.float32(float(text))


@settings(deadline=None, max_examples=500)
@given(st.text("0123456789.eE+-nifa x", max_size=8))
@example("0E10000")
@example("1e-10000")
def test_what_is_a_number_agrees_with_python(text):
    try:
        expected = float(text)
    except ValueError:
        expected = math.nan
    found, good = read(text)
    if not math.isfinite(expected) or text != text.strip():
        assert not good
    elif abs(expected) < 1e60:
        assert good
        assert found == pytest.approx(expected, rel=1e-12)
