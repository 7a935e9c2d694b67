"""Pictures as arrays and directories of pictures; expected values recorded from Keras 3.15."""

import builtins
import io

import numpy as np
import pytest

from kerasish import utils

Image = pytest.importorskip("PIL.Image")
RAMP = np.arange(60.0).reshape(4, 5, 3)


@pytest.fixture
def picture(tmp_path):
    pixels = np.arange(8 * 10 * 3, dtype="uint8").reshape(8, 10, 3)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path / "a.png", pixels


@pytest.mark.parametrize(
    "shape, kwargs, mode",
    [
        ((4, 5, 3), {}, "RGB"),
        ((4, 5, 1), {}, "L"),
        ((4, 5, 4), {}, "RGBA"),
        ((3, 4, 5), {"data_format": "channels_first"}, "RGB"),
    ],
)
def test_array_to_img(shape, kwargs, mode):
    image = utils.array_to_img(np.ones(shape), **kwargs)
    assert image.mode == mode and image.size == (5, 4)


def test_array_to_img_values():
    scaled = np.asarray(utils.array_to_img(RAMP))
    np.testing.assert_array_equal(scaled, (RAMP / 59 * 255).astype("float32").astype("uint8"))
    np.testing.assert_array_equal(np.asarray(utils.array_to_img(RAMP, scale=False)), RAMP.astype("uint8"))
    assert utils.array_to_img(np.full((4, 5, 1), 70000), scale=False).mode == "I"


@pytest.mark.parametrize(
    "shape, kwargs, message",
    [
        ((4, 5), {}, r"Expected image array to have rank 3 \(single image\). Got array with shape: \(4, 5\)"),
        ((4, 5, 2), {}, "Unsupported channel number: 2"),
        ((4, 5, 3), {"data_format": "x"}, "The `data_format` argument must be one of"),
    ],
)
def test_array_to_img_refuses(shape, kwargs, message):
    with pytest.raises(ValueError, match=message):
        utils.array_to_img(np.ones(shape), **kwargs)


def test_img_to_array(picture):
    path, pixels = picture
    array = utils.img_to_array(utils.load_img(path))
    assert array.dtype == "float32"
    np.testing.assert_array_equal(array, pixels)
    first = utils.img_to_array(utils.load_img(str(path)), data_format="channels_first", dtype="uint8")
    np.testing.assert_array_equal(first, pixels.transpose(2, 0, 1))
    assert utils.img_to_array(utils.load_img(path, color_mode="grayscale")).shape == (8, 10, 1)
    with pytest.raises(ValueError, match=r"Unsupported image shape: \(2, 2, 2, 2\)"):
        utils.img_to_array(np.zeros((2, 2, 2, 2)))


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"])
def test_load_img_resizes(picture, interpolation):
    assert utils.load_img(picture[0], target_size=(4, 3), interpolation=interpolation).size == (3, 4)


def test_load_img_keeps_the_aspect_ratio(picture):
    path, pixels = picture
    image = utils.load_img(io.BytesIO(path.read_bytes()), target_size=(8, 4), keep_aspect_ratio=True)
    np.testing.assert_array_equal(np.asarray(image), pixels[:, 3:7])


@pytest.mark.parametrize("target", [(8, 4), (3, 5), (5, 3), (7, 7), (1, 4), (4, 1), (9, 10), (16, 3)], ids=str)
@pytest.mark.parametrize("size", [(8, 10), (7, 10), (9, 5), (11, 11)], ids=str)
def test_load_img_keeps_the_aspect_ratio_as_keras_does(tmp_path, size, target):
    keras = pytest.importorskip("keras")
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), "uint8")
    Image.fromarray(pixels).save(tmp_path / "a.png")
    got, want = (
        np.asarray(m.load_img(str(tmp_path / "a.png"), target_size=target, keep_aspect_ratio=True))
        for m in (utils, keras.utils)
    )
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    "kwargs, error, message",
    [
        ({"path": 5}, TypeError, "path should be path-like or io.BytesIO, not <class 'int'>"),
        ({"path": "nowhere.png"}, FileNotFoundError, "nowhere.png"),
        ({"color_mode": "x"}, ValueError, 'color_mode must be "grayscale", "rgb", or "rgba"'),
        ({"target_size": (2, 2), "interpolation": "x"}, ValueError, "Invalid interpolation method x specified"),
    ],
)
def test_load_img_refuses(picture, kwargs, error, message):
    with pytest.raises(error, match=message):
        utils.load_img(**{"path": picture[0], **kwargs})


def test_save_img(tmp_path):
    utils.save_img(tmp_path / "b.png", RAMP, scale=False)
    np.testing.assert_array_equal(utils.img_to_array(utils.load_img(tmp_path / "b.png")), RAMP)
    utils.save_img(tmp_path / "c.jpg", np.ones((4, 5, 4)))
    assert utils.load_img(tmp_path / "c.jpg").mode == "RGB"


def test_without_pillow(monkeypatch):
    real_import = builtins.__import__

    def no_pillow(name, *args, **kwargs):
        if name == "PIL":
            raise ImportError("no PIL")
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_pillow)
    with pytest.raises(ImportError, match=r"pip install pillow"):
        utils.load_img("a.png")


@pytest.fixture
def folder(tmp_path):
    for name, base in (("a", 0), ("b", 100)):
        (tmp_path / name).mkdir()
        for i in range(5):
            Image.fromarray(np.full((6 + i, 8, 3), base + 10 * i, "uint8")).save(tmp_path / name / f"{i}.png")
    (tmp_path / "a" / "notes.txt").write_text("no picture")
    return tmp_path


def load(folder, **kwargs):
    return utils.image_dataset_from_directory(folder, image_size=(4, 4), batch_size=4, **kwargs)


def levels(dataset):
    """First pixel of every image, and the labels."""
    rows = [(batch[0] if isinstance(batch, tuple) else batch, batch) for batch in dataset.as_numpy_iterator()]
    labels = [row[1][1].tolist() for row in rows if isinstance(row[1], tuple)]
    return [images[:, 0, 0, 0].tolist() for images, _ in rows], labels


SORTED = [[0, 10, 20, 30], [40, 100, 110, 120], [130, 140]]


def test_directory(folder, capsys):
    dataset = load(folder, shuffle=False)
    assert capsys.readouterr().out == "Found 10 files belonging to 2 classes.\n"
    assert levels(dataset) == (SORTED, [[0, 0, 0, 0], [0, 1, 1, 1], [1, 1]])
    images, labels = next(iter(dataset))
    assert images.shape == (4, 4, 4, 3) and images.dtype == "float32" and labels.dtype == "int32"
    assert (
        dataset.class_names == ["a", "b"] and dataset.file_paths[0] == str(folder / "a" / "0.png") and len(dataset) == 3
    )


@pytest.mark.parametrize(
    "kwargs, labels",
    [
        ({"label_mode": "binary"}, [[[0], [0], [0], [0]], [[0], [1], [1], [1]], [[1], [1]]]),
        ({"label_mode": "categorical"}, [[[1, 0]] * 4, [[1, 0]] + [[0, 1]] * 3, [[0, 1]] * 2]),
        ({"label_mode": None}, []),
        ({"labels": None}, []),
        ({"labels": [0, 1] * 5}, [[0, 1, 0, 1], [0, 1, 0, 1], [0, 1]]),
    ],
)
def test_labels(folder, kwargs, labels):
    assert levels(load(folder, shuffle=False, **kwargs)) == (SORTED, labels)


def test_order_of_classes_and_channels(folder):
    assert levels(load(folder, shuffle=False, class_names=["b", "a"]))[0][0] == [100, 110, 120, 130]
    assert next(iter(load(folder, color_mode="grayscale")))[0].shape == (4, 4, 4, 1)
    assert next(iter(load(folder, data_format="channels_first")))[0].shape == (4, 3, 4, 4)


@pytest.mark.parametrize(
    "kwargs, rows",
    [
        ({"crop_to_aspect_ratio": True}, [[2, 3, 4, 5]] * 4),
        ({"pad_to_aspect_ratio": True}, [[0, 0, 0, 0], [1, 3, 5, 7], [1, 3, 5, 7], [0, 0, 0, 0]]),
    ],
)
def test_aspect_ratio(tmp_path, kwargs, rows):
    (tmp_path / "a").mkdir()
    Image.fromarray(np.tile(np.arange(8, dtype="uint8")[None, :, None], (4, 1, 3))).save(tmp_path / "a" / "0.png")
    dataset = load(tmp_path, label_mode=None, interpolation="nearest", **kwargs)
    np.testing.assert_array_equal(next(iter(dataset)).numpy()[0, :, :, 0], rows)


def test_shuffled_files_come_in_the_order_of_keras(folder):
    names = [path[len(str(folder)) + 1 :] for path in load(folder, seed=1).file_paths]
    assert names[:3] == ["a/2.png", "b/4.png", "b/1.png"]
    first = load(folder, seed=1)
    one, two = levels(first), levels(first)
    assert one != two and levels(load(folder, seed=1)) == one
    assert all((level >= 100) == label for row in zip(*one) for level, label in zip(*row))


def test_split(folder, capsys):
    training, validation = load(folder, validation_split=0.3, subset="both", seed=1)
    assert "Using 7 files for training.\nUsing 3 files for validation.\n" in capsys.readouterr().out
    assert len(training.file_paths) == 7 and not set(training.file_paths) & set(validation.file_paths)
    assert load(folder, validation_split=0.3, subset="validation", seed=1).file_paths == validation.file_paths


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"validation_split": 0.3, "subset": "training"}, "you must provide a `seed` argument"),
        ({"validation_split": 0.3}, "If `subset` is set, `validation_split` must be set, and inversely"),
        ({"validation_split": 2, "subset": "training", "seed": 1}, "must be between 0 and 1, received: 2"),
        ({"label_mode": "x"}, '`label_mode` argument must be one of "int", "categorical", "binary", or None'),
        ({"labels": [1, 0]}, r"len\(labels\) is 2 while we found 10 files"),
        ({"labels": "x"}, "`labels` argument should be a list/tuple of integer labels"),
        ({"class_names": ["c"]}, r"Expected: \['a', 'b'\] \(or a subset of it\)"),
        ({"class_names": ["a"], "label_mode": "binary"}, "there must be exactly 2 class_names"),
        ({"color_mode": "x"}, "`color_mode` must be one of"),
        ({"interpolation": "x"}, "Argument `interpolation` should be one of"),
        ({"format": "grain"}, '`format` must be "tf"'),
    ],
)
def test_refusals(folder, kwargs, message):
    with pytest.raises(ValueError, match=message):
        load(folder, **kwargs)


def test_empty_directory(tmp_path):
    with pytest.raises(ValueError, match="No images found in directory"):
        load(tmp_path)
