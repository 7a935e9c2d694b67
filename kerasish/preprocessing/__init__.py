"""keras.preprocessing: older names of functions in keras.utils."""

from kerasish.preprocessing import image, sequence
from kerasish.utils.image_dataset import image_dataset_from_directory
from kerasish.utils.timeseries_dataset import timeseries_dataset_from_array

__all__ = ["image", "image_dataset_from_directory", "sequence", "timeseries_dataset_from_array"]

_GONE = {
    "text": "use the layer keras.layers.TextVectorization",
    "text_dataset_from_directory": "read the files and pass arrays or a keras.utils.PyDataset to fit()",
}


def __getattr__(name: str):
    if name in _GONE:
        raise AttributeError(f"keras.preprocessing.{name} is not in kerasish; {_GONE[name]}.")
    raise AttributeError(f"module 'kerasish.preprocessing' has no attribute '{name}'")
