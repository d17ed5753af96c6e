"""Embed windows with MOMENT (Goswami et al. 2024); runs alone, where ``momentfm`` is installed.

``python embed_moment.py WEIGHTS WINDOWS.npy EMBEDDINGS.npy``: float32 ``(n, channel, time)`` to
float32 ``(n, channel · width)``. Each channel is read alone. MOMENT reads 512 samples: a shorter
window gets masked zeros in front, as its authors advise, a longer one is shrunk by linear
interpolation.

sktime carries a copy of ``momentfm``, but that asks the Hugging Face hub for the T5 model beneath
MOMENT even where MOMENT's weights are on disk; the package builds it from the configuration beside
them.
"""

import sys
from pathlib import Path

LENGTH = 512
FEW = 64  # series at a time


def main(weights: str, given: str, made: str) -> int:
    """Read, embed, write; 3 where the package is missing."""
    try:
        import numpy as np
        import torch
        from momentfm import MOMENTPipeline
        from safetensors.torch import load_file
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    held = load_file(str(Path(weights) / "model.safetensors"))
    network = MOMENTPipeline.from_pretrained(
        weights, model_kwargs={"task_name": "embedding"}, local_files_only=True
    )
    network.init()
    state = network.state_dict()
    strange = [name for name, tensor in state.items() if not _holds(held, name, tensor)]
    if strange:
        sys.stderr.write(f"{len(strange)} tensors are not in the file, e.g. {sorted(strange)[0]}\n")
        return 4
    x = torch.from_numpy(np.load(given, allow_pickle=False))
    series, mask = _fit(torch, x.reshape(-1, 1, x.shape[2]))
    network.eval()
    with torch.no_grad():
        found = torch.cat(
            [
                network(x_enc=few, input_mask=mask.expand(len(few), -1)).embeddings
                for few in series.split(FEW)
            ]
        )
    np.save(made, found.reshape(len(x), -1).float().numpy(), allow_pickle=False)
    return 0


def _fit(torch, series):  # type: ignore[no-untyped-def]
    """Series of 512 samples, and the mask ``(1, 512)`` of those that are real."""
    missing = LENGTH - series.shape[2]
    mask = torch.ones(1, LENGTH)
    if missing >= 0:
        mask[:, :missing] = 0
        return torch.nn.functional.pad(series, (missing, 0)), mask
    shrunk = torch.nn.functional.interpolate(series, LENGTH, mode="linear", align_corners=False)
    return shrunk, mask


def _holds(held, name, tensor):  # type: ignore[no-untyped-def]
    """Whether the file has this very tensor; shared ones are written once, under one name."""
    given = held.get(name)
    if given is not None:
        return given.shape == tensor.shape and bool((given.to(tensor.dtype) == tensor).all())
    return any(g.shape == tensor.shape and bool((g == tensor).all()) for g in held.values())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
