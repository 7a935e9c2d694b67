"""Which files lie in a directory tree, and which class each belongs to."""

import os

import numpy as np

from kerasish.utils.io_utils import print_msg


def check_split(validation_split, subset, shuffle, seed):
    """Raises ValueError unless the arguments that split a directory in two go together."""
    if validation_split and not 0 < validation_split < 1:
        raise ValueError(f"`validation_split` must be between 0 and 1, received: {validation_split}")
    if bool(validation_split) != bool(subset):
        raise ValueError("If `subset` is set, `validation_split` must be set, and inversely.")
    if subset not in ("training", "validation", "both", None):
        raise ValueError(f'`subset` must be either "training", "validation" or "both", received: {subset}')
    if validation_split and shuffle and seed is None:
        raise ValueError(
            "If using `validation_split` and shuffling the data, you must provide a `seed` argument, to make sure "
            "that there is no overlap between the training and validation subset."
        )


def index_directory(directory, labels, formats, class_names=None, seed=None, follow_links=False, verbose=True):
    """Lists files with their class numbers.

    Args:
        directory: Directory with the files, in one subdirectory per class if `labels` is `"inferred"`.
        labels: `"inferred"`, `None`, or a list of class numbers in the order of the sorted paths.
        formats: File name endings to take.
        class_names: Names of the subdirectories in the order of their numbers; by default sorted.
        seed: Seed to shuffle the files with, or `None` to leave them sorted.
        follow_links: Whether to go into linked directories.
        verbose: Whether to say how many files there are.

    Returns:
        Paths, class numbers (an int32 array, or `None`) and class names (or `None`).
    """
    directory = os.fspath(directory)
    inferred = isinstance(labels, str) and labels == "inferred"
    if inferred:
        names = _class_folders(directory, class_names)
        found = [_walk(os.path.join(directory, name), formats, follow_links) for name in names]
        paths = [path for group in found for path in group]
        numbers = np.repeat(np.arange(len(names), dtype="int32"), [len(group) for group in found])
    else:
        paths = _walk(directory, formats, follow_links)
        numbers, names = _given_labels(labels, class_names, len(paths), directory)
    if verbose:
        print_msg(f"Found {len(paths)} files." if names is None else _found(paths, names))
    if seed is not None:
        order = np.arange(len(paths))
        np.random.RandomState(seed).shuffle(order)
        paths = [paths[i] for i in order]
        numbers = None if numbers is None else numbers[order]
    return paths, numbers, names


def split_index(paths, numbers, validation_split, subset, verbose=True):
    """The part of an index that `subset` names; the last `validation_split` of it is for validation."""
    if not validation_split:
        return paths, numbers
    held_out = int(validation_split * len(paths))
    cut = len(paths) - held_out
    part = slice(None, cut) if subset == "training" else slice(cut, None)
    count = cut if subset == "training" else held_out
    if verbose:
        print_msg(f"Using {count} files for {subset}.")
    return paths[part], None if numbers is None else numbers[part]


def _found(paths, names):
    return f"Found {len(paths)} files belonging to {len(names)} classes."


def _walk(directory, formats, follow_links):
    found = []
    for root, folders, files in os.walk(directory, followlinks=follow_links):
        folders.sort()
        found += [os.path.join(root, name) for name in sorted(files) if name.lower().endswith(tuple(formats))]
    return found


def _class_folders(directory, class_names):
    folders = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir() and entry.name[0] != ".")
    if class_names is None:
        return folders
    if not set(class_names) <= set(folders):
        raise ValueError(
            "The `class_names` passed did not match the names of the subdirectories of the target directory. "
            f"Expected: {folders} (or a subset of it), but received: class_names={class_names}"
        )
    return list(class_names)


def _given_labels(labels, class_names, count, directory):
    if class_names is not None:
        raise ValueError(
            'You can only pass `class_names` if `labels="inferred"`: with labels of your own, or none, the '
            f"directories do not name classes. Received: labels={labels!r}, class_names={class_names}"
        )
    if labels is None:
        return None, None
    if not isinstance(labels, (list, tuple)):
        raise ValueError(
            "`labels` argument should be a list/tuple of integer labels, of the same size as the number of files in "
            f"the target directory, 'inferred' or None. Received: labels={labels!r}"
        )
    if len(labels) != count:
        raise ValueError(
            "Expected the lengths of `labels` to match the number of files in the target directory. "
            f"len(labels) is {len(labels)} while we found {count} files in directory {directory}."
        )
    return np.asarray(labels, dtype="int32"), [str(label) for label in sorted(set(labels))]
