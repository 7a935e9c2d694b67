"""What a layer owns: variables, layers, metrics and seed generators found among its attributes."""

from __future__ import annotations

import itertools

from kerasish.core.variable import Variable

_LOCKED = (
    "You cannot add new elements of state (variables or sub-layers) to a layer that is already built. All state must "
    "be created in the `__init__()` method or in the `build()` method."
)


_changes = itertools.count(1)
latest_change = [0]  # the number given last, of all layers: while it stays, no layer has changed
_RUNNING = frozenset(  # what calls leave behind; it says nothing of how a layer computes
    "_called _losses _loss_holders _parent_path _build_shapes _inbound_nodes _outbound_nodes _locked".split()
)


class Tracked:
    """Mix-in: finds the state among the attributes, in lists, tuples and dicts too, in order of assignment.

    Containers are looked through when somebody asks, so what is appended later counts.

    Attributes:
        _computes: whether public attributes say how something is computed; a model's own say how it is trained.
    """

    _computes = True

    def _init_tracking(self):
        self._start_tracking()
        self.__dict__["_super_called"] = True

    def _start_tracking(self):
        """Keep what was set before `super().__init__()`."""
        if "_holders" not in self.__dict__:
            self.__dict__.update(_holders={}, _own_variables=[], _locked=False)

    def __setattr__(self, name, value):
        if isinstance(value, (list, tuple, dict, set)) or is_state(value):
            self._track(name, value)
        elif name in self.__dict__.get("_holders", ()):
            del self._holders[name]
        super().__setattr__(name, value)
        if name not in _RUNNING:
            self._note_change(name)

    def _note_change(self, name):
        """Give what the layer is now a number of its own, after an attribute was set or deleted."""
        if self._computes or name in ("trainable", "__class__"):
            self.__dict__["_change"] = latest_change[0] = next(_changes)

    def __delattr__(self, name):
        self.__dict__.get("_holders", {}).pop(name, None)
        value = self.__dict__.get(name)
        if isinstance(value, Variable):
            self._own_variables[:] = [v for v in self._own_variables if v is not value]
        super().__delattr__(name)
        self._note_change(name)

    def _track(self, name, value):
        holders = self.__dict__.get("_holders")
        if holders is None:
            if isinstance(value, (Variable, Tracked)):
                self._start_tracking()
                return self._track(name, value)
            return
        if name in self._untracked_names():
            return
        held = list(leaves(value))
        if held and not any(is_state(x) for x in held):
            holders.pop(name, None)
            return
        if self._locked and any(isinstance(x, (Variable, Tracked)) and not self._owns(x) for x in held):
            raise ValueError(_LOCKED)
        holders[name] = value

    def _untracked_names(self):
        return _UNTRACKED

    def _owns(self, x) -> bool:
        return any(y is x for y in self._own_variables) or any(
            y is x for v in self._holders.values() for y in leaves(v)
        )

    def _found(self, kind):
        """The tracked objects of a class, each once, in order."""
        seen, found = set(), []
        for value in list(self.__dict__.get("_holders", {}).values()):
            for x in leaves(value):
                if isinstance(x, kind) and id(x) not in seen:
                    seen.add(id(x))
                    found.append(x)
        return found

    def _direct_variables(self) -> list[Variable]:
        """Variables of the layer itself: the trainable ones first, in order of creation."""
        made = list(self.__dict__.get("_own_variables", ()))
        known = {id(v) for v in made}
        made += [v for v in self._found(Variable) if id(v) not in known]
        frozen = self.__dict__.get("_born_frozen", set())
        return [v for v in made if id(v) not in frozen] + [v for v in made if id(v) in frozen]

    def _own_variable(self, variable):
        if self._locked:
            raise ValueError(_LOCKED)
        self._own_variables.append(variable)


_UNTRACKED = frozenset(
    "_inbound_nodes _outbound_nodes _init_arguments _losses _loss_holders _holders _own_variables _nodes "
    "_nodes_by_depth _operations _operations_by_depth _plan _slots _inputs _outputs _inputs_struct _outputs_struct "
    "_build_shapes input_spec _functional".split()
)


def is_metric(x) -> bool:
    """Whether x is a metric."""
    return hasattr(type(x), "update_state")


def is_seed_generator(x) -> bool:
    """Whether x is a SeedGenerator."""
    return hasattr(type(x), "next") and hasattr(x, "state")


def is_state(x) -> bool:
    """Whether x is something that a layer owns."""
    return isinstance(x, (Variable, Tracked)) or is_metric(x) or is_seed_generator(x)


def leaves(value, around=()):
    """The objects in nested lists, tuples, dicts and sets; `around` are the ids of those that hold this one."""
    if not isinstance(value, (dict, list, tuple, set)):
        yield value
    elif id(value) not in around:  # else it holds itself
        inside = (*around, id(value))
        for x in value.values() if isinstance(value, dict) else value:
            yield from leaves(x, inside)
