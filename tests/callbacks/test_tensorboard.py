"""Event files, read back by TensorFlow."""

import pytest

import kerasish.callbacks as ours
from kerasish.core.variable import Variable
from tests.callbacks.callback_fakes import FakeModel, run

tf = pytest.importorskip("tensorflow")


def scalars(directory):
    """Values by tag and step of the only event file in a directory."""
    (path,) = directory.iterdir()
    found = {}
    for record in tf.data.TFRecordDataset(str(path)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        found.update({(value.tag, event.step): value.simple_value for value in event.summary.value})
    return found


def train(callback, script, batches=0):
    callback.set_model(FakeModel(Variable))
    callback.set_params({"epochs": len(script), "verbose": 0, "steps": batches})
    run(callback, callback.model, script, batches)


def test_epochs(tmp_path):
    train(ours.TensorBoard(tmp_path), [{"loss": 0.5, "val_loss": 0.25}, {"loss": 0.125, "val_loss": 2.0}])
    assert scalars(tmp_path / "train") == {
        ("epoch_loss", 0): 0.5,
        ("epoch_loss", 1): 0.125,
        ("epoch_learning_rate", 0): pytest.approx(0.1),
        ("epoch_learning_rate", 1): pytest.approx(0.1),
    }
    assert scalars(tmp_path / "validation") == {("epoch_loss", 0): 0.25, ("epoch_loss", 1): 2.0}


def test_batches(tmp_path):
    train(ours.TensorBoard(tmp_path, update_freq=2, write_steps_per_second=True), [{"loss": 0.5}], batches=5)
    found = scalars(tmp_path / "train")
    assert {key: value for key, value in found.items() if key[0] == "batch_loss"} == {
        ("batch_loss", 2): 1.0,
        ("batch_loss", 4): 3.0,
    }
    assert found["epoch_steps_per_second", 0] > 0


@pytest.mark.parametrize("argument", ["histogram_freq", "write_images", "profile_batch", "embeddings_freq"])
def test_what_it_does_not_write(argument):
    with pytest.raises(NotImplementedError, match=argument):
        ours.TensorBoard(**{argument: 1})
