import pytest

from kerasish import preprocessing, utils


def test_names_of_utils():
    assert preprocessing.sequence.pad_sequences is utils.pad_sequences
    assert preprocessing.image.load_img is utils.load_img and preprocessing.image.save_img is utils.save_img
    assert preprocessing.image_dataset_from_directory is utils.image_dataset_from_directory


@pytest.mark.parametrize(
    "owner, name, text",
    [
        (preprocessing, "text", "it belongs to Keras 2; turn words into numbers with a Python dict"),
        (preprocessing, "nope", "no attribute 'nope'"),
        (preprocessing.image, "ImageDataGenerator", "it belongs to Keras 2; read files with keras.utils"),
        (preprocessing.image, "nope", "no attribute 'nope'"),
    ],
)
def test_names_that_are_gone(owner, name, text):
    with pytest.raises(AttributeError, match=text):
        getattr(owner, name)
