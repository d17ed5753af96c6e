"""What a release needs is in step: version, citation, changelog, and what the package ships."""

from __future__ import annotations

import re
import runpy
import tomllib

from tests.docs.pages import ROOT
from tsxfer import __version__


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_version_is_the_same_everywhere() -> None:
    """Package, citation and the newest release of the changelog name one version."""
    releases = re.findall(r"^## \[(\d[^]]*)\] - \d{4}-\d\d-\d\d$", _text("CHANGELOG.md"), re.M)
    assert releases[0] == __version__
    assert f"\nversion: {__version__}\n" in _text("CITATION.cff")
    assert f"[{__version__}]: https://" in _text("CHANGELOG.md")


def test_the_changelog_keeps_its_form() -> None:
    """Unreleased changes come first, and sections have the names of Keep a Changelog."""
    heads = re.findall(r"^##+ (.*)$", _text("CHANGELOG.md"), re.MULTILINE)
    assert heads[0] == "[Unreleased]"
    kinds = {head for head in heads if not head.startswith("[")}
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_every_python_that_is_promised_is_tried() -> None:
    """The sessions run the Pythons of the classifiers, from the oldest that is required."""
    project = tomllib.loads(_text("pyproject.toml"))["project"]
    named = [c.split(" :: ")[-1] for c in project["classifiers"] if ":: Python :: 3." in c]
    assert tuple(named) == runpy.run_path(str(ROOT / "noxfile.py"))["PYTHONS"]
    assert project["requires-python"] == f">={named[0]}"


def test_ci_runs_the_command_of_the_readme() -> None:
    """The test command of the README is the one that a landing must pass, options included."""
    command = r'python -m pip install (?:-q )?-e "\.\[test\]" && (python -m pytest[^\n]*)'
    (readme,), (ci,) = (re.findall(command, _text(name)) for name in ("README.md", ".ci/run"))
    assert readme == ci


def test_types_are_shipped() -> None:
    """Type checkers of users read the annotations of the package."""
    assert (ROOT / "tsxfer" / "py.typed").is_file()
