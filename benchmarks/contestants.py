"""One interface for all libraries: load, build, fit, predict, call. Nothing is imported before `load`."""

from __future__ import annotations

import importlib
from pathlib import Path

from benchmarks.libraries import Library
from benchmarks.workloads import Workload


class Contestant:
    """A library with a workload's model.

    Args:
        library: which library.
        workload: which model.
        prepared: the folder and the stem of the files that `benchmarks.prepare` wrote.
    """

    def __init__(self, library: Library, workload: Workload, prepared: Path):
        self.library, self.workload, self.prepared = library, workload, prepared

    def load(self) -> None:
        """Import the library, as far as building a model needs it."""
        self.module = importlib.import_module(self.library.module)

    def build(self) -> None:
        """Make the model, ready for training."""
        raise NotImplementedError

    def fit(self, x, y, batch: int) -> None:
        """Train for one epoch."""
        raise NotImplementedError

    def predict(self, x, batch: int):
        """Outputs, as a NumPy array."""
        raise NotImplementedError

    def call(self, x):
        """The shortest way from an array to the outputs, as a NumPy array."""
        return self.predict(x, len(x))

    def reset(self) -> None:
        """Give the model the weights that every contestant can be compared with."""

    def _graph(self):
        from benchmarks.graph import Graph

        return Graph.load(self.prepared.with_suffix(".graph"))


class KerasModel(Contestant):
    """kerasish, and Keras on its backends."""

    def load(self):
        super().load()
        for name in ("Input", "Sequential", "Model", "layers", "optimizers", "losses", "metrics"):
            getattr(self.module, name)  # lazy modules too

    def build(self):
        self.module.utils.set_random_seed(0)
        self.model = self.workload.build(self.module)
        self.model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

    def fit(self, x, y, batch):
        self.model.fit(x, y, batch_size=batch, epochs=1, verbose=0)

    def predict(self, x, batch):
        return self.model.predict(x, batch_size=batch, verbose=0)

    def call(self, x):
        return self.module.ops.convert_to_numpy(self.model(x, training=False))

    def reset(self):
        self.model.set_weights(self._graph().weights)


class TorchModel(Contestant):
    """PyTorch itself: eager, channels last, its fused Adam, and softmax within the loss."""

    def build(self):
        from benchmarks.torch_model import Network

        self.network = Network(self._graph())
        self.optimizer = self.module.optim.Adam(self.network.trained, eps=1e-7, fused=True)

    def fit(self, x, y, batch):
        torch = self.module
        x, y = torch.from_numpy(x), torch.from_numpy(y)
        for rows in torch.randperm(len(x)).split(batch):
            self.optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(self.network.logits(x[rows], training=True), y[rows])
            loss.backward()
            self.optimizer.step()
        loss.item()

    def predict(self, x, batch):
        torch = self.module
        parts = [self.network.probabilities(part) for part in torch.from_numpy(x).split(batch)]
        return torch.cat(parts).numpy()

    def reset(self):
        self.build()


class OnnxModel(Contestant):
    """ONNX Runtime, for inference."""

    def build(self):
        self.session = self.module.InferenceSession(str(self.prepared.with_suffix(".onnx")))

    def predict(self, x, batch):
        import numpy as np

        parts = [self.session.run(None, {"images": x[i : i + batch]})[0] for i in range(0, len(x), batch)]
        return np.concatenate(parts)


KINDS = {"keras": KerasModel, "torch": TorchModel, "onnx": OnnxModel}


def contestant(library: Library, workload: Workload, prepared: Path) -> Contestant:
    """A library as a contestant."""
    return KINDS[library.kind](library, workload, prepared)
