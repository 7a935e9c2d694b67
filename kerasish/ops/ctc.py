"""CTC: the likelihood of a label sequence under per-frame scores, summed over all alignments (Graves et al., 2006)."""

from __future__ import annotations

import numpy as np

from kerasish.core import dtypes
from kerasish.core.op import Op, Spec
from kerasish.core.tensor import as_array, convert_to_tensor
from kerasish.device import array_module
from kerasish.ops import reduce
from kerasish.ops.activations import NN, log_softmax
from kerasish.ops.elementwise import where
from kerasish.ops.indexing import get_item, take_along_axis
from kerasish.ops.shaping import as_tensor, concatenate, stack
from kerasish.ops.table import cast

IMPOSSIBLE = -1e30  # the logarithm of no likelihood, finite so that gradients are
ASTRAY = -706.8936  # TensorFlow's log(1e-307): of an alignment that does not end behind the labels


class CTCLoss(Op):
    """target (N, L) of labels, output (N, T, C) of logits, lengths (N,) -> (N,).

    Labels that no alignment fits into the frames have no likelihood. As in TensorFlow, their loss is that of alignments
    that end elsewhere, plus about 707, and its gradient also counts those that begin elsewhere.
    """

    module = NN

    def __init__(self, mask_index=0):
        self.mask_index = mask_index

    def infer(self, target, output, target_length, output_length):
        _check(target.shape, output.shape, target_length.shape, output_length.shape)
        return Spec((output.shape[0],), _wide(output.dtype))

    def call(self, target, output, target_length, output_length):
        output = as_tensor(output)
        target, target_length, output_length = (as_array(x) for x in (target, target_length, output_length))
        _check(target.shape, output.shape, target_length.shape, output_length.shape)
        output = cast(output, _wide(output.dtype))
        states = _with_blanks(target, self.mask_index)
        index = np.broadcast_to(states[:, None, :], (*output.shape[:2], states.shape[1]))
        scores = take_along_axis(log_softmax(output), index, axis=2)
        skip, ends = _may_skip(target), _ends(states.shape, target_length, output.dtype)
        loss = _loss(scores, skip, ends, output_length, ASTRAY)
        unaligned = _frames_needed(target, target_length) > output_length
        if not unaligned.any():
            return loss
        strict = _loss(convert_to_tensor(scores.value), skip, ends, output_length, IMPOSSIBLE)
        return loss + convert_to_tensor((strict.value - loss.value) * unaligned)


def _wide(dtype) -> str:
    """The dtype of the likelihoods: float32 at least."""
    return dtypes.result_type(dtype, "float32")


def _check(target, output, target_length, output_length):
    if len(target) != 2:
        raise ValueError(f"Expected `target` of shape (batch_size, max_length). Received: target.shape={tuple(target)}")
    if len(output) != 3:
        raise ValueError(
            f"Expected `output` of shape (batch_size, max_length, num_classes). Received: output.shape={tuple(output)}"
        )
    for name, shape in (("target_length", target_length), ("output_length", output_length)):
        if len(shape) != 1:
            raise ValueError(f"Expected `{name}` of shape (batch_size,). Received: {name}.shape={tuple(shape)}")


def _with_blanks(target, blank):
    """(N, L) -> (N, 2L + 1): a blank before, between and behind the labels."""
    states = array_module(target).full((target.shape[0], 2 * target.shape[1] + 1), blank, np.int64)
    states[:, 1::2] = target
    return states


def _may_skip(target):
    """Where the state before (N, 1 + S) may be left out: at labels unlike the one before, and before the first."""
    may = array_module(target).zeros((target.shape[0], 2 * target.shape[1] + 2), bool)
    may[:, 2:3] = True
    may[:, 4::2] = target[:, 1:] != target[:, :-1]
    return may


def _frames_needed(target, target_length):
    """A frame for each label that counts, and one for the blank between equal ones."""
    equal = target[:, 1:] == target[:, :-1]
    inside = array_module(target).arange(1, max(target.shape[1], 1)) < target_length[:, None]
    return target_length + (equal & inside).sum(axis=1)


def _ends(shape, target_length, dtype):
    """What ending in each state (N, 1 + S) adds: nothing in the last label and the blank behind it."""
    states = array_module(target_length).arange(shape[1] + 1)
    label = 2 * target_length.astype(np.int64)[:, None]
    elsewhere = (states != label) & (states != label + 1)
    return elsewhere.astype(dtypes.numpy_dtype(dtype)) * ASTRAY


def _loss(scores, may_skip, ends, output_length, elsewhere):
    """The likelihood of all alignments, -log; `elsewhere` is that of beginning in another state than the first."""
    alpha = _forward(scores, may_skip, output_length, elsewhere)
    return -reduce.logsumexp(alpha + ends, axis=1)


def _forward(scores, may_skip, output_length, elsewhere):
    """The log-likelihood of being at the beginning or in each state (N, 1 + S) after the last frame of each sample."""
    xp = array_module(may_skip)
    before = xp.full((*scores.shape[:2], 1), IMPOSSIBLE, dtypes.numpy_dtype(scores.dtype))
    scores = concatenate([before, scores], axis=2)
    alpha = xp.full(may_skip.shape, elsewhere, dtypes.numpy_dtype(scores.dtype))
    alpha[:, 0] = 0
    alpha = convert_to_tensor(alpha)
    for t in range(scores.shape[1]):
        one, two = _shifted(alpha, 1), where(may_skip, _shifted(alpha, 2), IMPOSSIBLE)
        ahead = reduce.logsumexp(stack([alpha, one, two], axis=0), axis=0) + get_item(scores, (slice(None), t))
        alpha = where((t < output_length)[:, None], ahead, alpha)
    return alpha


def _shifted(alpha, by):
    """The states moved up by one or two, impossible ones moving in."""
    edge = np.full(alpha.shape, IMPOSSIBLE, alpha.dtype)[:, :by]
    kept = max(alpha.shape[1] - by, 0)
    return concatenate([edge, get_item(alpha, (slice(None), slice(0, kept)))], axis=1)


def ctc_loss(target, output, target_length, output_length, mask_index: int = 0):
    """Negative log-likelihood of label sequences, alignments being free (connectionist temporal classification).

    Args:
        target: labels (N, L).
        output: logits (N, T, C).
        target_length: how many labels of each sample count (N,).
        output_length: how many frames of each sample count (N,).
        mask_index: the class that stands for a blank.

    Returns:
        The loss of each sample (N,).
    """
    return CTCLoss(mask_index)(target, output, target_length, output_length)
