"""keras.preprocessing.image: pictures as arrays."""

from kerasish.utils.image_utils import array_to_img, img_to_array, load_img, save_img

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img"]


def __getattr__(name: str):
    if name == "ImageDataGenerator":
        raise AttributeError(
            "keras.preprocessing.image.ImageDataGenerator ended with Keras 2; put layers such as "
            "keras.layers.RandomFlip in the model and read files with keras.utils.image_dataset_from_directory."
        )
    raise AttributeError(f"module 'kerasish.preprocessing.image' has no attribute '{name}'")
