"""A script written for TensorFlow: nothing in it names kerasish.

python -m kerasish examples/unmodified_tf_keras.py [--quick]
"""

import sys

import tensorflow as tf
from tensorflow.keras import Model, layers

quick = "--quick" in sys.argv
tf.random.set_seed(0)

(x_train, y_train), (x_test, y_test) = tf.keras.datasets.fashion_mnist_small.load_data()
if quick:
    x_train, y_train = x_train[:512], y_train[:512]


def prepare(image, label):
    return tf.expand_dims(tf.cast(image, tf.float32) / 255.0, -1), label


train = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(6000).map(prepare).batch(64)
test = tf.data.Dataset.from_tensor_slices((x_test, y_test)).map(prepare).batch(64).prefetch(tf.data.AUTOTUNE)


class Classifier(Model):
    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(32, 3, activation="relu")
        self.pool = layers.MaxPooling2D()
        self.flatten = layers.Flatten()
        self.dense = layers.Dense(64, activation="relu")
        self.logits = layers.Dense(10)

    def call(self, images):
        return self.logits(self.dense(self.flatten(self.pool(self.conv(images)))))


model = Classifier()
optimizer = tf.keras.optimizers.Adam()
loss_function = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
train_loss = tf.keras.metrics.Mean(name="train_loss")
test_accuracy = tf.keras.metrics.SparseCategoricalAccuracy(name="test_accuracy")


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        loss = loss_function(labels, model(images, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    train_loss(loss)


for epoch in range(1 if quick else 5):
    train_loss.reset_state()
    test_accuracy.reset_state()
    for images, labels in train:
        train_step(images, labels)
    for images, labels in test:
        test_accuracy(labels, model(images, training=False))
    print(f"Epoch {epoch + 1}, Loss: {train_loss.result():.3f}, Test accuracy: {test_accuracy.result():.3f}")
