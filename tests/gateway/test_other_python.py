"""The gateway's tests once more, with the other Python that `build.py test` has found.

tooling/setup/other_python.py chooses it.
"""

from __future__ import annotations

import os
import subprocess

import pytest

from tooling.places import HERE
from tooling.setup import other_python

# Not those of processes, models and files, which take long and say little about a version of Python.
TESTS = ("http/test_protocol.py", "runs", "store", "test_tasks.py")
PYTHON = other_python.ready(HERE)

# Nothing to skip where there is no other Python: build.py says so.
if PYTHON is not None:

    @pytest.mark.full_run(reason="a minute")
    def test_the_gateway_works_with_another_python() -> None:
        folders = [f"tests/gateway/{name}" for name in TESTS]
        command = [str(PYTHON), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=5", *folders]
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))}
        done = subprocess.run(command, cwd=HERE.root, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
        assert "passed" in done.stdout
