"""``python -m jsuper.cli`` is the command ``jsuper``."""

import sys

from jsuper.cli import main

sys.exit(main())
