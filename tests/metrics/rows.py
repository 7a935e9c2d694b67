"""Metrics with options, and the batches that they are fed."""

import numpy as np


def softmax(x):
    e = np.exp(x)
    return (e / e.sum(-1, keepdims=True)).astype("float32")


def real(rng):
    return rng.normal(size=(6, 4)).astype("float32"), rng.normal(size=(6, 4)).astype("float32")


def cube(rng):
    return rng.normal(size=(6, 3, 4)).astype("float32"), rng.normal(size=(6, 3, 4)).astype("float32")


def positive(rng):
    return tuple(np.abs(x) + 0.1 for x in real(rng))


def simplex(rng):
    return tuple(softmax(x) for x in real(rng))


def one_hot(rng):
    return np.eye(4, dtype="float32")[rng.integers(0, 4, size=6)], softmax(rng.normal(size=(6, 4)))


def sparse(rng):
    return rng.integers(0, 4, size=6), softmax(rng.normal(size=(6, 4)))


def sparse_column(rng):
    return rng.integers(0, 4, size=(6, 1)), softmax(rng.normal(size=(6, 4)))


def sparse_sequence(rng):
    return rng.integers(0, 4, size=(6, 3)), softmax(rng.normal(size=(6, 3, 4)))


def classes(rng):
    return rng.integers(0, 4, size=(6, 3)), rng.integers(0, 4, size=(6, 3))


def ids(rng):
    return rng.integers(0, 4, size=6), np.argsort(rng.normal(size=(6, 4))).astype("int32")


def binary(rng):
    return rng.integers(0, 2, size=6).astype("float32"), rng.uniform(size=6).astype("float32")


def binary_column(rng):
    return rng.integers(0, 2, size=(6, 1)).astype("float32"), rng.uniform(size=(6, 1)).astype("float32")


def many(rng):
    return rng.integers(0, 2, size=(6, 4)).astype("float32"), rng.uniform(size=(6, 4)).astype("float32")


def rounded(rng):
    return rng.integers(0, 2, size=(40,)).astype("float32"), rng.integers(0, 5, size=(40,)).astype("float32") / 4


def tied(rng):
    """Several of a sample's predictions are its highest."""
    return rng.integers(0, 2, size=(30, 5)).astype("float32"), rng.integers(0, 4, size=(30, 5)).astype("float32") / 3


def with_nans(rng):
    y_true, y_pred = rng.integers(0, 2, size=(12,)).astype("float32"), rng.uniform(size=(12,)).astype("float32")
    y_pred[[2, 7]] = np.nan
    return y_true, y_pred


def nans_in_columns(rng):
    y_true, y_pred = many(rng)
    y_pred[1, :2] = np.nan
    return y_true, y_pred


def column_and_flat(rng):
    return rng.normal(size=(6, 1)).astype("float32"), rng.normal(size=(6,)).astype("float32")


def flat_and_column(rng):
    return column_and_flat(rng)[::-1]


def bits_in_a_column(rng):
    return rng.integers(0, 2, size=(6, 1)).astype("float32"), rng.uniform(size=(6, 1)).astype("float32")


def bits_in_a_column_and_flat(rng):
    y_true, y_pred = bits_in_a_column(rng)
    return y_true, y_pred[:, 0]


def flat_bits_and_column(rng):
    y_true, y_pred = bits_in_a_column(rng)
    return y_true[:, 0], y_pred


def logits(rng):
    return rng.integers(0, 2, size=(6, 4)).astype("float32"), rng.normal(size=(6, 4)).astype("float32")


ROWS = [
    ("MeanSquaredError", {}, real),
    ("MeanSquaredError", {}, cube),
    ("MeanSquaredError", dict(dtype="float64"), real),
    ("RootMeanSquaredError", {}, real),
    ("RootMeanSquaredError", {}, cube),
    ("MeanAbsoluteError", {}, real),
    ("MeanAbsolutePercentageError", {}, real),
    ("MeanSquaredLogarithmicError", {}, positive),
    ("LogCoshError", {}, real),
    ("CosineSimilarity", {}, real),
    ("CosineSimilarity", dict(axis=1), cube),
    ("PearsonCorrelation", {}, real),
    ("ConcordanceCorrelation", {}, real),
    ("PearsonCorrelation", dict(axis=1), cube),
    ("KLDivergence", {}, simplex),
    ("Poisson", {}, positive),
    ("Hinge", {}, logits),
    ("SquaredHinge", {}, real),
    ("CategoricalHinge", {}, one_hot),
    ("BinaryCrossentropy", {}, many),
    ("BinaryCrossentropy", dict(from_logits=True, label_smoothing=0.1), logits),
    ("CategoricalCrossentropy", {}, one_hot),
    ("CategoricalCrossentropy", dict(label_smoothing=0.1), one_hot),
    ("SparseCategoricalCrossentropy", {}, sparse),
    ("SparseCategoricalCrossentropy", {}, sparse_sequence),
    ("SparseCategoricalCrossentropy", dict(ignore_class=1), sparse_sequence),
    ("Accuracy", {}, classes),
    ("BinaryAccuracy", {}, binary),
    ("BinaryAccuracy", dict(threshold=0.3), many),
    ("CategoricalAccuracy", {}, one_hot),
    ("SparseCategoricalAccuracy", {}, sparse),
    ("SparseCategoricalAccuracy", {}, sparse_column),
    ("SparseCategoricalAccuracy", {}, sparse_sequence),
    ("TopKCategoricalAccuracy", dict(k=2), one_hot),
    ("SparseTopKCategoricalAccuracy", dict(k=2), sparse),
    ("SparseTopKCategoricalAccuracy", dict(k=2), sparse_column),
    ("SparseTopKCategoricalAccuracy", dict(k=2), sparse_sequence),
    ("SparseTopKCategoricalAccuracy", dict(k=2, from_sorted_ids=True), ids),
    ("TruePositives", {}, binary),
    ("TrueNegatives", dict(thresholds=[0.2, 0.7]), many),
    ("FalsePositives", dict(thresholds=0.3), many),
    ("FalseNegatives", dict(thresholds=[0.0, 0.5, 1.0]), rounded),
    ("Precision", {}, binary),
    ("Precision", {}, binary_column),
    ("Precision", dict(thresholds=[0.2, 0.5, 0.7]), many),
    ("Precision", dict(thresholds=[0.0, 0.25, 0.5, 0.75, 1.0]), rounded),
    ("Precision", dict(top_k=2), many),
    ("Precision", dict(top_k=2, class_id=1), many),
    ("Precision", dict(class_id=2, thresholds=0.4), many),
    ("Recall", {}, many),
    ("Recall", dict(top_k=3, thresholds=0.4), many),
    ("Recall", dict(class_id=0), many),
    ("SensitivityAtSpecificity", dict(specificity=0.6, num_thresholds=20), many),
    ("SensitivityAtSpecificity", dict(specificity=0.5, num_thresholds=1), many),
    ("SpecificityAtSensitivity", dict(sensitivity=0.6), many),
    ("PrecisionAtRecall", dict(recall=0.6), many),
    ("PrecisionAtRecall", dict(recall=0.6, class_id=1), many),
    ("RecallAtPrecision", dict(precision=0.6), many),
    ("RecallAtPrecision", dict(precision=1.0, num_thresholds=5), rounded),
    ("Precision", dict(top_k=1), tied),
    ("Precision", dict(top_k=2), tied),
    ("Precision", dict(top_k=3, class_id=2), tied),
    ("Recall", dict(top_k=1, class_id=1), tied),
    ("Recall", dict(top_k=2, thresholds=[0.2, 0.5, 0.9]), tied),
    ("RecallAtPrecision", dict(precision=0.5), with_nans),
    ("RecallAtPrecision", dict(precision=0.3, num_thresholds=5), with_nans),
    ("RecallAtPrecision", dict(precision=0.6, num_thresholds=201), nans_in_columns),
    ("RecallAtPrecision", dict(precision=1.0, num_thresholds=1), with_nans),
    ("PrecisionAtRecall", dict(recall=0.5), with_nans),
    ("PrecisionAtRecall", dict(recall=0.3, num_thresholds=5), with_nans),
    ("PrecisionAtRecall", dict(recall=0.6, num_thresholds=201), nans_in_columns),
    ("PrecisionAtRecall", dict(recall=1.0, num_thresholds=1), with_nans),
    ("SensitivityAtSpecificity", dict(specificity=0.5), with_nans),
    ("SensitivityAtSpecificity", dict(specificity=0.3, num_thresholds=5), with_nans),
    ("SensitivityAtSpecificity", dict(specificity=0.6, num_thresholds=201), nans_in_columns),
    ("SensitivityAtSpecificity", dict(specificity=1.0, num_thresholds=1), with_nans),
    ("SpecificityAtSensitivity", dict(sensitivity=0.5), with_nans),
    ("SpecificityAtSensitivity", dict(sensitivity=0.3, num_thresholds=5), with_nans),
    ("SpecificityAtSensitivity", dict(sensitivity=0.6, num_thresholds=201), nans_in_columns),
    ("SpecificityAtSensitivity", dict(sensitivity=1.0, num_thresholds=1), with_nans),
    ("AUC", {}, binary),
    ("AUC", {}, binary_column),
    ("AUC", {}, many),
    ("AUC", {}, rounded),
    ("AUC", dict(curve="PR"), many),
    ("AUC", dict(curve="PRGAIN"), many),
    ("AUC", dict(curve="PR", summation_method="minoring", num_thresholds=7), many),
    ("AUC", dict(curve="ROC", summation_method="majoring", num_thresholds=7), many),
    ("AUC", dict(thresholds=[0.2, 0.3, 0.9]), many),
    ("AUC", dict(thresholds=[0.25, 0.5, 0.75]), rounded),
    ("AUC", dict(multi_label=True), many),
    ("AUC", dict(multi_label=True, num_labels=4, curve="PR", label_weights=[0.1, 0.2, 0.3, 1.0]), many),
    ("AUC", dict(multi_label=True, thresholds=[0.2, 0.6]), many),
    ("AUC", dict(label_weights=[0.1, 0.2, 0.3, 1.0]), many),
    ("AUC", dict(from_logits=True), logits),
    ("IoU", dict(num_classes=4, target_class_ids=[0, 2]), classes),
    ("IoU", dict(num_classes=4, target_class_ids=[1], sparse_y_pred=False, axis=-1), sparse_sequence),
    ("MeanIoU", dict(num_classes=4), classes),
    ("MeanIoU", dict(num_classes=4, ignore_class=1), classes),
    ("MeanIoU", dict(num_classes=6), classes),
    ("BinaryIoU", {}, bits_in_a_column),
    ("BinaryIoU", dict(threshold=0.3, target_class_ids=[1]), bits_in_a_column),
    ("BinaryIoU", {}, bits_in_a_column_and_flat),
    ("BinaryIoU", {}, flat_bits_and_column),
    ("BinaryIoU", {}, many),
    ("BinaryIoU", dict(threshold=0.3, target_class_ids=[1]), many),
    ("OneHotIoU", dict(num_classes=4, target_class_ids=[0, 3]), one_hot),
    ("OneHotMeanIoU", dict(num_classes=4), one_hot),
    ("F1Score", {}, one_hot),
    ("F1Score", dict(average="micro"), one_hot),
    ("F1Score", dict(average="macro", threshold=0.5), many),
    ("FBetaScore", dict(beta=2.0, average="weighted", threshold=0.4), many),
    ("R2Score", {}, column_and_flat),
    ("R2Score", {}, flat_and_column),
    ("R2Score", dict(class_aggregation=None), column_and_flat),
    ("R2Score", dict(class_aggregation="variance_weighted_average", num_regressors=1), flat_and_column),
    ("R2Score", {}, real),
    ("R2Score", dict(class_aggregation=None), real),
    ("R2Score", dict(class_aggregation="variance_weighted_average", num_regressors=2), real),
]
