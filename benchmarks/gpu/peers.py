"""The rows by PyTorch. A peer takes torch and the row's arguments as tensors; the function that it gives is timed.

Images lie channels last, as PyTorch's users have them; results are views in the layout of the row's kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def first(a: Any) -> Any:
    """(N, ..., C) as PyTorch's (N, C, ...), in the same memory."""
    return a.movedim(-1, 1)


def last(y: Any) -> Any:
    """PyTorch's (N, C, ...) as (N, ..., C), in the same memory."""
    return y.movedim(1, -1)


def _filters(torch: Any, w: Any) -> Any:
    """(K..., C/G, F) as PyTorch's (F, C/G, K...), channels last where it has a format for that."""
    w = w.movedim((-1, -2), (0, 1))
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    return w.contiguous(memory_format=formats.get(w.ndim, torch.contiguous_format))


def _geometry(window: Any) -> tuple:
    """Strides, paddings, dilations; rows pad both sides alike."""
    return list(window.strides), [before for before, _ in window.pads], list(window.dilation)


def conv(torch, x, w, window, bias=None, activation=None):
    x, w, (stride, pads, dilation) = first(x), _filters(torch, w), _geometry(window)
    function = getattr(torch.nn.functional, f"conv{x.ndim - 2}d")
    run = lambda: last(function(x, w, bias, stride, pads, dilation, window.groups))
    return (lambda: torch.relu(run())) if activation == "relu" else run


def conv_grad_input(torch, gy, w, x_shape, window):
    gy, w = first(gy), _filters(torch, w)
    x = first(torch.empty(x_shape, device=gy.device, dtype=gy.dtype))
    backward = _backward(torch, gy, x, w, window, window.groups, [True, False, False])
    return lambda: last(backward()[0])


def conv_grad_kernel(torch, x, gy, w_shape, window):
    x, gy = first(x), first(gy)
    w = _filters(torch, torch.empty(w_shape, device=gy.device, dtype=gy.dtype))
    backward = _backward(torch, gy, x, w, window, window.groups, [False, True, False])
    return lambda: backward()[1].movedim((0, 1), (-1, -2))


def _backward(torch, gy, x, w, window, groups, wanted):
    stride, pads, dilation = _geometry(window)
    rest = (None, stride, pads, dilation, False, [0] * len(stride), groups, wanted)
    return lambda: torch.ops.aten.convolution_backward(gy, x, w, *rest)


def _channel_filters(w):
    """(KH, KW, C, M) as PyTorch's (C * M, 1, KH, KW)."""
    return w.permute(2, 3, 0, 1).reshape(-1, 1, *w.shape[:2]).contiguous()


def depthwise(torch, x, w, window):
    x, w, (stride, pads, dilation) = first(x), _channel_filters(w), _geometry(window)
    return lambda: last(torch.nn.functional.conv2d(x, w, None, stride, pads, dilation, x.shape[1]))


def depthwise_grad_input(torch, gy, w, x_shape, window):
    x = first(gy.new_empty(x_shape))
    backward = _backward(torch, first(gy), x, _channel_filters(w), window, x_shape[-1], [True, False, False])
    return lambda: last(backward()[0])


def depthwise_grad_kernel(torch, x, gy, w_shape, window):
    w = _channel_filters(gy.new_empty(w_shape))
    backward = _backward(torch, first(gy), first(x), w, window, w_shape[2], [False, True, False])
    return lambda: backward()[1].reshape(*w_shape[2:], *w_shape[:2]).permute(2, 3, 0, 1)


def matmul(torch, a, b, transpose_a=False, transpose_b=False, bias=None, activation=None):
    a, b = a.T if transpose_a else a, b.T if transpose_b else b
    run = (lambda: a @ b) if bias is None else (lambda: torch.addmm(bias, a, b))
    return (lambda: torch.relu(run())) if activation == "relu" else run


def max_pool(torch, x, size, window):
    x, function = first(x), getattr(torch.nn.functional, f"max_pool{len(size)}d")
    return lambda: last(function(x, size, window.strides, return_indices=True)[0])


def max_pool_grad(torch, gy, where, x_shape, size, window):
    """The number of a maximum in its window as PyTorch's number in the image."""
    where, gy, x = first(where).long(), first(gy), first(gy.new_empty(x_shape))
    indices, rest = torch.zeros_like(where), where
    scale = 1
    for axis in reversed(range(len(size))):
        begin = torch.arange(gy.shape[2 + axis], device=gy.device) * window.strides[axis]
        begin = begin.reshape(-1, *[1] * (len(size) - 1 - axis))
        indices, rest = indices + (begin + rest % size[axis]) * scale, rest // size[axis]
        scale *= x_shape[1 + axis]
    backward = getattr(torch.ops.aten, f"max_pool{len(size)}d_with_indices_backward")
    options = (list(size), list(window.strides), [0] * len(size), [1] * len(size), False, indices)
    return lambda: last(backward(gy, x, *options))


def average_pool(torch, x, size, window):
    x, function = first(x), getattr(torch.nn.functional, f"avg_pool{len(size)}d")
    return lambda: last(function(x, size, window.strides))


def average_pool_grad(torch, gy, x_shape, size, window):
    gy, x = first(gy), first(gy.new_empty(x_shape))
    backward = getattr(torch.ops.aten, f"avg_pool{len(size)}d_backward")
    options = (list(size), list(window.strides), [0] * len(size), False, False, None)
    return lambda: last(backward(gy, x, *options))


def _gradient(torch: Any, function: Callable, sources: list, gy: Any) -> Callable:
    """The gradients of a function by its sources, through PyTorch's tape, which is kept."""
    sources = [source.detach().requires_grad_() for source in sources]
    y = function(*sources)
    return lambda: torch.autograd.grad(y, sources, gy, retain_graph=True)


def batch_norm(torch, x, gamma, beta, epsilon, activation=None):
    x = first(x)
    run = lambda: last(torch.nn.functional.batch_norm(x, None, None, gamma, beta, True, 0.1, epsilon))
    return (lambda: torch.relu(run())) if activation == "relu" else run


def batch_norm_infer(torch, x, mean, variance, gamma, beta, epsilon):
    x = first(x)
    return lambda: last(torch.nn.functional.batch_norm(x, mean, variance, gamma, beta, False, 0.1, epsilon))


def batch_norm_grad(torch, gy, x, gamma, beta, mean, inverse_std):
    """PyTorch's own kernel, because cuDNN's takes its statistics from a forward pass of its own."""
    gy, x = first(gy), first(x)
    backward = torch.ops.aten.native_batch_norm_backward
    rest = (gamma, None, None, mean, inverse_std, True, 1e-3, [True] * 3)

    def run():
        gx, ggamma, gbeta = backward(gy, x, *rest)
        return last(gx), ggamma, gbeta

    return run


def layer_norm(torch, x, gamma, beta, epsilon):
    return lambda: torch.nn.functional.layer_norm(x, gamma.shape, gamma, beta, epsilon)


def layer_norm_grad(torch, gy, x, gamma, mean, inverse_std):
    rest = (gamma.shape, mean, inverse_std, gamma, gamma, [True] * 3)
    return lambda: torch.ops.aten.native_layer_norm_backward(gy, x, *rest)


def group_norm(torch, x, gamma, beta, groups, epsilon):
    x = first(x)
    return lambda: last(torch.nn.functional.group_norm(x, groups, gamma, beta, epsilon))


def group_norm_grad(torch, gy, x, gamma, mean, inverse_std):
    gy, x = first(gy), first(x)
    sizes = x.shape[0], x.shape[1], x[0, 0].numel(), mean.shape[1]

    def run():
        gx, ggamma, gbeta = torch.ops.aten.native_group_norm_backward(
            gy, x, mean, inverse_std, gamma, *sizes, [True] * 3
        )
        return last(gx), ggamma, gbeta

    return run


def scale_shift(torch, x, scale, shift):
    return lambda: torch.addcmul(shift, x, scale)


def bias_grad(torch, gy):
    return lambda: gy.sum(tuple(range(gy.ndim - 1)))


def softmax(torch, x):
    return lambda: torch.softmax(x, -1)


def log_softmax(torch, x):
    return lambda: torch.log_softmax(x, -1)


def softmax_grad(torch, gy, y):
    return lambda: torch.ops.aten._softmax_backward_data(gy, y, -1, y.dtype)


def log_softmax_grad(torch, gy, y):
    return lambda: torch.ops.aten._log_softmax_backward_data(gy, y, -1, y.dtype)


def cross_entropy(torch, labels, logits):
    return lambda: torch.nn.functional.cross_entropy(logits, labels, reduction="none")


def sparse_cross_entropy(torch, labels, logits):
    return cross_entropy(torch, labels.long(), logits)


def cross_entropy_grad(torch, g, labels, logits):
    labels = labels if labels.is_floating_point() else labels.long()
    loss = lambda x: torch.nn.functional.cross_entropy(x, labels, reduction="none")
    gradient = _gradient(torch, loss, [logits], g)
    return lambda: gradient()[0]


ELEMENTWISE = {
    "add_relu": lambda torch, a, b: lambda: torch.relu(a + b),
    "relu_grad": lambda torch, gy, y: lambda: torch.ops.aten.threshold_backward(gy, y, 0),
    "relu6_grad": lambda torch, gy, y: lambda: torch.ops.aten.hardtanh_backward(gy, y, 0, 6),
    "sigmoid_grad": lambda torch, gy, y: lambda: torch.ops.aten.sigmoid_backward(gy, y),
    "tanh_grad": lambda torch, gy, y: lambda: torch.ops.aten.tanh_backward(gy, y),
}


def uniform(torch, shape, seed, low, high, device="cpu"):
    y = torch.empty(shape, device=device)
    return lambda: y.uniform_(low, high)


def dropout_mask(torch, shape, seed, rate, device="cpu"):
    y = torch.empty(shape, device=device, dtype=torch.bool)
    return lambda: y.bernoulli_(1 - rate)


def dropout(torch, x, shape, seed, rate):
    return lambda: torch.native_dropout(x, rate, True)


def masked_scale(torch, x, mask, scale):
    return lambda: torch.ops.aten.native_dropout_backward(x, mask, scale)


def _optimizer(kind, params, grads, states, **options):
    """A step of an optimizer whose state is given, parameter by parameter."""
    for p, g in zip(params, grads):
        p.grad = g
    made = kind(params, **options)
    for p, state in zip(params, states):
        made.state[p] = state

    def run():
        made.step()
        return tuple(params)

    return run


def sgd(torch, params, grads, rate):
    return _optimizer(torch.optim.SGD, params, grads, [], lr=rate, fused=True)


def momentum(torch, params, grads, moms, rate, momentum, nesterov=False):
    """PyTorch's momentum is Keras's divided by the negative rate."""
    states = [{"momentum_buffer": m / -rate} for m in moms]
    options = {"lr": rate, "momentum": momentum, "nesterov": nesterov, "fused": True}
    return _optimizer(torch.optim.SGD, params, grads, states, **options)


def adam(torch, params, grads, ms, vs, rate, beta_1, beta_2, epsilon, step):
    count = lambda p: torch.tensor(step - 1.0, device=p.device)
    states = [{"step": count(p), "exp_avg": m, "exp_avg_sq": v} for p, m, v in zip(params, ms, vs)]
    options = {"lr": rate, "betas": (beta_1, beta_2), "eps": epsilon, "fused": True}
    return _optimizer(torch.optim.Adam, params, grads, states, **options)


def rmsprop(torch, params, grads, vs, rate, rho, epsilon):
    states = [{"step": torch.tensor(2.0), "square_avg": v} for v in vs]
    return _optimizer(torch.optim.RMSprop, params, grads, states, lr=rate, alpha=rho, eps=epsilon, foreach=True)


def adagrad(torch, params, grads, sums, rate, epsilon):
    states = [{"step": torch.tensor(2.0), "sum": a} for a in sums]
    return _optimizer(torch.optim.Adagrad, params, grads, states, lr=rate, eps=epsilon, foreach=True)


def sum_of_squares(torch, grads):
    return lambda: torch.stack(torch._foreach_norm(grads)).square().sum().item()
