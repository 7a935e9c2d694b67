"""keras.tree: nested structures of lists, tuples, dicts, named tuples and deques; None is a leaf."""

from kerasish import names as _names
from kerasish.core.nest import flatten as flatten
from kerasish.tree.checks import assert_same_paths as assert_same_paths
from kerasish.tree.checks import assert_same_structure as assert_same_structure
from kerasish.tree.checks import flatten_with_path as flatten_with_path
from kerasish.tree.checks import is_nested as is_nested
from kerasish.tree.maps import MAP_TO_NONE as MAP_TO_NONE
from kerasish.tree.maps import lists_to_tuples as lists_to_tuples
from kerasish.tree.maps import map_shape_structure as map_shape_structure
from kerasish.tree.maps import map_structure as map_structure
from kerasish.tree.maps import map_structure_up_to as map_structure_up_to
from kerasish.tree.maps import pack_sequence_as as pack_sequence_as
from kerasish.tree.maps import traverse as traverse

_names.explain(__name__)
