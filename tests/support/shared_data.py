"""Reference data that lies beside the repository, not in it.

The Python form of shared_data.h: the folder that INTERNODE_SHARED_DATA names,
by default ../shared/data from the root of the repository.
"""

import os
import pathlib
import sys

# What CTest takes for "skipped" (tests/integration/CMakeLists.txt).
SKIPPED = 77


def path(name):
    """The path of `name` in the shared data, whether or not it exists."""
    root = pathlib.Path(__file__).resolve().parents[2]
    folder = os.environ.get("INTERNODE_SHARED_DATA")
    base = pathlib.Path(folder) if folder else root.parent / "shared" / "data"
    return base / name


def require(name):
    """The path of `name`; ends the program when it is missing.

    Fails in CI (the environment variable CI is set), is skipped elsewhere.
    """
    found = path(name)
    if found.exists():
        return found
    print(
        f"shared data is missing: {found} "
        "(set INTERNODE_SHARED_DATA to its folder)",
        file=sys.stderr,
    )
    sys.exit(1 if os.environ.get("CI") else SKIPPED)
