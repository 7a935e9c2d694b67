"""The order in which samples are visited: that of real Keras on TensorFlow from the same seed."""

import random

import keras as real
import numpy as np
import pytest
import tensorflow as tf

import kerasish
from kerasish.random import stateful
from kerasish.training.data import order

pytestmark = pytest.mark.filterwarnings("ignore:`shuffle=True` was passed", "ignore:Your input ran out")
X = np.arange(50, dtype="float32")[:, None]


def visited(keras, data, seed=3, fits=1, before=None, weights=None, **fit):
    """What each step of `fit` got: rows of x, y and weights; and what Python and NumPy draw next."""
    seen = []

    class Watching(keras.Model):
        def call(self, x):
            return x

        def train_step(self, data):
            seen.append([np.asarray(part).reshape(len(part), -1)[:, 0].astype(int).tolist() for part in data])
            return {"loss": 0.0}

        test_step = train_step

    keras.utils.set_random_seed(seed)
    model = Watching()
    model.compile("sgd", "mse", run_eagerly=True)
    if before is not None:
        before(keras)
    source = data(keras) if callable(data) else data
    for _ in range(fits):
        model.fit(source, verbose=0, **fit)
    return seen, random.random(), np.random.rand()


def check(data, **options):
    want, got = visited(real, data, **options), visited(kerasish, data, **options)
    assert got == want
    return got[0]


def arrays(n, **fit):
    return lambda seed: check(X[:n], y=X[:n], seed=seed, **fit)


@pytest.mark.parametrize("seed", [0, 3, 2**31 - 1, 2**32 - 1])
@pytest.mark.parametrize(
    "run",
    [
        pytest.param(arrays(50, batch_size=8, epochs=2, fits=2), id="epochs and fits"),
        pytest.param(arrays(50, batch_size=7, epochs=2, shuffle="batch"), id="within batches"),
    ],
)
def test_seeds(seed, run):
    run(seed)


def draw_first(keras):
    keras.random.normal((3,))


def clear_first(keras):
    keras.utils.clear_session()


def name_of(options):
    """The options as the test's name, functions by theirs."""
    return ", ".join(f"{k}={getattr(v, '__name__', v)}" for k, v in options.items())


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 8, "epochs": 2, "validation_split": 0.3},
        {"batch_size": 8, "epochs": 4, "steps_per_epoch": 3},
        {"batch_size": 8, "sample_weight": X[:, 0]},
        {"batch_size": 8, "sample_weight": X[:, 0], "shuffle": "batch"},
        {"batch_size": 8, "class_weight": {i: i for i in range(50)}},
        {"batch_size": 1, "shuffle": "batch"},
        {"batch_size": 6, "shuffle": "batch"},
        {"batch_size": 5, "shuffle": "batch"},
        {"batch_size": 64},
        {"batch_size": 8, "before": draw_first},
        {"batch_size": 8, "before": clear_first},
    ],
    ids=name_of,
)
def test_arrays(options):
    seen = check(X, y=X, **options)
    for parts in seen:
        assert all(part == parts[0] for part in parts), "rows of different samples"


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_few(n):
    check(X[:n], y=X[:n], batch_size=2, epochs=2)


def numbers(n, **kwargs):
    """A PyDataset of n batches, each of which holds a number drawn when it is made."""

    def make(keras):
        class Numbers(keras.utils.PyDataset):
            def __len__(self):
                return n

            def __getitem__(self, i):
                return np.full((2, 1), 1000 * i + np.random.randint(1000), "float32"), np.full((2, 1), i)

        return Numbers(**kwargs)

    return make


@pytest.mark.parametrize("options", [{}, {"fits": 2}, {"shuffle": False}], ids=str)
@pytest.mark.parametrize("n", [1, 6])
def test_py_datasets(n, options):
    check(numbers(n), epochs=3, **options)


def test_py_dataset_with_workers():
    """The order alone: workers draw their numbers in an order of their own."""

    def batches(keras):
        return [step[1] for step in visited(keras, numbers(6, workers=2), epochs=3)[0]]

    assert batches(kerasish) == batches(real)


def rows(D):
    return D.from_tensor_slices((X, X))


PIPELINES = {
    "take and skip": lambda D: rows(D).shuffle(50).take(30).shuffle(20).skip(3).batch(8),
    "repeat": lambda D: rows(D).shuffle(50).repeat(2).batch(8),
    "batches": lambda D: rows(D).batch(8).shuffle(4),
    "map": lambda D: rows(D).map(lambda a, b: (a, b)).shuffle(10).batch(8, drop_remainder=True).prefetch(2),
    "concatenate": lambda D: rows(D).shuffle(10).concatenate(rows(D).shuffle(20)).batch(8),
    "zip": lambda D: D.zip((D.from_tensor_slices(X).shuffle(10), D.from_tensor_slices(X).shuffle(20))).batch(8),
    "filter": lambda D: rows(D).shuffle(10).filter(lambda a, b: a[0] < 30).batch(8),
    "unbatch": lambda D: rows(D).batch(4).shuffle(5).unbatch().batch(8),
    "cache": lambda D: rows(D).shuffle(5).cache().shuffle(50).batch(8),
    "enumerate": lambda D: rows(D).enumerate().map(lambda i, row: row).shuffle(5).batch(8),
    "the same order": lambda D: rows(D).shuffle(50, reshuffle_each_iteration=False).batch(8),
    "seed": lambda D: rows(D).shuffle(50, seed=7).batch(8),
    "seed and buffer": lambda D: rows(D).shuffle(9, seed=0).batch(8),
    "seed, the same order": lambda D: rows(D).shuffle(9, seed=7, reshuffle_each_iteration=False).batch(8),
    "buffer of one": lambda D: rows(D).shuffle(1).batch(8),
}


def data_set(pipeline):
    return lambda keras: pipeline(tf.data.Dataset if keras is real else kerasish.utils.Dataset)


@pytest.mark.parametrize("pipeline", PIPELINES.values(), ids=PIPELINES.keys())
def test_data_sets(pipeline):
    check(data_set(pipeline), epochs=3)


def test_steps_of_data_sets():
    check(data_set(lambda D: rows(D).shuffle(50).batch(8).repeat()), epochs=3, steps_per_epoch=4)
    check(data_set(lambda D: rows(D).shuffle(50).batch(8)), epochs=5, steps_per_epoch=4)
    check(data_set(lambda D: rows(D).shuffle(5).batch(8)), epochs=2, fits=2)


def test_seed_of_a_data_set_alone():
    """Without a global seed; real Keras's is that of the tests before, so the values stand here."""
    stateful._Global.seed = None
    dataset = kerasish.utils.Dataset.range(10).shuffle(10, seed=7)
    expected = [[2, 8, 6, 5, 9, 1, 0, 3, 7, 4], [9, 1, 3, 0, 6, 4, 7, 8, 2, 5]]
    assert [[int(i) for i in dataset.as_numpy_iterator()] for _ in range(2)] == expected


def test_without_a_seed():
    stateful._Global.seed = None
    state = np.random.get_state()[1].tolist(), random.getstate()
    orders = [order.sample_order(50, epoch, True).tolist() for epoch in range(2)]
    assert orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1]) == list(range(50))
    dataset = kerasish.utils.Dataset.range(50).shuffle(50)
    orders = [[int(i) for i in dataset.as_numpy_iterator()] for _ in range(2)]
    assert orders[0] != orders[1]
    fixed = kerasish.utils.Dataset.range(50).shuffle(50, reshuffle_each_iteration=False)
    assert [int(i) for i in fixed] == [int(i) for i in fixed]
    assert state == (np.random.get_state()[1].tolist(), random.getstate()), "others' generators stay where they are"


def test_a_new_order_each_epoch():
    """As TensorFlow's `stateless_shuffle` gives it for the epoch's number."""
    seen, *_ = visited(kerasish, X, y=X, batch_size=8, epochs=3, shuffle="epoch")
    got = np.array(sum([step[0] for step in seen], [])).reshape(3, 50)
    for epoch, numbers_ in enumerate(got):
        want = tf.random.experimental.stateless_shuffle(tf.range(50), seed=[epoch, 0])
        np.testing.assert_array_equal(numbers_, want)


def test_rule_of_the_version(monkeypatch):
    for version, rule in (("3.0.5", order._repeated), ("3.15.1", order._repeated), ("3.16.0", order._by_epoch)):
        monkeypatch.setattr(order, "KERAS_VERSION", version)
        assert order._rule() is rule


def test_large():
    kerasish.utils.set_random_seed(4)
    tf.random.set_seed(4)
    want = next(iter(tf.data.Dataset.range(1).map(lambda _: tf.random.shuffle(tf.range(200_000))))).numpy()
    np.testing.assert_array_equal(order.sample_order(200_000, 0, True), want)


def test_made_of_arrays_or_files(tmp_path):
    def made(keras):
        keras.utils.set_random_seed(4)
        windows = keras.utils.timeseries_dataset_from_array(X[:, 0], X[:, 0], 3, shuffle=True, batch_size=1)
        singles = keras.utils.timeseries_dataset_from_array(X[:, 0], None, 3, 2, shuffle=True, batch_size=None, seed=9)
        left, _ = keras.utils.split_dataset(X, left_size=0.6, shuffle=True, seed=3)
        folder = {"image_size": (4, 4), "batch_size": 2, "verbose": False, "color_mode": "grayscale"}
        images = keras.utils.image_dataset_from_directory(tmp_path, **folder)
        parts = keras.utils.image_dataset_from_directory(
            tmp_path, seed=5, validation_split=0.3, subset="both", labels=None, **folder
        )
        found = [[np.asarray(part).tolist() for part in pair] for _ in range(2) for pair in (*windows, *images)]
        found += [np.asarray(part).tolist() for each in (singles, left, *parts) for part in each]
        return found, random.random(), np.random.rand()

    for i in range(40):
        folder = tmp_path / "ab"[i % 2]
        folder.mkdir(exist_ok=True)
        kerasish.utils.save_img(folder / f"{i}.png", np.full((4, 4, 1), 5 * i), scale=False)
    assert made(kerasish) == made(real)
