"""Texts as lists of word numbers: reserving numbers, and leaving out rare or common words."""

import numpy as np


def renumber(texts, start_char: int | None, index_from: int) -> list[list[int]]:
    """Word numbers moved up by `index_from`, each text led by `start_char` unless that is None."""
    lead = [] if start_char is None else [start_char]
    return [lead + [word + (index_from or 0) for word in text] for text in texts]


def drop_long(texts, labels, maxlen: int | None) -> tuple[list[list[int]], np.ndarray]:
    """The texts shorter than `maxlen`, and their labels."""
    if not maxlen:
        return texts, labels
    kept = [i for i, text in enumerate(texts) if len(text) < maxlen]
    return [texts[i] for i in kept], np.asarray([labels[i] for i in kept])


def restrict(texts, num_words: int | None, skip_top: int, oov_char: int | None) -> list[list[int]]:
    """Word numbers from `skip_top` up to `num_words`; others become `oov_char`, or are left out if that is None."""
    if not num_words:
        num_words = max(max(text) for text in texts)
    if oov_char is None:
        return [[word for word in text if skip_top <= word < num_words] for text in texts]
    return [[word if skip_top <= word < num_words else oov_char for word in text] for text in texts]


def as_objects(texts) -> np.ndarray:
    """An array of lists, whatever their lengths."""
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array
