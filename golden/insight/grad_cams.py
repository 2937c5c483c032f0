"""What pytorch-grad-cam says of a network: what the scripts of this folder and of `large` share."""

import numpy as np
import pytorch_grad_cam as cams
import safetensors.numpy
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from pytorch_grad_cam.utils.svd_on_activations import get_2d_projection

METHODS = {
    "grad-cam": cams.GradCAM,
    "grad-cam++": cams.GradCAMPlusPlus,
    "hires-cam": cams.HiResCAM,
    "layer-cam": cams.LayerCAM,
    "xgrad-cam": cams.XGradCAM,
    "score-cam": cams.ScoreCAM,
    "ablation-cam": cams.AblationCAM,
}


def found(name, model, layer, x, klass):
    """A class's map at a layer, at the size of the picture."""
    with METHODS[name](model=model, target_layers=[layer]) as cam:
        cam.batch_size = 16
        return cam(x, [ClassifierOutputTarget(int(klass))])[0]


def eigen_cams(model, layer, x):
    """EigenCAM with either sign: it is LAPACK's."""
    held = {}
    handle = layer.register_forward_hook(lambda m, i, o: held.update(o=o.detach().numpy()))
    model(x)
    handle.remove()
    flat = get_2d_projection(held["o"])
    size = tuple(x.shape[2:])
    scaled = lambda projection: scale_cam_image(np.maximum(scale_cam_image(np.maximum(projection, 0), size), 0))[0]
    return {"eigen-cam+": scaled(flat), "eigen-cam-": scaled(-flat)}


def guided_gradient(model, x, klass):
    """Channels first."""
    return cams.GuidedBackpropReLUModel(model=model)(x.clone(), target_category=int(klass)).transpose(2, 0, 1)


def save(tensors, path, metadata=None):
    ready = {name: np.ascontiguousarray(np.asarray(value, np.float32)) for name, value in tensors.items()}
    safetensors.numpy.save_file(ready, path, metadata)
