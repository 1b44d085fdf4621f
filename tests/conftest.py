"""Settings of the suite: two CPU devices, so that sharing a grid is tested everywhere."""

import jsuper as js

js.use_cpu_cores(2)
