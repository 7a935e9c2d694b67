"""A training loop by hand: GradientTape, optimizer, metric.

python examples/custom_training_loop.py [--quick]
"""

import sys

import kerasish as keras
from kerasish import layers, ops

quick = "--quick" in sys.argv
keras.utils.set_random_seed(0)

(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist_small.load_data()
x_train = x_train[..., None].astype("float32") / 255
x_test = x_test[..., None].astype("float32") / 255
if quick:
    x_train, y_train = x_train[:512], y_train[:512]
train = keras.utils.Dataset.from_tensor_slices((x_train, y_train)).shuffle(len(x_train), seed=0).batch(64)

model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10),
    ]
)
optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-2, decay_steps=8 * len(train)))
loss_function = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
accuracy = keras.metrics.SparseCategoricalAccuracy()


def train_step(images, labels):
    with keras.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_function(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    accuracy.update_state(labels, logits)
    return loss


for epoch in range(1 if quick else 8):
    accuracy.reset_state()
    for images, labels in train:
        loss = train_step(images, labels)
    print(f"Epoch {epoch + 1}: last loss {float(loss):.3f}, accuracy {float(accuracy.result()):.3f}")

predicted = ops.argmax(model.predict(x_test, verbose=0), axis=-1)
print(f"Test accuracy: {float(ops.mean(ops.equal(predicted, y_test))):.3f}")
