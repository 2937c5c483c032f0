"""A step of training the tutorial's cats-and-dogs network: RMSprop on binary cross-entropy."""

import torch
import torch.nn.functional as F


def make(forward, net, params, picture):
    """`picture` is the photographs in -1..1, and whether to compute in bf16.

    Every other one is a dog. The second function gives the loss of the first weights without
    dropout: what everybody computes alike.
    """
    x, bf16 = picture
    photographs = (x + 1) / 2
    labels = (torch.arange(x.shape[0]) % 2).float()
    where = lambda: torch.autocast("cpu", torch.bfloat16, enabled=bf16)

    def loss():
        with where():
            logits = forward(net.steps, params, photographs)
        return F.binary_cross_entropy_with_logits(logits[:, 0].float(), labels)

    with torch.no_grad():
        first = loss().item()
    for p in params.values():
        p.requires_grad_()
    optimizer = torch.optim.RMSprop(params.values(), lr=1e-4, alpha=0.9, eps=1e-7)

    def run():
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return run, lambda: [first]
