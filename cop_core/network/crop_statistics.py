"""The physical statistics of crops, on the CPU or another device."""

from __future__ import annotations

import torch
from torch import Tensor

from cop_core.network.tensor_statistics import CropStatistics, tensor_statistics


@torch.no_grad()
def noise_statistics(x: Tensor, patch: int) -> CropStatistics:
    """Return the statistics of crops, on the CPU in compiled code, else in tensor operations.

    Parameters
    ----------
    x : Tensor of shape (n, 1, h, w)
        Crops in [0, 1], float32; h and w are multiples of `patch`.
    patch : int
        Side of a patch in pixels.
    """
    if x.device.type != "cpu":
        return tensor_statistics(x[:, 0], patch)
    from cop_core.network.compiled_statistics import compiled_statistics  # imports numba

    return compiled_statistics(x[:, 0], patch)
