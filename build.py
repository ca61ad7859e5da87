#!/usr/bin/env python3
"""Sets up, builds, serves and tests Midstream: `python3 build.py [serve | test | bench] [options]`.

Written so that a Python far too old can still read this file and say so; the work is in `tooling/`.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "build.py: Midstream needs Python 3.11 or newer and this is %d.%d;"
        " run it with a newer one, for example: python3.11 build.py" % sys.version_info[:2]
    )

try:
    from tooling.commands import main
except ModuleNotFoundError as error:
    sys.exit(
        "build.py: this Python lacks its standard module %r; install the full Python"
        " (Debian, Ubuntu: apt-get install python3-full)" % error.name
    )

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
