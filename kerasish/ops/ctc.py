"""CTC: the likelihood of a label sequence under per-frame scores, summed over all alignments (Graves et al., 2006)."""

from __future__ import annotations

import numpy as np

from kerasish.core import dtypes
from kerasish.core.op import Op, Spec
from kerasish.core.tensor import as_array
from kerasish.device import array_module
from kerasish.ops import reduce
from kerasish.ops.activations import NN, log_softmax
from kerasish.ops.elementwise import where
from kerasish.ops.indexing import get_item, take_along_axis
from kerasish.ops.shaping import as_tensor, concatenate, stack
from kerasish.ops.table import cast

IMPOSSIBLE = -1e30  # the logarithm of no likelihood, finite so that gradients are


class CTCLoss(Op):
    """target (N, L) of labels, output (N, T, C) of logits, lengths (N,) -> (N,)."""

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
        alpha = _forward(scores, _may_skip(target), output_length)
        last = take_along_axis(alpha, 2 * target_length[:, None].astype(np.int64), axis=1)
        before = take_along_axis(alpha, np.maximum(2 * target_length - 1, 0)[:, None].astype(np.int64), axis=1)
        before = where(target_length[:, None] > 0, before, IMPOSSIBLE)
        return -reduce.logsumexp(concatenate([last, before], axis=1), axis=1)


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
    """Where the blank before a state may be left out: at labels unlike the one before."""
    may = array_module(target).zeros((target.shape[0], 2 * target.shape[1] + 1), bool)
    may[:, 3::2] = target[:, 1:] != target[:, :-1]
    return may


def _forward(scores, may_skip, output_length):
    """The log-likelihood of being in each state (N, S) after the last frame of each sample."""
    begins = np.arange(scores.shape[2]) < 2
    alpha = where(begins[None], get_item(scores, (slice(None), 0)), IMPOSSIBLE)
    for t in range(1, scores.shape[1]):
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
