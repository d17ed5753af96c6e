"""What is run before a change lands and before a release: ``nox --list``, ``nox -s NAME``.

``.ci/run`` uses the sessions of a landing inside the environment that it made (``--no-venv``);
without that flag each session makes an environment of its own.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

HERE = Path(__file__).parent
PYTHONS = ("3.11", "3.12", "3.13")
# Tests of the built wheel that need no other file of the repository: among them what `tsxfer new`
# writes (templates), sections of a report, and a study that is run and verified.
OF_THE_WHEEL = (
    "test_keys.py",
    "test_metrics.py",
    "core",
    "report/test_sections.py",
    "checks/test_verify.py",
    "cli/test_plugins.py::test_what_new_writes_passes_check",
    "cli/test_plugins.py::test_the_folder_can_stand_in_the_environment",
)

nox.options.sessions = ("lint", "tests", "wheel")
nox.options.error_on_missing_interpreters = False
nox.needs_version = ">=2024.10.9"


def _install(session: nox.Session, *what: str) -> None:
    """Install into the session's own environment; ``--no-venv`` takes the one around as it is."""
    if session.virtualenv.is_sandboxed:
        session.install(*what)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The suite, with every Python that is there: ``nox -s tests-3.12 -- tests/stats -x``."""
    _install(session, "-e", ".[test]")
    session.run("python", "-m", "pytest", *(session.posargs or ("-n", "2")))


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types and layers."""
    _install(session, "-e", ".[test]")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("mypy")
    session.run("lint-imports")


@nox.session
def wheel(session: nox.Session) -> None:
    """Tests of the built wheel in a folder without the source; the wheel stays in ``dist``."""
    _install(session, "-e", ".[test]")
    folder = Path(session.create_tmp()).resolve() / "wheel"
    session.env.pop("TMPDIR", None)  # a path below ours is too long for some sockets
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HERE / "pyproject.toml", folder)  # how pytest is set up
    pip = ("python", "-m", "pip", "-q")
    session.run(*pip, "wheel", "--no-deps", "--wheel-dir", str(folder / "dist"), str(HERE))
    (built,) = (folder / "dist").glob("tsxfer-*.whl")
    session.run(*pip, "install", "--no-deps", "--target", str(folder / "site"), str(built))
    session.chdir(folder)
    first = {"PYTHONPATH": str(folder / "site")}  # before the source in every process
    place = "import sys, tsxfer; sys.exit(not tsxfer.__file__.startswith(sys.argv[1]))"
    session.run("python", "-c", place, str(folder / "site"), env=first)
    chosen = session.posargs or [f"tests/{name}" for name in OF_THE_WHEEL]
    session.run("python", "-m", "pytest", "-n", "2", *chosen, env=first)
    (HERE / "dist").mkdir(exist_ok=True)
    shutil.copy(built, HERE / "dist")


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """The suite with the oldest versions that ``pyproject.toml`` admits."""
    pinned = Path(session.create_tmp()).resolve() / "lowest.txt"
    session.install("uv")
    session.run(
        "uv",
        "pip",
        "compile",
        "-q",
        "pyproject.toml",
        "--extra",
        "test",
        "-o",
        str(pinned),
        "--resolution",
        "lowest-direct",
        "--python-version",
        str(session.python),
    )
    session.install("-r", str(pinned))
    session.install("--no-deps", "-e", ".")
    session.run("python", "-m", "pytest", *(session.posargs or ("-n", "2")))


@nox.session
def slow(session: nox.Session) -> None:
    """What trains for long: minutes to hours; name files to run some of it."""
    _install(session, "-e", ".[test]")
    session.run("python", "-m", "pytest", "-m", "slow", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The site, in ``site``."""
    _install(session, "-e", ".[docs]")
    session.run("sphinx-build", "-W", "docs", "site")


@nox.session
def audit(session: nox.Session) -> None:
    """Known weaknesses in our code and in what it depends on."""
    session.install("-e", ".", "bandit[toml]", "pip-audit")
    session.run("bandit", "-q", "-c", "pyproject.toml", "-r", "tsxfer", "datasets")
    session.run("pip-audit", "--skip-editable")
