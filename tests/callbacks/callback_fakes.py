"""A model that records what callbacks do to it, and a run without training."""

import numpy as np


class FakeOptimizer:
    def __init__(self, rate):
        self._rate = rate

    @property
    def learning_rate(self):
        return self._rate

    @learning_rate.setter
    def learning_rate(self, value):
        self._rate.assign(value)


class FakeModel:
    """Records what callbacks do to a model."""

    metrics = ()

    def __init__(self, variable):
        self.events = []
        self.stop_training = False
        self.optimizer = FakeOptimizer(variable(0.1, dtype="float32"))
        self.weights = [0]

    def get_weights(self):
        return list(self.weights)

    def set_weights(self, weights):
        self.events.append(("set_weights", weights))

    def save(self, path, overwrite=True):
        self.events.append(("save", str(path)))
        open(path, "w").close()

    def save_weights(self, path, overwrite=True):
        self.events.append(("save_weights", str(path)))
        open(path, "w").close()


def run(callback, model, script, batches):
    callback.on_train_begin()
    for epoch, logs in enumerate(script):
        callback.on_epoch_begin(epoch)
        for batch in range(batches):
            callback.on_train_batch_begin(batch)
            callback.on_train_batch_end(batch, {"loss": float(batch)})
        model.weights, logs = [epoch], dict(logs)
        callback.on_epoch_end(epoch, logs)
        rate = np.float32(model.optimizer.learning_rate.numpy())
        model.events.append((epoch, rate, model.stop_training, sorted(logs)))
        if model.stop_training:
            break
    callback.on_train_end()
