"""Losses and their gradients, as PyTorch defines them."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import torch
import torch.nn.functional as F

from record import SMOOTHING, draw, labels, targets, write


def judged(loss, x):
    x = torch.tensor(x, requires_grad=True)
    value = loss(x)
    value.backward()
    return value.item(), x.grad.numpy()


if __name__ == "__main__":
    results, label = {}, torch.tensor(labels())
    for smoothing in SMOOTHING:
        results[f"cross entropy {smoothing}"] = judged(
            lambda x: F.cross_entropy(x, label, label_smoothing=smoothing), draw("logits"))
    target, other = torch.tensor(targets()), torch.tensor(draw("other"))
    results["binary 0.0"] = judged(lambda x: F.binary_cross_entropy_with_logits(x, target), draw("logits"))
    results["absolute"] = judged(lambda x: F.l1_loss(x, other), draw("logits"))
    results["squared"] = judged(lambda x: F.mse_loss(x, other), draw("logits"))
    write("pytorch", torch.__version__, results)
