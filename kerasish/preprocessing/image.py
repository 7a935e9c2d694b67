"""keras.preprocessing.image: pictures as arrays."""

from kerasish import names as _names
from kerasish.utils.image_utils import array_to_img, img_to_array, load_img, save_img

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img"]

_names.explain(__name__)
