/// What is measured: the workers' name for it, and the table's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
}

/// The whole command on a photograph: only our own can run it.
pub(super) const COMMAND: &str = "command";

/// What only engines that go backwards have, and ours at its best level: a step of
/// training, a class activation map, filter patterns, colours of a large picture.
pub(super) const BACKWARDS: [&str; 6] =
    ["style-step", CLASSIFIER_STEP, COLOUR_STEP, GRAD_CAM, PATTERNS, LAB];

/// Of these, those that no peer has.
pub(super) const OURS_ALONE: [&str; 2] = [PATTERNS, LAB];

/// pytorch-grad-cam has it too, in float32.
pub(super) const GRAD_CAM: &str = "grad-cam";

/// Only our own makes them.
const PATTERNS: &str = "patterns";

/// A large picture to Lab and back.
const LAB: &str = "colour-lab-24";

/// A step of training the colouring tutorial's full version.
const COLOUR_STEP: &str = "colour-full-step";

/// A step of training the tutorial's cats-and-dogs network.
const CLASSIFIER_STEP: &str = "classifier-step";

const CASES: &[Case] = &[
    Case { name: "conv3x3", title: "3×3 128→128, 64²" },
    Case { name: "vgg16-batch1", title: "VGG16 to relu4_3, 256²" },
    Case { name: "vgg16-batch4", title: "the same, batch 4" },
    Case { name: "transformer-256", title: "TransformerNet 256²" },
    Case { name: "transformer-512", title: "512²" },
    Case { name: "transformer-1024", title: "1024²" },
    Case { name: "vgg16-224", title: "VGG16 to the last convolution, 224²" },
    Case { name: GRAD_CAM, title: "Grad-CAM on VGG16, 224²" },
    Case { name: PATTERNS, title: "64 patterns of VGG16's conv3_1, 40 steps at 64²" },
    Case { name: "style-step", title: "training step, batch 4, 256²" },
    Case { name: CLASSIFIER_STEP, title: "the tutorial's cats and dogs, batch 20, 150²" },
    Case { name: "colour-alpha-400", title: "colour alpha 400²" },
    Case { name: "colour-beta-256", title: "colour beta 256²" },
    Case { name: "colour-full-256", title: "colour full 256²" },
    Case { name: COLOUR_STEP, title: "full: training step, batch 20, 256²" },
    Case { name: LAB, title: "24 megapixels to Lab and back" },
    Case { name: COMMAND, title: "the command, 1024×680" },
];

/// The peers: `bench/peers/worker.py`'s name for each, and the table's.
pub(super) const PEERS: &[(&str, &str)] = &[
    ("openvino", "OpenVINO"),
    ("onnxruntime", "ONNX Runtime"),
    ("torch-channels-last", "PyTorch, channels last"),
    ("torch", "PyTorch, eager"),
    ("openvino-bf16", "OpenVINO, bf16"),
    ("torch-bf16", "PyTorch, bf16, channels last"),
];

/// The cases whose name contains `part`.
pub(super) fn matching(part: &str) -> Vec<Case> {
    CASES.iter().filter(|c| c.name.contains(part)).copied().collect()
}

/// All names, to be shown.
pub(super) fn names() -> String {
    CASES.iter().map(|c| c.name).collect::<Vec<_>>().join(", ")
}
