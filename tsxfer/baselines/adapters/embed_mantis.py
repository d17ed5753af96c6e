"""Embed windows with Mantis (Feofanov et al. 2025); runs alone, where ``mantis-tsfm`` is installed.

``python embed_mantis.py WEIGHTS WINDOWS.npy EMBEDDINGS.npy``: float32 ``(n, channel, time)`` to
float32 ``(n, channel · width)``. Each channel is stretched to 512 samples, as its authors advise,
and read alone. Weights are taken from the folder by name, and each tensor must be there:
`from_pretrained` alone would leave what does not fit at random.
"""

import sys
from pathlib import Path

LENGTH = 512
FEW = 256  # series at a time


def main(weights: str, given: str, made: str) -> int:
    """Read, embed, write; 3 where the package is missing."""
    try:
        import numpy as np
        import torch
        from mantis import architecture
        from safetensors.torch import load_file
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    held = load_file(str(Path(weights) / "model.safetensors"))
    old = any(name.startswith("vit_unit.") for name in held)
    kind = architecture.Mantis8M if old else architecture.MantisV1
    network = kind(device="cpu").from_pretrained(weights, local_files_only=True)
    state = network.state_dict()
    strange = [n for n in {*held, *state} if n not in held or not _same(held, state, n)]
    if strange:
        sys.stderr.write(f"{len(strange)} tensors do not fit, e.g. {sorted(strange)[0]}\n")
        return 4
    x = torch.from_numpy(np.load(given, allow_pickle=False))
    series = torch.nn.functional.interpolate(
        x.reshape(-1, 1, x.shape[2]), LENGTH, mode="linear", align_corners=False
    )
    network.eval()
    with torch.no_grad():
        found = torch.cat([network(few) for few in series.split(FEW)])
    np.save(made, found.reshape(len(x), -1).numpy(), allow_pickle=False)
    return 0


def _same(held: dict, state: dict, name: str) -> bool:  # type: ignore[type-arg]
    given, loaded = held[name], state.get(name)
    return loaded is not None and given.shape == loaded.shape and bool((given == loaded).all())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
