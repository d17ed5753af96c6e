"""What a model's card keeps of the file that it was fitted on, so that others are read alike."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

import numpy as np

from tsxfer.core.building import from_plain
from tsxfer.data.prepare import Prepared
from tsxfer.errors import DataError, SpecError
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.signals import NEAR

READ = "read.json"  # beside the arrays of an own data set


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model's card keeps of the file that it was fitted on.

    Attributes:
        described: As of that file, with its columns; labels are not looked for.
        channels: Names, in order.
        length: Samples of a window at the file's rate.
        file_rate_hz: Rate of the file.
        rate_hz: Rate that the model sees.
        taken_off: Level that was taken off each channel; () for none.
        stated_hz: Rate that the file itself stated; 0 where it did not.
    """

    described: Description
    channels: tuple[str, ...]
    length: int
    file_rate_hz: float = 1.0
    rate_hz: float = 1.0
    taken_off: tuple[float, ...] = ()
    stated_hz: float = 0.0


def reading_of(made: Prepared) -> Reading:
    """How a prepared own file was read; of another data set, what its card says."""
    kept = made.folder / READ
    if kept.exists():
        return reading(json.loads(kept.read_text(encoding="utf-8")), str(kept))
    card = made.card
    blind = Description(unlabelled=True)
    return Reading(blind, card.channels, card.length, card.rate_hz, card.rate_hz)


def reading(facts: object, where: str) -> Reading:
    """The inverse of ``asdict``.

    Raises:
        SpecError: If these facts are none.
    """
    return from_plain(Reading, facts, where=where)


def at_rate(like: Reading, rate: float) -> Reading:
    """The same where the user says at which rate the samples of the other file come.

    Args:
        like: How the file that the model was fitted on was read.
        rate: Samples a second; 0 where nothing was said.

    Raises:
        SpecError: If it is negative or no number, or that of the fit is not known.
    """
    if not rate:
        return like
    if like.file_rate_hz == 1.0 and rate != 1.0:  # what stands for no rate
        raise SpecError(
            f"--rate {rate:g}, but the rate of the data that the model was fitted on was not said",
            mend="leave --rate out; or fit again with --rate",
        )
    return replace(like, described=replace(like.described, rate=rate), stated_hz=0.0)


def as_text(found: Reading) -> str:
    """As a file keeps it."""
    return json.dumps(asdict(found), indent=1)


def another(content: Content, described: Description) -> Description:
    """What reads the windows of another such file, whose labels are not known."""
    return replace(
        described,
        label="",
        group="",
        test="",
        columns=content.columns,
        windows_axis=content.windows_axis,
        unlabelled=True,
    )


def refuse_rate(stated: float, like: Reading, where: str) -> None:
    """Another rate would stretch the windows in time.

    Args:
        stated: Samples a second that the other file states; 0 where it does not.
        like: How the file that the model was fitted on was read.
        where: For the message.

    Raises:
        DataError: If the file, or the user, states another rate than that of the fit.
    """
    given, wanted = like.described.rate or stated, like.file_rate_hz
    if like.stated_hz:  # --rate overruled that file, and overrules one that states the same
        given, wanted = stated, like.stated_hz
    on_the_way = like.described.resample and stated == like.described.resample
    known = given and wanted != 1.0 and not on_the_way
    if known and not np.isclose(given, wanted, rtol=NEAR):
        raise DataError(
            f"samples come at {given:g} Hz, the model was fitted on {wanted:g} Hz",
            where=where,
            mend=f"resample the file to {wanted:g} Hz first"
            + ("" if like.described.window else f", or say --rate {wanted:g} if that is its rate"),
        )
