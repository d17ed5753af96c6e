"""The flags that describe an own file: one definition, the same for every command."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tsxfer.api.describing import HELP, describe
from tsxfer.cli.app import app
from tsxfer.errors import SpecError
from tsxfer.own.description import Description

COMMANDS = ("run", "plan", "fit", "prepare", "recommend", "look")
INNER = {"columns", "unlabelled", "windows_axis"}  # what a fitted model's card says, not a user


def test_every_field_is_a_flag() -> None:
    """What a card may say, a flag may say; nothing else is a flag of an own file."""
    assert set(HELP) == {field.name for field in fields(Description)} - INNER


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_them(command: str) -> None:
    """The same flags stand under their own heading in the help of each command."""
    said = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert said.exit_code == 0
    assert "Of an own file" in said.output
    assert all(f"--{name}" in said.output for name in HELP)


def test_words_become_a_description() -> None:
    """Lists are written with commas; a word that no flag knows is refused with its near ones."""
    assert describe(ignore="a, b,", label="-1").ignore == ("a", "b")
    with pytest.raises(SpecError, match="--lengths 'padd' is not known") as refused:
        describe(lengths="padd")
    assert "did you mean pad" in refused.value.mend


def test_a_position_from_the_end_is_no_flag(tmp_path: Path) -> None:
    """``--label -1`` is read as a value, and the file is read by position."""
    draw = np.random.default_rng(0)
    codes = np.arange(60)[:, None] % 2
    np.savetxt(tmp_path / "a.csv", np.hstack([draw.normal(size=(60, 16)), codes]), delimiter=",")
    words = [
        "prepare",
        str(tmp_path / "a.csv"),
        "--label",
        "-1",
        "--workspace",
        str(tmp_path / "w"),
    ]
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 0, said.output
    assert "60 of 1 x 16" in said.output


def test_a_file_of_another_kind_is_no_misspelt_data_set(tmp_path: Path) -> None:
    """`prepare` of an ending that nothing reads names the endings that are read."""
    (tmp_path / "a.xyz").write_text("x")
    said = CliRunner().invoke(app, ["prepare", str(tmp_path / "a.xyz")])
    assert isinstance(said.exception, SpecError)
    assert "a file whose ending is not known" in said.exception.problem
    assert ".parquet" in said.exception.mend
