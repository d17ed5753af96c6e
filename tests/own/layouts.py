"""Small good files of every layout that a user brings, written by the tests themselves."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

RATE = 50


def clips(folder: Path, name: str = "{label}/{group}_{n}.wav", short: int = 0) -> None:
    """24 wav files of two words, six speakers, 800 samples at 8 kHz; each fourth may be short."""
    random = np.random.default_rng(0)
    for n in range(24):
        fields = {"label": ("yes", "no")[n % 2], "group": f"s{n // 4}", "n": n}
        tone = np.sin(np.arange(800) * (0.1 + 0.2 * (n % 2))) + random.normal(0, 0.1, 800)
        sound(folder / name.format(**fields), tone[: short or None] if n % 4 == 0 else tone)


def sound(path: Path, samples: np.ndarray, rate: int = 8000) -> None:
    """A mono wav file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((samples * 8000).astype("<i2").tobytes())


def recording(subjects: int = 6, turns: int = 6, channels: int = 2) -> pd.DataFrame:
    """Per subject turns of 2 s at 50 Hz, walking and resting in turn; times in seconds."""
    random = np.random.default_rng(1)
    parts = []
    for who in range(subjects):
        for turn in range(turns):
            time = turn * 2 + np.arange(100) / RATE
            act, speed = (("walk", 3.0), ("rest", 0.0))[(who + turn) % 2]
            x = np.sin(2 * np.pi * speed * time)[:, None] + random.normal(0, 0.2, (100, channels))
            named = {f"a{'xyz'[c]}": x[:, c].round(4) for c in range(channels)}
            parts.append(
                pd.DataFrame({"time": time.round(3), **named, "act": act, "who": f"p{who}"})
            )
    return pd.concat(parts, ignore_index=True)


def edf(path: Path, who: int = 0, *, rates: tuple[float, ...] = (RATE, RATE)) -> None:
    """A recording of 24 s with annotations of 2 s, awake and asleep in turn."""
    import edfio

    random = np.random.default_rng(who)
    signals = [
        edfio.EdfSignal(random.normal(0, 1, int(24 * rate)), rate, label=f"EEG {c}",
                        physical_range=(-10, 10))
        for c, rate in enumerate(rates)
    ]  # fmt: skip
    notes = [edfio.EdfAnnotation(2.0 * k, 2.0, ("awake", "asleep")[k % 2]) for k in range(12)]
    path.parent.mkdir(parents=True, exist_ok=True)
    edfio.Edf(signals, annotations=notes).write(path)


def wfdb_record(folder: Path, name: str, *, notes: bool = True) -> None:
    """A record of 24 s with rhythms that change every 2 s, or a beat every second."""
    import wfdb

    folder.mkdir(parents=True, exist_ok=True)
    signal = np.random.default_rng(sum(name.encode())).normal(0, 0.5, (24 * RATE, 2))
    wfdb.wrsamp(
        name, RATE, ["mV", "mV"], ["I", "II"], signal, fmt=["16", "16"], write_dir=str(folder)
    )
    if notes:
        said = [("(N", "(AFIB")[k % 2] for k in range(12)]
        wfdb.wrann(
            name, "atr", np.arange(12) * 2 * RATE, ["+"] * 12, aux_note=said, write_dir=str(folder)
        )
    else:
        beats = ["N", "V"] * 11
        wfdb.wrann(name, "atr", np.arange(1, 23) * RATE, beats, write_dir=str(folder))


def windows(count: int = 60, channels: int = 2, time: int = 16) -> tuple[np.ndarray, Any, Any]:
    """Windows ``(n, channel, time)``, words and groups."""
    x = np.random.default_rng(2).normal(size=(count, channels, time)).round(3)
    return x, np.array(["on", "off"] * (count // 2)), np.array([f"g{i // 6}" for i in range(count)])


def matlab_7(path: Path, arrays: dict[str, np.ndarray], cells: list[str] | None = None) -> None:
    """A file as MATLAB 7.3 writes it: axes turned, text as references."""
    import h5py

    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array.T).attrs["MATLAB_class"] = np.bytes_("double")
        if cells is not None:
            refs = np.empty((1, len(cells)), h5py.ref_dtype)
            for k, word in enumerate(cells):
                node = file.create_dataset(
                    f"#refs#/{k}", data=np.array([[ord(c)] for c in word], "u2")
                )
                node.attrs["MATLAB_class"] = np.bytes_("char")
                refs[0, k] = node.ref
            file.create_dataset("labels", data=refs, dtype=h5py.ref_dtype).attrs["MATLAB_class"] = (
                np.bytes_("cell")
            )


def seisbench(
    folder: Path, chunk: str = "", rates: tuple[float, ...] = (20.0,), first: int = 0
) -> np.ndarray:
    """30 traces of 15 events in a bucket; returns them ``(30, 3, 200)``."""
    import h5py

    folder.mkdir(parents=True, exist_ok=True)
    x = np.random.default_rng(first).normal(size=(30, 3, 200)).astype(np.float32)
    rows = [
        {"trace_name": f"bucket0${i},:3,:200", "source_id": f"ev{first + i // 2}",
         "source_magnitude": 1 + i / 10, "trace_sampling_rate_hz": rates[i % len(rates)],
         "split": "test" if i >= 24 else "train"}
        for i in range(30)
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / f"metadata{chunk}.csv", index=False)
    with h5py.File(folder / f"waveforms{chunk}.hdf5", "w") as file:
        file["data/bucket0"] = x
        file["data_format/dimension_order"] = "NCW"
        file["data_format/component_order"] = "ZNE"
        file["data_format/sampling_rate"] = rates[0]
    return x


def seismograms(folder: Path, kind: str) -> None:
    """Twelve seismograms, three components each, with a catalogue: SAC a file a component."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # obspy asks importlib.metadata in a deprecated way
        import obspy

    folder.mkdir(parents=True, exist_ok=True)
    random, rows = np.random.default_rng(3), []
    for event in range(12):
        stream = obspy.Stream([
            obspy.Trace(random.normal(size=200).astype(np.float32),
                        {"delta": 0.05, "channel": f"BH{c}", "station": "AAA"})
            for c in "ENZ"
        ])  # fmt: skip
        row = {"magnitude": 3 + event / 10, "event": f"e{event // 2}"}
        if kind == "SAC":
            for trace in stream:
                name = f"{event}.{trace.stats.channel}.SAC"
                trace.write(str(folder / name), format="SAC")
                row[trace.stats.channel] = name
        else:
            row["file"] = f"{event}.mseed"
            stream.write(str(folder / row["file"]), format="MSEED")
        rows.append(row)
    pd.DataFrame(rows).to_csv(folder / "catalogue.csv", index=False)


def prices(path: Path, days: int = 120, seed: int = 0) -> np.ndarray:
    """A csv of dates and closes; returns the closes."""
    closes = (100 + np.random.default_rng(seed).normal(0, 1, days).cumsum()).round(2)
    dates = pd.bdate_range("2018-01-01", periods=days).strftime("%Y-%m-%d")
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"Date": dates, "Open": 0, "Close": closes}).to_csv(path, index=False)
    return closes


def archive_pair(folder: Path, ending: str, channels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """``NAME_TRAIN`` and ``NAME_TEST`` of 30 series each; returns windows and labels of both."""
    x, _, _ = windows(60, channels)
    y = np.array(["1", "2"] * 30)
    for side, rows in (("TRAIN", slice(0, 30)), ("TEST", slice(30, 60))):
        text = _archive_text(x[rows], y[rows], ending)
        (folder / f"Toy_{side}{ending}").write_text(text)
    return x, y


def _archive_text(x: np.ndarray, y: np.ndarray, ending: str) -> str:
    if ending in (".tsv", ".txt"):
        gap = "\t" if ending == ".tsv" else "  "
        return "\n".join(gap.join((label, *map(str, w[0]))) for w, label in zip(x, y, strict=True))
    rows = [[",".join(map(str, channel)) for channel in w] for w in x]
    if ending == ".ts":
        one = str(x.shape[1] == 1).lower()
        head = f"@problemName Toy\n@timeStamps false\n@univariate {one}\n"
        head += "@classLabel true 1 2\n@data\n"
        return head + "\n".join(f"{':'.join(w)}:{label}" for w, label in zip(rows, y, strict=True))
    quote = "" if x.shape[1] == 1 else "'"
    lines = [f"{quote}{(chr(92) + 'n').join(w)}{quote},{c}" for w, c in zip(rows, y, strict=True)]
    return "@relation Toy\n@attribute x numeric\n@attribute class {1,2}\n@data\n" + "\n".join(lines)
