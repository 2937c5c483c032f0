"""A batch norm while training, as PyTorch defines it."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import torch
import torch.nn.functional as F

from batch_norm import EPS, write


def run(batches, gain, bias, mean, var, seed):
    x = [torch.tensor(b, requires_grad=True) for b in batches]
    gain, bias = (torch.tensor(v, requires_grad=True) for v in (gain, bias))
    mean, var = torch.tensor(mean), torch.tensor(var)
    for batch in x:
        y = F.batch_norm(batch, mean, var, gain, bias, training=True, momentum=0.1, eps=EPS)
    y.backward(torch.tensor(seed))
    return [y.detach().numpy(), *(t.grad.numpy() for t in (x[-1], gain, bias)), mean.numpy(), var.numpy()]


if __name__ == "__main__":
    write("pytorch", torch.__version__, run)
