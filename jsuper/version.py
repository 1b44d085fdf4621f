"""The version of this library: the installed one, or that of a bare checkout."""

import importlib.metadata

try:
    VERSION = importlib.metadata.version("jsuper")
except importlib.metadata.PackageNotFoundError:  # a checkout on the path
    VERSION = "0+checkout"
