"""Mantis (Feofanov et al. 2025, arXiv 2502.15637) as a backbone that is trained, not only read.

Needs ``mantis-tsfm`` in the interpreter that runs tsxfer. Each channel is stretched to 512 samples,
as its authors advise, and read alone; the features of all channels are joined.
"""

from __future__ import annotations

from torch import Tensor, nn

from tsxfer.errors import SpecError
from tsxfer.models import backbone

LENGTH = 512
KIND = "Mantis8M"  # the names of the published Mantis-8M; of later files: "MantisV1"


class EachChannel(nn.Module):
    """Windows ``(batch, channel, time)`` to ``(batch, channel · 256)``."""

    def __init__(self) -> None:
        super().__init__()
        try:
            from mantis import architecture
        except ImportError as error:
            raise SpecError(
                f"the model mantis needs the package mantis-tsfm: {error}",
                where=__file__,
                mend="python -m pip install mantis-tsfm",
            ) from None
        self.mantis = getattr(architecture, KIND)(device="cpu")
        self.mantis.prj = nn.Identity()  # projects for its own pretraining alone

    def forward(self, x: Tensor) -> Tensor:
        """Read channel by channel."""
        alone = x.reshape(-1, 1, x.shape[2])
        series = nn.functional.interpolate(alone, LENGTH, mode="linear", align_corners=False)
        features: Tensor = self.mantis(series)
        return features.reshape(len(x), -1)


@backbone(transferred=("mantis.",))
def mantis(channels: int, length: int) -> nn.Module:
    """Mantis with random weights; ``--source FOLDER`` with its ``model.safetensors`` fills them."""
    del channels, length  # it reads any
    return EachChannel()
