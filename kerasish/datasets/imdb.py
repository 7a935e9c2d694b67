"""IMDB: film reviews as lists of word numbers, and whether they praise."""

import json

import numpy as np

from kerasish import names as _names
from kerasish.datasets import word_lists
from kerasish.datasets.shuffling import reorder
from kerasish.datasets.storage import ORIGIN, load_object_arrays
from kerasish.utils.file_utils import get_file


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **kwargs,
):
    """Loads 25,000 training and 25,000 test reviews.

    A word's number is its rank by frequency, plus `index_from`; 0 is left for padding.

    Args:
        path: Name of the file in the cache, `~/.keras/datasets`.
        num_words: Numbers from this one on become `oov_char`; `None` keeps all.
        skip_top: Numbers below this one become `oov_char`.
        maxlen: Reviews of this length or longer are left out; `None` keeps all.
        seed: Seed of the shuffling.
        start_char: Number that starts every review, or `None`.
        oov_char: Number of the words left out; `None` drops them.
        index_from: What is added to every rank.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists of numbers, and of 0 (bad) or 1 (good).

    Raises:
        ValueError: If `maxlen` leaves no review.
    """
    if kwargs:
        raise TypeError(f"load_data() got unexpected keyword arguments: {', '.join(kwargs)}")
    file = get_file(
        path,
        origin=f"{ORIGIN}imdb.npz",
        file_hash="69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    )
    x_train, y_train, x_test, y_test = load_object_arrays(file, "x_train", "y_train", "x_test", "y_test")
    rng = np.random.RandomState(seed)
    parts = [reorder(rng, x_train, y_train), reorder(rng, x_test, y_test)]
    parts = [
        word_lists.drop_long(word_lists.renumber(texts, start_char, index_from), labels, maxlen)
        for texts, labels in parts
    ]
    if not all(len(texts) for texts, _ in parts):
        raise ValueError(
            f"After filtering for sequences shorter than maxlen={maxlen}, no sequence was kept. Increase maxlen."
        )
    cut = len(parts[0][0])
    texts = word_lists.restrict(parts[0][0] + parts[1][0], num_words, skip_top, oov_char)
    train = word_lists.as_objects(texts[:cut]), parts[0][1]
    return train, (word_lists.as_objects(texts[cut:]), parts[1][1])


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The rank of every word; in the reviews, `index_from` (3) is added to it.

    Args:
        path: Name of the file in the cache, `~/.keras/datasets`.
    """
    file = get_file(path, origin=f"{ORIGIN}imdb_word_index.json", file_hash="bfafd718b763782e994055a2d397834f")
    with open(file, encoding="utf-8") as stream:
        return json.load(stream)


_names.explain(__name__)
