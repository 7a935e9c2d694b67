"""Image files in directories as a dataset of batches."""

import numpy as np

from kerasish.utils.dataset import ArrayDataset, Dataset, shuffle_buffer
from kerasish.utils.directory_index import check_split, index_directory, split_index
from kerasish.utils.image_utils import img_to_array, load_img
from kerasish.utils.numerical_utils import to_categorical

_FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")
_LABEL_MODES = ("int", "categorical", "binary", None)


def image_dataset_from_directory(
    directory,
    labels="inferred",
    label_mode: str | None = "int",
    class_names: list[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: tuple[int, int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Dataset | tuple[Dataset, Dataset]:
    """Makes a dataset of image batches from files.

    Args:
        directory: Directory with one subdirectory per class, or simply with images if `labels` is not `"inferred"`.
        labels: `"inferred"` (from the subdirectories), `None` (no labels), or class numbers in the sorted files' order.
        label_mode: `"int"`, `"categorical"` (one-hot), `"binary"` (0. or 1., two classes) or `None` (no labels).
        class_names: Order of the classes; by default that of the alphabet.
        color_mode: `"grayscale"`, `"rgb"` or `"rgba"`.
        batch_size: Images per batch, or `None` for single images.
        image_size: `(height, width)` to resize to.
        shuffle: Whether to shuffle: all files once, and in every epoch anew by a buffer of eight batches.
        seed: Seed of the shuffling.
        validation_split: Fraction of the files to hold out.
        subset: `"training"`, `"validation"` or `"both"`, with `validation_split`.
        interpolation: How to resize, as in `keras.ops.image.resize`.
        follow_links: Whether to go into linked directories.
        crop_to_aspect_ratio: Whether to crop (centred) rather than distort.
        pad_to_aspect_ratio: Whether to pad with black rather than distort.
        data_format: `"channels_last"` or `"channels_first"`, by default `keras.config.image_data_format()`.
        format: `"tf"`, the only one: a `keras.utils.Dataset`, which has tf.data's methods.
        verbose: Whether to say how many files were found.

    Returns:
        A dataset of images (float32, or uint8 for `"nearest"`), or of pairs `(images, labels)`, with attributes
        `class_names` and `file_paths`; for `subset="both"` a pair of such datasets.
    """
    _check_choices(label_mode, color_mode, interpolation, format)
    if not labels:
        labels, label_mode = None, None
    check_split(validation_split, subset, shuffle, seed)
    if shuffle and seed is None:
        seed = np.random.randint(10**6)
    index_seed = seed if shuffle else None
    paths, numbers, names = index_directory(
        directory, labels if label_mode else None, _FORMATS, class_names, index_seed, follow_links, verbose
    )
    if label_mode == "binary" and len(names) != 2:
        raise ValueError(
            f'When passing `label_mode="binary"`, there must be exactly 2 class_names. Received: class_names={names}'
        )

    read = _reader(color_mode, image_size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio, data_format)
    results = []
    for part in ("training", "validation") if subset == "both" else (subset,):
        files, classes = split_index(paths, numbers, validation_split, part, verbose)
        if not files:
            raise ValueError(f"No images found in directory {directory}. Allowed formats: {_FORMATS}")
        is_shuffled = shuffle and not (subset == "both" and part == "validation")
        dataset = _pictures(files, _encode(classes, label_mode, names), read, is_shuffled, seed, batch_size)
        dataset.class_names, dataset.file_paths = names, files
        results.append(dataset)
    return tuple(results) if subset == "both" else results[0]


def _check_choices(label_mode, color_mode, interpolation, format):
    if label_mode not in _LABEL_MODES:
        raise ValueError(
            '`label_mode` argument must be one of "int", "categorical", "binary", or None. '
            f"Received: label_mode={label_mode}"
        )
    if color_mode not in ("rgb", "rgba", "grayscale"):
        raise ValueError(
            f'`color_mode` must be one of {{"rgb", "rgba", "grayscale"}}. Received: color_mode={color_mode}'
        )
    if interpolation not in _INTERPOLATIONS:
        raise ValueError(
            f"Argument `interpolation` should be one of {_INTERPOLATIONS}. Received: interpolation={interpolation}"
        )
    if format != "tf":
        raise ValueError(f'`format` must be "tf": kerasish has one kind of dataset. Received: format={format}')


def _encode(numbers, label_mode, names):
    if label_mode == "binary":
        return numbers.astype("float32")[:, None]
    if label_mode == "categorical":
        return to_categorical(numbers, len(names)).astype("float32")
    return numbers


def _pictures(files, labels, read, shuffle, seed, batch_size):
    source = np.asarray(files) if labels is None else (np.asarray(files), labels)
    rows = ArrayDataset(source)
    if shuffle:
        rows = rows.shuffle(shuffle_buffer(batch_size), seed=seed)

    def load(row):
        return read(row) if labels is None else (read(row[0]), row[1])

    dataset = Dataset(lambda: map(load, rows.as_numpy_iterator()), len(files))
    return dataset if batch_size is None else dataset.batch(batch_size)


def _reader(color_mode, size, interpolation, crop, pad, data_format):
    from kerasish import config, ops

    layout = data_format or config.image_data_format()

    dtype = "uint8" if interpolation == "nearest" else "float32"

    def read(path):
        picture = img_to_array(load_img(str(path), color_mode), data_format="channels_last", dtype=dtype)
        if crop:
            picture = _cropped(picture, size)
        elif pad:
            picture = _padded(picture, size)
        if picture.shape[:2] != tuple(size):
            picture = ops.image.resize(picture, size, interpolation, data_format="channels_last").numpy()
        return picture.transpose(2, 0, 1) if layout == "channels_first" else picture

    return read


def _cropped(picture, size):
    """The largest part of the picture, centred, with the aspect ratio of `size`."""
    height, width = picture.shape[:2]
    rows, columns = min(height, int(width * size[0] / size[1])), min(width, int(height * size[1] / size[0]))
    top, left = (height - rows) // 2, (width - columns) // 2
    return picture[top : top + rows, left : left + columns]


def _padded(picture, size):
    """The picture, centred on black, with the aspect ratio of `size`."""
    height, width = picture.shape[:2]
    rows, columns = max(height, int(width * size[0] / size[1])), max(width, int(height * size[1] / size[0]))
    top, left = (rows - height) // 2, (columns - width) // 2
    return np.pad(picture, ((top, rows - height - top), (left, columns - width - left), (0, 0)))
