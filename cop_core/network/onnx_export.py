"""Export of the network to ONNX: a crop in, strengths and their uncertainty out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast
from unittest import mock

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from onnxscript import opset18 as op
from torch import Tensor, nn

from cop_core.errors import InputError
from cop_core.network import patch_pca, tensor_statistics
from cop_core.network.jacobi import DOMAIN, NAME, eigh_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from cop_core.network.model import NoiseViT

INPUT: Final = "crop"
OUTPUTS: Final = ("strengths", "uncertainty")
OPSET: Final = 18
LOW: Final = 1e30


class OneCrop(nn.Module):
    """From a crop (1, 1, 192, 192) in [0, 1] to strengths and SDs (1, outputs)."""

    def __init__(self, network: NoiseViT) -> None:
        super().__init__()
        self.network = network

    def forward(self, crop: Tensor) -> tuple[Tensor, Tensor]:
        network = self.network
        head = network.uncertainty
        assert head is not None
        statistics = tensor_statistics.tensor_statistics(crop[:, 0], network.config.patch)
        features = network.forward_features(statistics)
        strengths = torch.softmax(network.forward_head(features), -1)
        return strengths, head.sd(features, strengths)


def to_onnx(network: NoiseViT, crop: Tensor) -> onnx.ModelProto:
    """Return a network as ONNX.

    Parameters
    ----------
    network : NoiseViT
        On the CPU, in evaluation mode.
    crop : Tensor of shape (1, 1, 192, 192)
        Any crop in [0, 1].

    Raises
    ------
    InputError
        The network does not use statistics, or provides no uncertainty.
    """
    if network.config.stem != "statistics" or network.uncertainty is None:
        raise InputError(
            "only networks that read statistics and report their uncertainty can be exported",
            advice="use default or paper-small",
        )
    band = tensor_statistics.band_of_cycles()  # ONNX does not define the rounding of logarithms
    with (
        mock.patch.object(patch_pca, "decompose", _eigh),
        mock.patch.object(tensor_statistics, "band_of_cycles", return_value=band),
    ):
        program = torch.onnx.export(
            OneCrop(network).eval(),
            (crop,),
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=OUTPUTS,
            custom_translation_table=_TRANSLATED,
            verbose=False,
        )
    model = cast("Any", program).model_proto
    model.functions.append(eigh_function())
    onnx.checker.check_model(model, full_check=True)
    return model


def _eigh(matrices: Tensor) -> tuple[Tensor, Tensor]:
    side = matrices.shape[-1]
    values, vectors = torch.onnx.ops.symbolic_multi_out(
        f"{DOMAIN}::{NAME}",
        (matrices,),
        dtypes=(torch.float64, torch.float64),
        shapes=((1, side), (1, side, side)),
        version=1,
    )
    return values, vectors


def _constant(value: Any) -> Any:
    return op.Constant(value=numpy_helper.from_array(np.array(value, order="C")))


def _bincount(values: Any, weights: None = None, minlength: int = 0) -> Any:
    one = numpy_helper.from_array(np.ones(1, np.int64))
    ones = op.ConstantOfShape(op.Shape(values), value=one)
    empty = _constant(np.zeros(minlength, np.int64))
    return op.ScatterElements(empty, values, ones, axis=0, reduction="add")


def _median(values: Any, dim: int, keepdim: bool = False) -> Any:
    """Return the lower median and its index."""
    half = (values.shape[dim] + 1) // 2
    least = op.TopK(values, _constant([half]), axis=dim, largest=0, sorted=1)
    last = _constant([half - 1] if keepdim else half - 1)
    return tuple(op.Gather(each, last, axis=dim) for each in least)


def _signbit(values: Any) -> Any:
    return op.Less(values, op.CastLike(_constant(np.float32(0)), values))


def _scatter_reduce(
    empty: Any, dim: int, place: Any, values: Any, reduce: str, include_self: bool = True
) -> Any:
    """Return the largest value, or the mean, by place; 0 for empty places."""
    if include_self or reduce not in {"amax", "mean"}:
        raise NotImplementedError(reduce)
    if reduce == "amax":
        low = op.Sub(empty, _constant(np.float32(LOW)))
        most = op.ScatterElements(low, place, values, axis=dim, reduction="max")
        return op.Where(op.Equal(most, low), empty, most)
    ones = op.Add(op.Mul(values, _constant(np.float32(0))), _constant(np.float32(1)))
    total = op.ScatterElements(empty, place, values, axis=dim, reduction="add")
    count = op.ScatterElements(empty, place, ones, axis=dim, reduction="add")
    return op.Div(total, op.Max(count, _constant(np.float32(1))))


_TRANSLATED: Final[dict[Callable[..., Any], Callable[..., Any]]] = {
    torch.ops.aten.scatter_reduce.two: _scatter_reduce,
    torch.ops.aten.bincount.default: _bincount,
    torch.ops.aten.median.dim: _median,
    torch.ops.prims.signbit.default: _signbit,
}
"""Translations of operators that PyTorch cannot export."""
