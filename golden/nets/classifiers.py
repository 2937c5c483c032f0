"""The classifiers that PyTorch is the reference for: torchvision's own, and
EfficientNet-Lite0 of the package efficientnet_lite_pytorch."""

import torch
import torchvision
from efficientnet_lite_pytorch import EfficientNet
from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

import record as r


def torchvisions(name):
    """A classifier of torchvision, giving what every node of its graph gives."""
    model = torchvision.models.get_model(name, weights=None)
    for module in model.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
        if isinstance(module, torchvision.ops.Conv2dNormActivation):
            module.__class__ = torch.nn.Sequential  # or it would be one node
    return model, lambda node: node


def vgg(depth):
    """With the names of pytorch_nets.py: `conv1_1`, `relu1_1`, …, `pool5` for `features`."""
    model, _ = torchvisions(f"vgg{depth}")
    names, block, layer = {}, 1, 1
    for i, module in enumerate(model.features):
        kind = type(module).__name__
        if kind == "MaxPool2d":
            names[f"features.{i}"] = f"pool{block}"
            block, layer = block + 1, 1
        else:
            names[f"features.{i}"] = {"Conv2d": "conv", "ReLU": "relu"}[kind] + f"{block}_{layer}"
            layer += kind == "ReLU"
    return model, lambda node: names.get(node, node)


def efficientnet_lite0():
    """With its padding made for the picture at hand, not for 224 pixels."""
    model = EfficientNet.from_name("efficientnet-lite0", image_size=None)
    names = {"_swish": "stem", "_swish_1": "head", "_avg_pooling": "pool"}
    for i, block in enumerate(model._blocks):
        args = block._block_args
        has_sum = args.stride == 1 and args.input_filters == args.output_filters
        names[f"_blocks.{i}.{'add' if has_sum else '_bn2'}"] = f"blocks.{i}"
    return model, lambda node: names.get(node, node)


def leaves(model):
    """Modules to be looked at from outside only: convolutions that pad by themselves."""
    return [type(m) for m in model.modules() if isinstance(m, torch.nn.Conv2d)]


NO_TAPS = {"getattr", "getitem", "size", "view"}


def network(model, rename):
    """In float64 on random float32 weights; a run gives every layer's output, the last last."""
    shapes = {k: v.shape for k, v in model.state_dict().items() if v.is_floating_point()}
    weights = r.random_weights(shapes.items())
    left = model.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()}, strict=False)
    assert all(k.endswith("num_batches_tracked") for k in left.missing_keys), left
    how = dict(leaf_modules=leaves(model))
    _, nodes = get_graph_node_names(model, how)
    nodes = {n: rename(n) for n in nodes[1:] if n.split(".")[-1].strip("_0123456789") not in NO_TAPS}
    taps = create_feature_extractor(model.double().eval(), nodes, tracer_kwargs=how)

    def run(picture):
        with torch.no_grad():
            return {k: v.numpy() for k, v in taps(torch.from_numpy(picture).double()).items()}

    return run
