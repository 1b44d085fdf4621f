import numpy as np
import pytest

from jsuper.explorer.encoding import encoded, encoded_curves


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (np.array([[0.1, np.nan], [-np.inf, 3.0]], np.float32), "float32"),
        (np.array([0.1, np.pi]), "float64"),
        (np.array([0.5, 2.0], np.float16), "float32"),
        (np.array([0.0, np.nan, 254.0]), "count"),
        (np.array([255, 0]), "count16"),
        (np.array([65_534, 3]), "count16"),
        (np.array([-1, 3]), "float64"),
        (np.array([2**40]), "float64"),
        (np.array([True, False]), "count"),
        (np.array([True, None], object), "count"),
        (np.array([np.nan, np.nan]), "count"),
    ],
)
def test_numbers_are_exact(values, dtype, read):
    text = encoded(values)
    assert text["dtype"] == dtype
    np.testing.assert_array_equal(
        read({**text, "shape": values.shape}), values.astype(float)
    )


def test_names_and_dates_are_text(read):
    names = np.array([f"name {i}" for i in range(300)], object)
    for values, dtype in ((names[:3], "name"), (names, "name16")):
        text = encoded(values)
        assert text["dtype"] == dtype
        assert read({**text, "shape": values.shape}).tolist() == values.tolist()
    date = encoded(np.array(["2026-01-02"], "datetime64[ns]"))
    assert date["names"] == ["2026-01-02"]


def test_too_many_names_are_refused():
    with pytest.raises(ValueError, match="must hold at most 65,535, got 70,000"):
        encoded(np.arange(70_000).astype(str))


def test_curves_are_rounded_evenly_in_the_logarithm(read):
    values = np.geomspace(1e-9, 1e3, 1_000).reshape(10, 100)
    values[3, 5:7] = np.nan, 0.0
    found = read({**encoded_curves(values), "shape": values.shape})
    there = values > 0
    # 12 decades over 65,533 steps, half a step at most.
    error = np.abs(np.log(found[there] / values[there]))
    assert error.max() < 0.51 * np.log(1e12) / 65_533
    assert np.isnan(found[~there]).all()


@pytest.mark.parametrize("value", [np.nan, 0.5])
def test_curves_of_one_number(value, read):
    found = read({**encoded_curves(np.array([value])), "shape": [1]})
    np.testing.assert_allclose(found, [value])
