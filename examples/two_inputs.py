"""A functional model with two inputs and two outputs.

Given a picture of a garment and a number from 0 to 9, it tells the garment's class and
whether the number is that class.

python examples/two_inputs.py [--quick]
"""

import sys

import numpy as np

import kerasish as keras
from kerasish import layers

quick = "--quick" in sys.argv
keras.utils.set_random_seed(0)

(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist_small.load_data()
if quick:
    x_train, y_train = x_train[:512], y_train[:512]


def with_question(labels, seed):
    """Half of the questions, or a few more, name the right class."""
    rng = np.random.default_rng(seed)
    question = np.where(rng.random(len(labels)) < 0.5, labels, rng.integers(0, 10, len(labels)))
    return question.astype("int32"), (question == labels).astype("float32")


question_train, answer_train = with_question(y_train, seed=1)
question_test, answer_test = with_question(y_test, seed=2)

image = keras.Input(shape=(28, 28), name="image")
question = keras.Input(shape=(), dtype="int32", name="question")

x = layers.Rescaling(1 / 255)(image)
x = layers.Reshape((28, 28, 1))(x)
x = layers.Conv2D(16, 3, strides=2, activation="relu")(x)
x = layers.Conv2D(32, 3, strides=2, activation="relu")(x)
x = layers.Flatten()(x)
x = layers.Dense(64, activation="relu")(x)
label = layers.Dense(10, activation="softmax", name="label")(x)

q = layers.Embedding(10, 64)(question)
match = layers.Concatenate()([x, layers.Multiply()([x, q])])
match = layers.Dense(32, activation="relu")(match)
answer = layers.Dense(1, activation="sigmoid", name="answer")(match)

model = keras.Model(inputs=[image, question], outputs={"label": label, "answer": answer})
model.compile(
    optimizer=keras.optimizers.Adam(2e-3),
    loss={"label": "sparse_categorical_crossentropy", "answer": "binary_crossentropy"},
    loss_weights={"label": 1.0, "answer": 0.5},
    metrics={"label": ["accuracy"], "answer": ["accuracy"]},
)
model.fit(
    {"image": x_train, "question": question_train},
    {"label": y_train, "answer": answer_train},
    batch_size=64,
    epochs=1 if quick else 8,
)
results = model.evaluate(
    {"image": x_test, "question": question_test},
    {"label": y_test, "answer": answer_test},
    verbose=0,
    return_dict=True,
)
print(f"Label accuracy: {results['label_accuracy']:.3f}")
print(f"Answer accuracy: {results['answer_accuracy']:.3f}")
