"""Where things are: every path that the build reads or makes, in one place."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """Paths of one checkout. All that is made lies in git-ignored folders and may be deleted."""

    root: Path

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.script("python")

    def script(self, name: str) -> Path:
        """A program inside the virtual environment."""
        return self._script(self.venv, name)

    @staticmethod
    def _script(venv: Path, name: str) -> Path:
        return venv / "Scripts" / f"{name}.exe" if os.name == "nt" else venv / "bin" / name

    @property
    def other_venv(self) -> Path:
        """The environment of a second Python, for the gateway's tests."""
        return self.cache / "other-python"

    @property
    def other_python(self) -> Path:
        return self._script(self.other_venv, "python")

    @property
    def cache(self) -> Path:
        """Parts that are kept between builds, named by the hash of what they were made from."""
        return self.root / ".cache"

    @property
    def logs(self) -> Path:
        """Full output of the last run of each outside program."""
        return self.cache / "logs"

    @property
    def models(self) -> Path:
        return self.cache / "models"

    @property
    def node_modules(self) -> Path:
        return self.root / "node_modules"

    @property
    def dist(self) -> Path:
        return self.root / "dist"

    def lock(self, name: str) -> Path:
        """The pinned packages called `name`, with hashes."""
        return self.root / "requirements" / f"{name}.txt"


HERE = Places(Path(__file__).resolve().parent.parent)


def make_importable(places: Places) -> None:
    """Lets this Python import `midstream`: its modules that need the standard library alone."""
    if (folder := str(places.root / "py")) not in sys.path:
        sys.path.insert(0, folder)
