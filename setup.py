"""Puts configs/ into the wheel. Everything else about the package stands in pyproject.toml."""

from pathlib import Path
from shutil import copytree

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithConfigs(build_py):
    """Copies the configurations into the package; an editable install finds them beside it."""

    def run(self) -> None:
        """Build the package, then copy."""
        super().run()
        if not self.editable_mode:
            copytree("configs", Path(self.build_lib, "brainrnn", "configs"), dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithConfigs})
