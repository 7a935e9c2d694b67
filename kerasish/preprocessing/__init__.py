"""keras.preprocessing: older names of functions in keras.utils."""

from kerasish import names as _names
from kerasish.preprocessing import image, sequence
from kerasish.utils.image_dataset import image_dataset_from_directory
from kerasish.utils.timeseries_dataset import timeseries_dataset_from_array

__all__ = ["image", "image_dataset_from_directory", "sequence", "timeseries_dataset_from_array"]

_names.explain(__name__)
