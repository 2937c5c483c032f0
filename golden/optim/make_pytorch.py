"""Writes what PyTorch's optimisers, schedules, clipping, averages and L-BFGS do, in float64."""

import sys
from pathlib import Path
from unittest import mock

sys.path.append(str(Path(__file__).parents[1]))

import numpy as np
import torch
from torch import optim as o
from torch.optim import lr_scheduler as schedulers
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn

from record import gradients, parameters, run, write

ADAM = lambda **settings: lambda p: o.Adam(p, **settings)
RMSPROP = lambda **settings: lambda p: o.RMSprop(p, **settings)
SGD = lambda **settings: lambda p: o.SGD(p, **settings)


class Muon:
    """Muon for matrices and Adam for the others, in float64 where PyTorch has bfloat16."""

    def __init__(self, parameters, **settings):
        parameters = list(parameters)
        matrices = [p for p in parameters if p.ndim == 2]
        self.muon = o.Muon(matrices, adjust_lr_fn="match_rms_adamw", **settings)
        self.adam = o.Adam([p for p in parameters if p.ndim != 2])

    def step(self):
        with mock.patch.object(torch, "bfloat16", torch.float64):
            self.muon.step()
        self.adam.step()


MUON = lambda **settings: lambda p: Muon(p, **settings)

RULES = {
    "adam": ADAM(),
    "adam fast": ADAM(lr=0.01, betas=(0.5, 0.9)),
    "adam l2": ADAM(weight_decay=0.1),
    "adamw": lambda p: o.AdamW(p),
    "adamw strong": lambda p: o.AdamW(p, lr=0.01, weight_decay=0.5),
    "muon": MUON(weight_decay=0),
    "muon fast": MUON(lr=0.01, momentum=0.8, weight_decay=0.5),
    "rmsprop": RMSPROP(),
    "rmsprop momentum": RMSPROP(lr=0.001, alpha=0.9, momentum=0.9, weight_decay=0.01),
    "sgd": SGD(),
    "sgd momentum": SGD(lr=0.01, momentum=0.9, weight_decay=0.1),
    "sgd nesterov": SGD(lr=0.01, momentum=0.9, nesterov=True),
}
STAIRCASE = SGD(lr=0.01, momentum=0.9)


class Model(torch.nn.Module):
    def __init__(self, values):
        super().__init__()
        self.values = torch.nn.ParameterList(torch.from_numpy(v) for v in values)


def rule(make, schedule=None, clip=None, average=None):
    def start(values):
        model = Model(values)
        optimizer = make(model.parameters())
        averaged = AveragedModel(model, avg_fn=average[0]) if average else model
        return model, optimizer, schedule and schedule(optimizer), averaged

    def step(state, gradients, _):
        model, optimizer, schedule, averaged = state
        for p, g in zip(model.parameters(), gradients):
            p.grad = torch.from_numpy(g)
        if clip:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        if schedule:
            schedule.step()
        if average:
            averaged.update_parameters(model)
        return [p.detach().numpy().copy() for p in averaged.parameters()]

    return run(start, step)


def rates(schedule):
    optimizer = o.SGD([torch.zeros(1)], lr=0.1)
    schedule, found = schedule(optimizer), []
    for _ in range(70):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return np.array(found)


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def quadratic(x):
    i = torch.arange(len(x), dtype=x.dtype)
    return 0.5 * ((1 + i) * (x - i / 16) ** 2).sum()


def rosenbrock_start(n):
    return np.where(np.arange(n) % 2 == 0, -1.25, 1.0)


LBFGS = {
    "lbfgs rosenbrock": (rosenbrock, rosenbrock_start(2), 1,
                         dict(max_iter=100, line_search_fn="strong_wolfe")),
    "lbfgs rosenbrock 12": (rosenbrock, rosenbrock_start(12), 3,
                            dict(max_iter=8, history_size=5, line_search_fn="strong_wolfe")),
    "lbfgs short of looks": (rosenbrock, rosenbrock_start(4), 6,
                             dict(max_iter=4, max_eval=4, history_size=10,
                                  line_search_fn="strong_wolfe")),
    "lbfgs far too far": (rosenbrock, rosenbrock_start(12), 1,
                          dict(lr=100, max_iter=14, max_eval=60, history_size=5,
                               line_search_fn="strong_wolfe")),
    "lbfgs quadratic": (quadratic, np.full(30, 2.0), 1, dict(max_iter=40)),
    "lbfgs quadratic history 4": (quadratic, np.full(30, 2.0), 4,
                                  dict(lr=0.5, max_iter=10, history_size=4)),
}


def lbfgs(f, start, calls, settings):
    """Every point at which the function was asked for, and then where it ended."""
    x, asked = torch.from_numpy(start.astype(np.float64)).requires_grad_(), []
    optimizer = o.LBFGS([x], **settings)

    def closure():
        asked.append(x.detach().numpy().copy())
        optimizer.zero_grad()
        loss = f(x)
        loss.backward()
        return loss

    for _ in range(calls):
        optimizer.step(closure)
    return np.stack([*asked, x.detach().numpy()])


def trajectory(name):
    """Refuses a trajectory that enlarges roundings so much that two right ones would differ.

    Starts 2**-40 apart, 2**13 roundings of float64, must not come further apart than one rounding
    of float32.
    """
    f, start, calls, settings = LBFGS[name]
    exact = lbfgs(f, start, calls, settings)
    for sign in (1, -1):
        other = lbfgs(f, start * (1 + sign * 2.0**-40), calls, settings)
        assert other.shape == exact.shape, name
        apart = np.abs(other - exact).max()
        print(name, exact.shape, "apart", apart)
        assert apart < 2.0**-24 * np.abs(exact).max(), (name, apart)
    return exact


def norms():
    found = []
    for step in range(1, 5):
        ps = [torch.zeros(p.shape, dtype=torch.float64, requires_grad=True) for p in parameters()]
        for p, g in zip(ps, gradients(step)):
            p.grad = torch.from_numpy(g.astype(np.float64))
        found.append(float(torch.nn.utils.clip_grad_norm_(ps, 1.0)))
    return np.array(found)


results = {name: rule(make) for name, make in RULES.items()}
results["sgd momentum staircase"] = rule(STAIRCASE, lambda opt: schedulers.StepLR(opt, 30, 0.5))
results["sgd clipped"] = rule(SGD(lr=0.01), clip=1.0)
results["average mean"] = rule(SGD(lr=0.01), average=[None])
results["average exponential"] = rule(SGD(lr=0.01), average=[get_ema_avg_fn(0.9)])
results["norms"] = norms()
results["schedule steps"] = rates(lambda opt: schedulers.StepLR(opt, 10, 0.5))
results["schedule exponential"] = rates(lambda opt: schedulers.ExponentialLR(opt, 0.95))
results["schedule cosine"] = rates(lambda opt: schedulers.CosineAnnealingLR(opt, 69, 0.01))
results.update((name, trajectory(name)) for name in LBFGS)
write("pytorch", torch.__version__, results)
