"""From which density on models explain more features than any linear map."""

import numpy as np
import xarray as xr

from jsuper.results.statistics import Interval, interval

MARGIN = 1.05  # features explained per dimension: 5% more than any linear map


def onset(explained: xr.DataArray) -> Interval:
    """Returns the density at which the mean over seeds first exceeds the margin.

    From dense to sparse, log-linear between densities; NaN where the mean never exceeds it.
    """
    logs = np.log(explained["density"].values)

    def crossing(mean):
        i = int(np.argmax(mean > MARGIN))
        around = slice(i - 1, i + 1)
        return np.exp(np.interp(MARGIN, mean[around], logs[around])) if i else np.nan

    def statistic(*explained, axis):
        return np.apply_along_axis(crossing, 0, np.mean(explained, axis))

    return interval(statistic, *explained.transpose("density", "seed").values)
