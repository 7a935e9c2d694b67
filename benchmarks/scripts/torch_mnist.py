"""The script `keras_mnist.py` as people write it for PyTorch."""

import numpy as np
import torch
from torch import nn

x = np.random.default_rng(0).random((6400, 28, 28, 1), dtype="float32")
y = torch.from_numpy((10 * x.mean((1, 2, 3))).astype("int64"))
x = torch.from_numpy(x).permute(0, 3, 1, 2)
model = nn.Sequential(
    *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
    *(nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10)),
).to(memory_format=torch.channels_last)
optimizer = torch.optim.Adam(model.parameters(), fused=True)
for rows in torch.randperm(len(x)).split(128):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
    loss.backward()
    optimizer.step()
