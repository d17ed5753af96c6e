"""Rows: what running a trial gives, as plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tsxfer.core.seen import Begin, Learned
from tsxfer.core.specs import Trial
from tsxfer.keys import content_key

Status = Literal["done", "failed"]


@dataclass(frozen=True, slots=True)
class Overlap:
    """What was learned from, compared with the test part of a trial's data set.

    Attributes:
        source: Data set that was learned from; the trial's own for its training part.
        seen: Windows learned from or selected on.
        test: Windows of the test part.
        windows: Test windows that were learned from, up to a factor, an offset and a little noise.
        groups: Groups on both sides by names that tell; within one data set, names that differ in
            case or spaces alone.
        names: Groups of both whose common names are counters, such as ``p1``: no proof of anything.
        events: Test windows of an event (time and magnitude) that was learned from.
        moved: More test windows of which half or more was learned from at another place in time or
            at another rate; None where that was not looked for: in rows of before it was, and of
            weights that come with marks of whole windows alone.
        unknown: Some of what was learned from is not stated, or was not here to be compared.
    """

    source: str
    seen: int
    test: int
    windows: int = 0
    groups: int = 0
    names: int = 0
    events: int = 0
    moved: int | None = None
    unknown: bool = False

    @property
    def refused(self) -> bool:
        """Something of the test part was learned from."""
        return bool(self.windows or self.groups or self.events or self.moved)

    @property
    def words(self) -> str:
        """The counts, e.g. ``12 windows and 3 groups``."""
        counts = [
            (self.windows, "windows"),
            (self.groups, "groups"),
            (self.events, "windows of known events"),
            (self.moved or 0, "shifted, cut or resampled windows"),
        ]
        return " and ".join(f"{count} {what}" for count, what in counts if count)

    @property
    def told(self) -> str:
        """The counts, or that there is nothing, and what was not looked for."""
        found = self.words or "nothing"
        return found if self.moved is not None else f"{found} (shifted copies not looked for)"


@dataclass(frozen=True, slots=True)
class Result:
    """One row: what a trial gave, with what is needed to trust it and to repeat it.

    Attributes:
        trial: The spec; its key is the row's identity.
        status: ``done`` or ``failed``; a failed trial is a row too.
        metric: Primary metric, a name in `tsxfer.metrics`.
        margin: Smallest difference of it that matters in practice (from the target's card).
        scores: Test scores by metric name, at the checkpoint chosen on validation.
        chance: Best score of trivial predictions (a constant, a guess by class shares), by
            metric name; from training labels only.
        curve: Validation curve of the primary metric on a samples-seen grid from step 0:
            ``{"samples": [...], "score": [...]}``.
        sizes: ``{"train": .., "validation": .., "test": ..}`` instances.
        data: Fingerprint of each prepared data set that took part, by versioned name.
        split: Proof: group counts, hashes and overlaps of the three parts; what a group is, and the
            rule of the split.
        subset: Hash of the training and validation instances drawn.
        overlap: What was learned from against the test part, its own data set first.
        audit: ``{"copied": [...], "renewed": [...], "frozen": [...]}`` tensor names.
        alignment: Hash of the test instances and their labels, in the order of the predictions.
        begin: What the network did with training windows before it learned; None without a network.
        learned: Whether it left its start; None where no step was taken or no label was learned.
        loss: What was minimised: ``squared error`` or ``cross-entropy``.
        ledger: What the trial was allowed: ``{"steps": .., "batch": .., "tries": ..}``; steps are
            those of one try.
        chosen: What tuning chose: ``{"rate_multiplier": ..}``; empty without tuning.
        cost: What it took: ``{"seconds": .., "steps": .., "samples": .., "device": ..}``.
        labels: Warnings that travel with the row: ``simulated``, ``leaky split``.
        environment: Versions and hardware.
        analysis: Hash of the analysis that was declared before the row was made.
        origin: Of a row that was merged from elsewhere: name and hash of the set it came in.
        error: Message of a failed trial.
    """

    trial: Trial
    status: Status
    metric: str
    margin: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)
    chance: dict[str, float] = field(default_factory=dict)
    curve: dict[str, list[float]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)
    split: dict[str, Any] = field(default_factory=dict)
    subset: str = ""
    overlap: tuple[Overlap, ...] = ()
    alignment: str = ""
    loss: str = ""
    audit: dict[str, list[str]] = field(default_factory=dict)
    begin: Begin | None = None
    learned: Learned | None = None
    ledger: dict[str, int] = field(default_factory=dict)
    chosen: dict[str, float] = field(default_factory=dict)
    cost: dict[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    analysis: str = ""
    error: str = ""
    origin: str = ""

    @property
    def key(self) -> str:
        """The key of the trial."""
        return self.trial.key

    @property
    def digest(self) -> str:
        """Hash of what the trial gave, kept beside its predictions: an edited row has another.

        Left out: the analysis and the origin, which are stamped on it afterwards, and what the
        machine was like.
        """
        return content_key(replace(self, analysis="", cost={}, environment={}, origin=""))
