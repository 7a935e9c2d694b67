"""Reuters: news wires as lists of word numbers, in 46 topics."""

import json

import numpy as np

from kerasish import names as _names
from kerasish.datasets import word_lists
from kerasish.datasets.shuffling import shuffled, split
from kerasish.datasets.storage import ORIGIN, load_object_arrays
from kerasish.utils.file_utils import get_file

_TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass "
    "crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi "
    "iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
):
    """Loads 11,228 news wires.

    Args:
        path: Name of the file in the cache, `~/.keras/datasets`.
        num_words: Numbers from this one on become `oov_char`; `None` keeps all.
        skip_top: Numbers below this one become `oov_char`.
        maxlen: Texts of this length or longer are left out; `None` keeps all.
        test_split: Fraction of the texts for testing.
        seed: Seed of the shuffling before the split.
        start_char: Number that starts every text, or `None`.
        oov_char: Number of the words left out; `None` drops them.
        index_from: What is added to every rank.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists of numbers, and of topics (see `get_label_names`).
    """
    file = get_file(
        path,
        origin=f"{ORIGIN}reuters.npz",
        file_hash="d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
    )
    texts, labels = shuffled(seed, *load_object_arrays(file, "x", "y"))
    texts, labels = word_lists.drop_long(word_lists.renumber(texts, start_char, index_from), labels, maxlen)
    texts = word_lists.restrict(texts, num_words, skip_top, oov_char)
    return split(word_lists.as_objects(texts), np.array(labels), test_split)


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """The rank of every word; in the texts, `index_from` (3) is added to it.

    Args:
        path: Name of the file in the cache, `~/.keras/datasets`.
    """
    file = get_file(path, origin=f"{ORIGIN}reuters_word_index.json", file_hash="4d44cc38712099c9e383dc6e5f11a921")
    with open(file, encoding="utf-8") as stream:
        return json.load(stream)


def get_label_names() -> tuple[str, ...]:
    """The names of the topics, in the order of their numbers."""
    return tuple(_TOPICS.split())


_names.explain(__name__)
