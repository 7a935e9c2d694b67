import pytest

from kerasish import preprocessing, utils


def test_names_of_utils():
    assert preprocessing.sequence.pad_sequences is utils.pad_sequences
    assert preprocessing.image.load_img is utils.load_img and preprocessing.image.save_img is utils.save_img
    assert preprocessing.image_dataset_from_directory is utils.image_dataset_from_directory


@pytest.mark.parametrize(
    "owner, name, text",
    [
        (preprocessing, "text", "TextVectorization"),
        (preprocessing, "nope", "no attribute 'nope'"),
        (preprocessing.image, "ImageDataGenerator", "ended with Keras 2; put layers such as keras.layers.RandomFlip"),
        (preprocessing.image, "nope", "no attribute 'nope'"),
    ],
)
def test_names_that_are_gone(owner, name, text):
    with pytest.raises(AttributeError, match=text):
        getattr(owner, name)
