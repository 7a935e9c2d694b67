"""A model's outputs by name, and what users say about each of them in lists and dicts."""

MISSING = object()
"""Stands for an output about which a list or a dict says nothing."""

_CONTAINERS = (list, tuple, dict)


class OutputKeyError(KeyError):
    """A KeyError whose text is shown as it is, not as the repr of a key."""

    def __str__(self):
        return self.args[0]


class Outputs:
    """The leaves of a model's outputs, in the order in which they stand.

    Args:
        y_pred: The model's outputs.
        names: Names of the top level's entries, when the model has them (a Functional model).
    """

    def __init__(self, y_pred, names=None):
        self.structure = y_pred
        self.paths = list(leaf_paths(y_pred))
        in_keras_order = sorted(self.paths, key=lambda path: [str(part).rjust(9) for part in path])
        self._names = dict(zip(in_keras_order, names)) if names and len(names) == len(self.paths) else {}
        self.names = self._child_names((), y_pred)

    def __len__(self):
        return len(self.paths)

    def name(self, i: int) -> str | None:
        """The name of leaf `i`: its key, or the model's name for it, after the path that leads there; else None."""
        path = self.paths[i]
        last = path[-1] if path else 0
        if isinstance(last, int):
            last = self._names.get(path)
        return "/".join([*map(str, path[:-1]), last]) if last is not None else None

    def at(self, path: tuple):
        """The part of the outputs that keys lead to."""
        part = self.structure
        for key in path:
            part = part[key]
        return part

    def prefix(self, i: int) -> str:
        """The path that leads to leaf `i`."""
        return "".join(f"{part}/" for part in self.paths[i][:-1])

    def align(self, given, what: str, broadcast: bool = True, error: type[Exception] = ValueError) -> list:
        """What `given` says for each leaf, `MISSING` where it says nothing.

        Args:
            given: One thing for all outputs, or lists and dicts that mirror the outputs. A dict may use the
                names of outputs that come as a list; a list stands for a dict's entries by sorted key.
            what: The argument's name, for messages.
            broadcast: Whether one thing may stand for all outputs.
            error: What to raise for a key or an entry that no output has.
        """
        if len(self) == 1:
            return [unwrap(given)]
        return list(self._walk(given, (), self.structure, what, broadcast, error))

    def _walk(self, given, path, node, what, broadcast, error):
        if not isinstance(node, _CONTAINERS):
            yield given
        elif not isinstance(given, _CONTAINERS):
            if given is not MISSING and not broadcast:
                raise error(
                    f"`{what}` is one thing, but the model has the outputs {self.describe()}: give one for each."
                )
            yield from [given] * len(list(leaf_paths(node)))
        else:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            for part, key in zip(self._parts(given, path, node, what, error), keys):
                yield from self._walk(part, (*path, key), node[key], what, broadcast, error)

    def _parts(self, given, path, node, what, error):
        """The entries of `given` for the children of `node`."""
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if isinstance(given, dict) and not isinstance(node, dict):
            keys = self._child_names(path, node) or keys
        elif not isinstance(given, dict):
            ordered = sorted(keys)
            given = dict(zip(ordered + list(range(len(ordered), len(given))), given))
        unknown = [key for key in given if key not in keys]
        if unknown:
            raise error(
                f"`{what}` has entries for {unknown}, which are no outputs of the model. "
                f"Its outputs are: {self.describe()}."
            )
        return [given.get(key, MISSING) for key in keys]

    def _child_names(self, path, node):
        """The names of the entries of a list, if all are outputs that have one."""
        if not isinstance(node, (list, tuple)):
            return None
        names = [self._names.get((*path, i)) for i in range(len(node))]
        return None if None in names else names

    def describe(self) -> str:
        """The outputs' names, or their positions."""
        return ", ".join(repr(self.name(i) or "/".join(map(str, path))) for i, path in enumerate(self.paths))


def unwrap(value):
    """The only entry of containers with one entry."""
    while isinstance(value, _CONTAINERS) and len(value) == 1:
        value = next(iter(_children(value)))
    return value


def _children(node):
    return node.values() if isinstance(node, dict) else node


def is_nest(x) -> bool:
    """Whether x is a list, a tuple or a dict."""
    return isinstance(x, _CONTAINERS)


def rebuilt(like, parts: list):
    """A container as `like` is, with other parts in the order of its own."""
    if isinstance(like, dict):
        return type(like)(zip(like, parts))
    return like._make(parts) if hasattr(like, "_make") else type(like)(parts)


def packed(structure, leaves):
    """The leaves of an iterator in the structure of another nest."""
    if not is_nest(structure):
        return next(leaves)
    return rebuilt(structure, [packed(part, leaves) for part in _children(structure)])


def leaf_paths(structure, path=()):
    """The keys that lead to each leaf, in the order in which they stand."""
    if not isinstance(structure, _CONTAINERS):
        yield path
        return
    for key, child in structure.items() if isinstance(structure, dict) else enumerate(structure):
        yield from leaf_paths(child, (*path, key))
