"""A step of fast style training as pytorch/examples takes it: the losses before it."""

import torch
import torch.nn.functional as F

import common
import networks

STYLE, CONTENT = [3, 8, 15, 22], 8  # steps of networks.vgg16 that end relu1_2, 2_2, 3_3 and 4_3
STYLE_WEIGHT, CONTENT_WEIGHT = 1e10, 1e5
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def gram(x):
    n, c, h, w = x.shape
    x = x.reshape(n, c, h * w)
    return x @ x.transpose(1, 2) / (c * h * w)


def make(forward, nets, params, picture):
    """`picture` is the photographs in -1..1, and whether to compute in bf16."""
    (painter, looker), (learnt, frozen), (x, bf16) = nets, params, picture
    photographs = (x + 1) / 2
    painting = torch.from_numpy(common.signed(common.named(networks.SEED, "painting"), (1, 3, 256, 256)))
    painting = (painting + 1) / 2
    for p in learnt.values():
        p.requires_grad_()
    optimizer = torch.optim.Adam(learnt.values(), lr=1e-3)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
    where = lambda: torch.autocast("cpu", torch.bfloat16, enabled=bf16)

    def features(x, last):
        x, found = (x - mean) / std, {}
        for i, step in enumerate(looker.steps[: last + 1]):
            x = forward([step], frozen, x)
            found[i] = x
        return found

    with torch.no_grad(), where():
        found = features(painting, STYLE[-1])
        targets = [gram(found[i].float()) for i in STYLE]

    def run():
        optimizer.zero_grad()
        with where():
            painted = forward(painter.steps, learnt, photographs * 255) / 255
            seen = features(painted, STYLE[-1])
            with torch.no_grad():
                wanted = features(photographs, CONTENT)[CONTENT]
            content = CONTENT_WEIGHT * F.mse_loss(seen[CONTENT].float(), wanted.float())
            grams = [gram(seen[i].float()) for i in STYLE]
            style = STYLE_WEIGHT * sum(F.mse_loss(g, t.expand_as(g)) for g, t in zip(grams, targets))
        (content + style).backward()
        optimizer.step()
        return [content.item(), style.item()]

    return run
