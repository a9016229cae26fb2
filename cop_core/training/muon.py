"""Muon for processors that multiply bfloat16 slowly."""

from __future__ import annotations

import torch
from torch import Tensor


class Float32Muon(torch.optim.Muon):
    """PyTorch's Muon, with matrices made orthogonal in single precision.

    PyTorch's own does that in bfloat16, which takes up to 80 times as long on processors without
    instructions for it. Same settings, with the rate matched to AdamW's, and same state.

    References
    ----------
    .. [1] K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024.
    """

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Take a step along the orthogonalised, averaged gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                mean = state.setdefault("momentum_buffer", torch.zeros_like(parameter))
                mean.lerp_(parameter.grad, 1 - group["momentum"])
                ahead = parameter.grad.lerp(mean, group["momentum"])
                step = orthogonal(ahead, group["ns_coefficients"], group["ns_steps"])
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(step, alpha=-0.2 * group["lr"] * max(step.shape) ** 0.5)


def orthogonal(matrix: Tensor, coefficients: tuple[float, float, float], steps: int) -> Tensor:
    """Return a matrix with the same singular vectors and singular values near 1.

    By Newton-Schulz iterations of fifth order: x <- a x + (b g + c g g) x, where g = x x'.
    """
    a, b, c = coefficients
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / x.norm().clamp_min(1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return torch.as_tensor(x.T if tall else x)
