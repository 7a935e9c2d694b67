"""What must be there before the clock runs: `python -m benchmarks.prepare WORKLOAD FOLDER [--onnx]`.

Writes the graph that PyTorch and ONNX Runtime walk, with the weights that all are compared with, and runs the model
once in kerasish, so that its kernels are compiled, as they are for everybody after the first run.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.contestants import contestant
from benchmarks.graph import graph_of
from benchmarks.libraries import LIBRARIES
from benchmarks.workloads import WORKLOADS


def main() -> None:
    """Read the command line and prepare a workload."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prepare", description=__doc__.split("\n")[0])
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--batch", type=int, help="images in a step, instead of the workload's number")
    parser.add_argument("--onnx", action="store_true", help="write the ONNX file too")
    args = parser.parse_args()
    prepare(args.workload, args.folder, args.batch, args.onnx)


def prepare(name: str, folder: Path, batch: int | None = None, onnx: bool = False) -> None:
    """Write a workload's files into a folder, and warm the kernels up.

    Args:
        name: the workload.
        folder: where the files go.
        batch: images in a step; the workload's number by default.
        onnx: whether the ONNX file is wanted.
    """
    workload = WORKLOADS[name]
    ours = contestant(LIBRARIES["kerasish"], workload, folder / name)
    ours.load()
    ours.build()
    batch = batch or workload.batch
    x, y = workload.data(batch)
    _make_telling(ours.model, x)
    graph = graph_of(ours.model)
    graph.save(ours.prepared.with_suffix(".graph"))
    if onnx:
        from benchmarks.onnx_model import save_onnx

        save_onnx(graph, ours.prepared.with_suffix(".onnx"))
    ours.fit(x, y, batch)
    ours.predict(x, batch)
    ours.predict(x[:1], 1)


def _make_telling(model, x) -> None:
    """Give the model weights that show any mistake: no biases of 0, and moving statistics that are those of x."""
    import numpy as np

    random = np.random.default_rng(0)
    weights = [weight.numpy() for weight in model.weights]
    model.set_weights([w + 0.1 * random.random(w.shape, "float32") if w.ndim == 1 else w for w in weights])
    normalizations = [layer for layer in model.layers if hasattr(layer, "moving_mean")]
    kept = [layer.momentum for layer in normalizations]
    for layer in normalizations:
        layer.momentum = 0.0
    model(x, training=True)
    for layer, momentum in zip(normalizations, kept):
        layer.momentum = momentum


if __name__ == "__main__":
    main()
