"""Trains the first shipped style, until Pentimento's own trainer exists.

The network is pytorch/examples `fast_neural_style`'s TransformerNet (1,679,235
parameters); the loss is VGG16's: content at relu2_2, Gram matrices at relu1_2,
relu2_2, relu3_3 and relu4_3, total variation on the output.

    python train.py --style starry_night.jpg --photos DIR --vgg vgg16_features.safetensors \
        --out starry-night.pt --steps 2500

Needs torch, safetensors and pillow from PyPI. One photograph in fifty is kept out.
"""

import argparse
import math
import os
import random
import time

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from torch import nn

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


class ConvLayer(nn.Module):
    def __init__(self, cin, cout, kernel, stride, upsample=None):
        super().__init__()
        self.upsample = upsample
        self.pad = nn.ReflectionPad2d(kernel // 2)
        self.conv2d = nn.Conv2d(cin, cout, kernel, stride)

    def forward(self, x):
        if self.upsample:
            x = F.interpolate(x, scale_factor=self.upsample, mode="nearest")
        return self.conv2d(self.pad(x))


class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv1, self.in1 = ConvLayer(c, c, 3, 1), nn.InstanceNorm2d(c, affine=True)
        self.conv2, self.in2 = ConvLayer(c, c, 3, 1), nn.InstanceNorm2d(c, affine=True)

    def forward(self, x):
        return x + self.in2(self.conv2(F.relu(self.in1(self.conv1(x)))))


class TransformerNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.in1 = ConvLayer(3, 32, 9, 1), nn.InstanceNorm2d(32, affine=True)
        self.conv2, self.in2 = ConvLayer(32, 64, 3, 2), nn.InstanceNorm2d(64, affine=True)
        self.conv3, self.in3 = ConvLayer(64, 128, 3, 2), nn.InstanceNorm2d(128, affine=True)
        self.res1, self.res2, self.res3 = Residual(128), Residual(128), Residual(128)
        self.res4, self.res5 = Residual(128), Residual(128)
        self.deconv1, self.in4 = ConvLayer(128, 64, 3, 1, 2), nn.InstanceNorm2d(64, affine=True)
        self.deconv2, self.in5 = ConvLayer(64, 32, 3, 1, 2), nn.InstanceNorm2d(32, affine=True)
        self.deconv3 = ConvLayer(32, 3, 9, 1)

    def forward(self, x):
        x = F.relu(self.in1(self.conv1(x)))
        x = F.relu(self.in2(self.conv2(x)))
        x = F.relu(self.in3(self.conv3(x)))
        for block in (self.res1, self.res2, self.res3, self.res4, self.res5):
            x = block(x)
        x = F.relu(self.in4(self.deconv1(x)))
        x = F.relu(self.in5(self.deconv2(x)))
        return self.deconv3(x)


class Vgg16(nn.Module):
    """torchvision's `features` to relu4_3; taps after the ReLU that ends each block."""

    PLAN = [(0, 2), (2, 0), (5, 0), (7, 1), (10, 0), (12, 0), (14, 2), (17, 0), (19, 0), (21, 3)]
    POOL_AFTER = {2, 7, 14}

    def __init__(self, file):
        super().__init__()
        weights = load_file(file)
        self.layers = []
        for index, _ in self.PLAN:
            w = weights[f"features.{index}.weight"].float()
            b = weights[f"features.{index}.bias"].float()
            self.layers.append((index, w, b))

    def forward(self, x):
        taps = []
        x = (x / 255 - MEAN) / STD
        for index, w, b in self.layers:
            x = F.relu(F.conv2d(x, w, b, padding=1))
            if index in (2, 7, 14, 21):
                taps.append(x)
            if index in self.POOL_AFTER:
                x = F.max_pool2d(x, 2)
        return taps


def gram(x):
    n, c, h, w = x.shape
    f = x.view(n, c, h * w)
    return f @ f.transpose(1, 2) / (c * h * w)


def load(path, size, crop):
    image = Image.open(path).convert("RGB")
    scale = size / min(image.size)
    image = image.resize([max(size, round(s * scale)) for s in image.size], Image.LANCZOS)
    if crop:
        x, y = random.randint(0, image.width - size), random.randint(0, image.height - size)
        image = image.crop((x, y, x + size, y + size))
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--style", required=True)
    p.add_argument("--photos", required=True)
    p.add_argument("--vgg", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--steps", type=int, default=2500)
    p.add_argument("--size", type=int, default=176)
    p.add_argument("--style-size", type=int, default=320)
    p.add_argument("--batch", type=int, default=2)
    p.add_argument("--style-weight", type=float, default=2.2e10)
    p.add_argument("--tv-weight", type=float, default=5e-2)
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--init", help="go on from the weights of an earlier run")
    p.add_argument("--rate", type=float, default=1e-3, help="highest learning rate")
    a = p.parse_args()
    torch.manual_seed(a.seed)
    random.seed(a.seed)
    torch.set_num_threads(a.threads)
    torch.set_flush_denormal(True)

    photos = sorted(
        os.path.join(d, f) for d, _, fs in os.walk(a.photos) for f in fs if f.lower().endswith((".jpg", ".jpeg", ".png"))
    )
    held_out, training = photos[::50], [f for i, f in enumerate(photos) if i % 50]
    print(f"{len(training)} photographs, {len(held_out)} kept out", flush=True)
    net, vgg = TransformerNet(), Vgg16(a.vgg)
    if a.init:
        net.load_state_dict(torch.load(a.init))
    net = net.to(memory_format=torch.channels_last)
    with torch.no_grad():
        targets = [gram(t) for t in vgg(load(a.style, a.style_size, False)[None])]
    opt = torch.optim.Adam(net.parameters(), 1e-3)
    start = time.time()

    def losses(x):
        y = net(x)
        with torch.no_grad():
            content_target = vgg(x)[1]
        ty = vgg(y)
        content = 1e5 * F.mse_loss(ty[1], content_target)
        style = a.style_weight * sum(F.mse_loss(gram(t), g.expand(len(x), -1, -1)) for t, g in zip(ty, targets))
        tv = a.tv_weight * ((y[..., 1:] - y[..., :-1]).abs().mean() + (y[..., 1:, :] - y[..., :-1, :]).abs().mean())
        return content, style, 1e5 * tv

    for step in range(a.steps):
        for g in opt.param_groups:
            warm = min(1, (step + 1) / 20)
            g["lr"] = a.rate * warm * (0.04 + 0.96 * 0.5 * (1 + math.cos(math.pi * step / a.steps)))
        x = torch.stack([load(random.choice(training), a.size, True) for _ in range(a.batch)])
        parts = losses(x.contiguous(memory_format=torch.channels_last))
        opt.zero_grad()
        sum(parts).backward()
        opt.step()
        if step % 25 == 0 or step == a.steps - 1:
            c, s, t = (float(v.detach()) for v in parts)
            print(f"step {step} content {c:.4g} style {s:.4g} tv {t:.4g} {time.time() - start:.0f} s", flush=True)
        if step % 100 == 99 or step == a.steps - 1:
            torch.save(net.state_dict(), a.out + ".tmp")
            os.replace(a.out + ".tmp", a.out)
    net.eval()
    with torch.no_grad():
        total = [losses(load(f, 256, True)[None]) for f in held_out[:50]]
    mean = [sum(float(t[i]) for t in total) / len(total) for i in range(3)]
    print(f"kept-out photographs: content {mean[0]:.4g} style {mean[1]:.4g} tv {mean[2]:.4g}", flush=True)


if __name__ == "__main__":
    main()
