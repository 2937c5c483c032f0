"""A step of training the colouring tutorial's full version, its classifier included."""

import numpy as np
import torch
import torch.nn.functional as F


WHITE = np.array([0.95047, 1, 1.08883])
XYZ = np.array([[0.412453, 0.35758, 0.180423], [0.212671, 0.71516, 0.072169], [0.019334, 0.119193, 0.950227]])


def lab(rgb):
    """scikit-image's rgb2lab of [N, 3, H, W] in 0..1, in float64."""
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    xyz = np.einsum("xc,nchw->nxhw", XYZ / WHITE[:, None], linear)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def grey(lightness):
    """The sRGB grey in 0..1 of a lightness."""
    f = (lightness + 16) / 116
    light = np.where(f > 0.2068966, f**3, (f - 16 / 116) / 7.787)
    return np.where(light > 0.0031308, 1.055 * light ** (1 / 2.4) - 0.055, light * 12.92)


def make(forward, net, params, picture):
    """`picture` is the photographs in -1..1, and whether to compute in bf16.

    What a program that trains could have made ready, Lab and the grey pictures as the classifier
    wants them, is made here, before the clock runs.
    """
    learnt, frozen = params
    x, bf16 = picture
    photographs = lab((x.double().numpy() + 1) / 2)
    form = torch.channels_last if x.is_contiguous(memory_format=torch.channels_last) else torch.contiguous_format
    place = lambda a: torch.from_numpy(np.ascontiguousarray(a, np.float32)).contiguous(memory_format=form)
    lightness, wanted = place(photographs[:, :1]), place(photographs[:, 1:] / 128)
    small = F.interpolate(torch.from_numpy(grey(photographs[:, :1])), size=(224, 224), mode="bilinear", antialias=True)
    seen = place((small.numpy().repeat(3, 1) * 255 - 127) / 128)
    for p in learnt.values():
        p.requires_grad_()
    optimizer = torch.optim.Adam(learnt.values(), lr=1e-3, eps=1e-7)

    def run():
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            with torch.no_grad():
                logits = forward(net[1].steps, frozen, seen)
            classes = torch.softmax(logits.float(), 1)[:, :, None, None]
            coloured = forward(net[0].steps, learnt, lightness, classes)
        loss = F.mse_loss(coloured.float(), wanted)
        loss.backward()
        optimizer.step()
        return [loss.item()]

    return run
