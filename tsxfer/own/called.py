"""What the name of a channel says beside the sensor: a unit, or the instrument of a seismometer."""

from __future__ import annotations

import re
from dataclasses import replace

from tsxfer.own.signals import Signal

VOLTS = {"V": 1.0, "mV": 1e-3, "uV": 1e-6, "µV": 1e-6, "μV": 1e-6, "nV": 1e-9}
UNIT = re.compile(r"^(.+?) ?[(\[]([^()\[\]]+)[)\]]$|^(.+?)[_ /.](" + "|".join(VOLTS) + r")$")
SEISMIC = re.compile(r"^(?:[A-Z][HLGN])?([ENZRT])$")  # SEED's band and instrument, component


def units_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """The unit that each name states, "" where it states none; () where no name does.

    ``EMG (mV)`` and ``EMG_uV`` do, ``EMG`` does not.
    """
    found = tuple(_parted(name)[1] for name in names)
    return found if any(found) else ()


def named_like(signal: Signal, first: Signal) -> Signal:
    """The signal with the names of another one's channels, where they say the same otherwise.

    That is where names differ by their units alone (``EMG (uV)`` for ``EMG (mV)``), or are other
    instruments' codes of the same components (``HHZ`` for ``BHZ``).
    """
    if set(signal.channels) == set(first.channels):
        return signal
    for part in (bare_name, _component):
        ours = {part(name): name for name in first.channels}
        theirs = [part(name) for name in signal.channels]
        if len(ours) == len(first.channels) and "" not in ours and sorted(theirs) == sorted(ours):
            return replace(signal, channels=tuple(ours[one] for one in theirs))
    return signal


def bare_name(name: str) -> str:
    """The name before its unit; marked, so that it is never that of one without a unit."""
    sensor, unit = _parted(name)
    return f"{sensor} in a unit" if unit else name


def _parted(name: str) -> tuple[str, str]:
    found = UNIT.match(name.strip())
    if found is None:
        return name, ""
    return found[1] or found[3], (found[2] or found[4]).strip()


def _component(name: str) -> str:
    found = SEISMIC.match(name.strip())
    return found[1] if found else ""
