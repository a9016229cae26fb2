"""The network for other programs: ONNX in a package of the BioImage Model Zoo."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

onnx = pytest.importorskip("onnx", reason="the extra 'export' is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the extra 'export' is not installed")
spec = pytest.importorskip("bioimageio.spec", reason="the extra 'export' is not installed")

from onnx import TensorProto, helper  # noqa: E402

from cop_core.network.jacobi import DOMAIN, NAME, eigh_function  # noqa: E402

SIDE = 49


def test_eigenvectors_in_onnx_are_those_of_numpy() -> None:
    double = TensorProto.DOUBLE
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node(NAME, ["matrix"], ["values", "vectors"], domain=DOMAIN)],
        "graph",
        [info("matrix", double, [1, SIDE, SIDE])],
        [info("values", double, [1, SIDE]), info("vectors", double, [1, SIDE, SIDE])],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(DOMAIN, 1)]
    model = helper.make_model(
        graph, functions=[eigh_function()], opset_imports=opsets, ir_version=10
    )
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    patches = (
        np.random.default_rng(0).normal(size=(SIDE, 2000)) * np.linspace(1e-3, 0.2, SIDE)[:, None]
    )
    covariance = patches @ patches.T / 2000
    values, vectors = session.run(None, {"matrix": covariance[None]})
    expected, directions = np.linalg.eigh(covariance)
    np.testing.assert_allclose(values[0], expected, atol=1e-15)
    np.testing.assert_allclose(np.abs((vectors[0] * directions).sum(0)), 1, atol=1e-12)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of PyTorch's exporter
def test_a_package_is_valid_and_reproduces_its_test_tensors(tmp_path: Path, run) -> None:
    code, out, err = run("weights", "export", "default", "-o", tmp_path, "--format", "bioimageio")
    assert code == 0, err
    package = tmp_path / "default.bioimageio.zip"
    assert out.strip() == str(package)
    described = spec.load_description(package)
    assert described.validation_summary.status == "valid-format"
    assert [str(output.id) for output in described.outputs] == ["strengths", "uncertainty"]
    with zipfile.ZipFile(package) as zipped:
        zipped.extractall(tmp_path / "in")
    tensors = {path.stem: np.load(path) for path in (tmp_path / "in").glob("*.npy")}
    session = onnxruntime.InferenceSession(tmp_path / "in" / "weights.onnx")
    found = session.run(["strengths", "uncertainty"], {"crop": tensors["crop"]})
    for name, values in zip(("strengths", "uncertainty"), found, strict=True):
        np.testing.assert_allclose(values, tensors[name], atol=1e-4)


def test_the_paper_network_is_refused(tmp_path: Path, untrained) -> None:
    from cop_core.errors import InputError
    from cop_core.network import VitConfig
    from cop_core.network.onnx_export import to_onnx

    network = untrained(VitConfig(stem="patch", patch=32, channels=3, depth=1, width=48, heads=3))
    with pytest.raises(InputError, match="only networks that read statistics"):
        to_onnx(network, torch.zeros(1, 1, 192, 192))


def test_weights_without_uncertainty_are_refused(tiny_weights: Path, tmp_path: Path, run) -> None:
    code, _, err = run("weights", "export", tiny_weights, "-o", tmp_path, "--format", "bioimageio")
    assert code == 2
    assert "Use default or paper-small" in err
    assert list(tmp_path.iterdir()) == []
