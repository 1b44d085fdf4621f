"""Checks of arguments: what an error says of a number."""

import numpy as np
import pytest

from jsuper.validation import check


def refused(value):
    with pytest.raises(ValueError, match=r"^density must be in \(0, 1\], got ") as error:
        check("density", value, lambda d: (d > 0) & (d <= 1), "in (0, 1]")
    return str(error.value).removeprefix("density must be in (0, 1], got ")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.0000001, "1.0000001"),
        (1 + 2**-52, "1.0000000000000002"),
        (-1e-300, "-1e-300"),
        (1.2, "1.2"),
        (np.float32(1.2), "1.2"),
        (0, "0"),
        (-np.inf, "-inf"),
        (np.nan, "nan"),
        ([0.5, 2, 3], "2"),
    ],
)
def test_a_number_is_not_rounded_to_what_is_allowed(value, said):
    assert refused(value) == said


def test_what_is_no_number_is_told_as_it_is():
    assert refused("few") == "'few'"
