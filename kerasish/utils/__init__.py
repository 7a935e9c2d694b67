"""keras.utils: progress bars, downloads, label and image helpers, data splitting."""

from typing import TYPE_CHECKING

from kerasish import names as _names

if TYPE_CHECKING:  # for editors, what _HOMES says
    from kerasish.core.dtypes import standardize_dtype as standardize_dtype
    from kerasish.core.scopes import clear_session as clear_session
    from kerasish.core.symbolic import is_keras_tensor as is_keras_tensor
    from kerasish.models.plotting import model_to_dot as model_to_dot
    from kerasish.models.plotting import plot_model as plot_model
    from kerasish.random import set_random_seed as set_random_seed
    from kerasish.saving import CustomObjectScope as CustomObjectScope
    from kerasish.saving import custom_object_scope as custom_object_scope
    from kerasish.saving import deserialize_keras_object as deserialize_keras_object
    from kerasish.saving import get_custom_objects as get_custom_objects
    from kerasish.saving import get_registered_name as get_registered_name
    from kerasish.saving import get_registered_object as get_registered_object
    from kerasish.saving import register_keras_serializable as register_keras_serializable
    from kerasish.saving import serialize_keras_object as serialize_keras_object
    from kerasish.utils.batch_utils import pack_x_y_sample_weight as pack_x_y_sample_weight
    from kerasish.utils.batch_utils import unpack_x_y_sample_weight as unpack_x_y_sample_weight
    from kerasish.utils.dataset import Dataset as Dataset
    from kerasish.utils.file_utils import get_file as get_file
    from kerasish.utils.graph_utils import get_source_inputs as get_source_inputs
    from kerasish.utils.image_dataset import image_dataset_from_directory as image_dataset_from_directory
    from kerasish.utils.image_utils import array_to_img as array_to_img
    from kerasish.utils.image_utils import img_to_array as img_to_array
    from kerasish.utils.image_utils import load_img as load_img
    from kerasish.utils.image_utils import save_img as save_img
    from kerasish.utils.io_utils import disable_interactive_logging as disable_interactive_logging
    from kerasish.utils.io_utils import enable_interactive_logging as enable_interactive_logging
    from kerasish.utils.io_utils import is_interactive_logging_enabled as is_interactive_logging_enabled
    from kerasish.utils.numerical_utils import normalize as normalize
    from kerasish.utils.numerical_utils import to_categorical as to_categorical
    from kerasish.utils.progbar import Progbar as Progbar
    from kerasish.utils.py_dataset import PyDataset as PyDataset
    from kerasish.utils.py_dataset import Sequence as Sequence
    from kerasish.utils.sequence_utils import pad_sequences as pad_sequences
    from kerasish.utils.split_utils import split_dataset as split_dataset
    from kerasish.utils.timeseries_dataset import timeseries_dataset_from_array as timeseries_dataset_from_array

_HOMES = {
    "Dataset": "kerasish.utils.dataset",
    "Progbar": "kerasish.utils.progbar",
    "PyDataset": "kerasish.utils.py_dataset",
    "Sequence": "kerasish.utils.py_dataset",
    "array_to_img": "kerasish.utils.image_utils",
    "clear_session": "kerasish.core.scopes",
    "custom_object_scope": "kerasish.saving",
    "CustomObjectScope": "kerasish.saving",
    "deserialize_keras_object": "kerasish.saving",
    "disable_interactive_logging": "kerasish.utils.io_utils",
    "enable_interactive_logging": "kerasish.utils.io_utils",
    "get_custom_objects": "kerasish.saving",
    "get_file": "kerasish.utils.file_utils",
    "get_registered_name": "kerasish.saving",
    "get_registered_object": "kerasish.saving",
    "get_source_inputs": "kerasish.utils.graph_utils",
    "image_dataset_from_directory": "kerasish.utils.image_dataset",
    "img_to_array": "kerasish.utils.image_utils",
    "is_interactive_logging_enabled": "kerasish.utils.io_utils",
    "is_keras_tensor": "kerasish.core.symbolic",
    "load_img": "kerasish.utils.image_utils",
    "model_to_dot": "kerasish.models.plotting",
    "normalize": "kerasish.utils.numerical_utils",
    "pack_x_y_sample_weight": "kerasish.utils.batch_utils",
    "pad_sequences": "kerasish.utils.sequence_utils",
    "plot_model": "kerasish.models.plotting",
    "register_keras_serializable": "kerasish.saving",
    "save_img": "kerasish.utils.image_utils",
    "serialize_keras_object": "kerasish.saving",
    "set_random_seed": "kerasish.random",
    "split_dataset": "kerasish.utils.split_utils",
    "standardize_dtype": "kerasish.core.dtypes",
    "timeseries_dataset_from_array": "kerasish.utils.timeseries_dataset",
    "to_categorical": "kerasish.utils.numerical_utils",
    "unpack_x_y_sample_weight": "kerasish.utils.batch_utils",
}

_names.lazy(__name__, _HOMES)
