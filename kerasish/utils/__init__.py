"""keras.utils: progress bars, downloads, label and image helpers, data splitting."""

import importlib

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
    "model_to_dot": "kerasish.utils.model_visualization",
    "normalize": "kerasish.utils.numerical_utils",
    "pack_x_y_sample_weight": "kerasish.utils.batch_utils",
    "pad_sequences": "kerasish.utils.sequence_utils",
    "plot_model": "kerasish.utils.model_visualization",
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

_NOT_YET = {
    "Config": "use a dataclass",
    "FeatureSpace": "build the features with the preprocessing layers of keras.layers",
    "audio_dataset_from_directory": "read the files yourself and pass arrays or a keras.utils.PyDataset to fit()",
    "bounding_boxes": "compute the boxes with keras.ops",
    "text_dataset_from_directory": "read the files yourself and pass arrays or a keras.utils.PyDataset to fit()",
}


def __getattr__(name: str):
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    if name in _NOT_YET:
        raise AttributeError(f"kerasish.utils.{name} is not implemented; {_NOT_YET[name]}.")
    raise AttributeError(f"module 'kerasish.utils' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOMES))
