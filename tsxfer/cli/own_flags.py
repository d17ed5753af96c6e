"""The flags that describe an own file, for every command that takes one, defined once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from typing import Annotated, Any, get_type_hints

import typer

from tsxfer.api.describing import HELP, describe
from tsxfer.own.description import Description

PANEL = "Of an own file"
_FIELDS = {field.name: field for field in fields(Description) if field.name in HELP}
_TYPES = get_type_hints(Description)


def widened(
    command: Callable[..., Any],
    parameter: str,
    flags: Sequence[inspect.Parameter],
    made: Callable[..., object],
) -> Callable[..., Any]:
    """A command with many flags in the place of one parameter, which is made of them.

    typer reads ``__signature__``, so the command says one parameter and its users see all.

    Args:
        command: What takes `parameter`.
        parameter: Its name.
        flags: What stands for it.
        made: From the flags' values to what `command` gets.
    """
    told = inspect.signature(command, eval_str=True)
    every: list[inspect.Parameter] = []
    for one in told.parameters.values():
        every += flags if one.name == parameter else [one]

    @functools.wraps(command)
    def called(**given: Any) -> Any:
        said = {flag.name: given.pop(flag.name) for flag in flags}
        return command(**given, **{parameter: made(**said)})

    every = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in every]
    called.__signature__ = told.replace(parameters=every)  # type: ignore[attr-defined]
    called.__annotations__ = {p.name: p.annotation for p in every}
    return called


def own_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command a flag for each field of `Description`, which reaches it as ``described``."""
    return widened(command, "described", [_parameter(name) for name in HELP], describe)


def _parameter(name: str) -> inspect.Parameter:
    """A flag; lists are given as one text with commas, choices are checked by `describe`."""
    kind = float if _TYPES[name] is float else str
    default = _FIELDS[name].default
    option = typer.Option(f"--{name}", help=HELP[name], rich_help_panel=PANEL, show_default=False)
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default="" if default in ((), MISSING) else default,
        annotation=Annotated[kind, option],
    )
