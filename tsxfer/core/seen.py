"""What was seen of a training beside its scores: the network before it, and if it ever began."""

from __future__ import annotations

from dataclasses import dataclass

BLIND = 1e-3  # deviation over mean of the last features below which a network is blind
FLAT = 0.02  # of the loss of the best constant answer; less than this learned is nothing
LAGGING = 30.0  # times; experiments/starts: 16 cost nothing, 370 a third of the score and more
FIRST = 2  # epochs whose checkpoints are those of a run that never left its start


@dataclass(frozen=True, slots=True)
class Begin:
    """A network before training, on training windows of its target, labels unseen.

    Attributes:
        rms: Root mean square of the outputs of each layer of the backbone, first to last.
        deviation: Of the last features: root mean square of their deviation over windows, relative
            to that of their means. Near 0 all windows look the same to the head.
        rank: Effective rank of the last features (Roy and Vetterli 2007): exp of the entropy of
            their normalised singular values, means taken off; from 1, or 0 where nothing varies.
        dead: Share of filters whose output is above 0 nowhere.
    """

    rms: tuple[float, ...]
    deviation: float
    rank: float
    dead: float

    @property
    def blind(self) -> bool:
        """The head can hardly tell windows apart."""
        return self.deviation < BLIND


@dataclass(frozen=True, slots=True)
class Learned:
    """Loss on training windows, up to 256 of them, as evaluated without dropout or distortion.

    Attributes:
        first: Before training.
        last: When training stopped, which is after the checkpoint that was kept.
        constant: Of the best prediction that ignores the window.
        epochs: Passes over the training windows until the checkpoint that was kept.
        lag: Factor by which running variances of normalisation are off those of the training
            windows at that checkpoint: the median over channels, of the worst layer; 1 where
            nothing is normalised so. In training each batch is normalised by its own.
    """

    first: float
    last: float
    constant: float
    epochs: float
    lag: float = 1.0

    @property
    def lagging(self) -> bool:
        """Normalisation answers otherwise than it learned."""
        return self.lag >= LAGGING

    @property
    def stuck(self) -> bool:
        """It never left its start: nothing was learned, and an early checkpoint was the best."""
        return self.constant - self.last < FLAT * self.constant and self.epochs <= FIRST
