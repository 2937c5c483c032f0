"""One peer, kept running, so that turns can alternate: `worker.py BACKEND THREADS`.

Says `ready VERSION` or `unavailable REASON`, then answers one line for each line read:

    run CASE    milliseconds: one run untimed, then the median of those that fit into 0.2 s
    check CASE  ten values of the output, to show that everybody computes the same; of a training
                step, its losses

See ../README.md for what is measured and why.
"""

import contextlib
import os
import statistics
import sys
import time

BUDGET_S, MOST_RUNS = 0.2, 20


def torch_backend(threads, channels_last=False, bf16=False):
    import torch
    import torch.nn.functional as F

    import networks

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    if bf16 and not torch.cpu._is_avx512_bf16_supported():
        raise RuntimeError("this CPU has no bf16 instructions: PyTorch would emulate them")
    form = torch.channels_last if channels_last else torch.contiguous_format

    def place(array):
        t = torch.from_numpy(array).to(torch.bfloat16 if bf16 else torch.float32)
        return t.contiguous(memory_format=form) if t.dim() == 4 else t

    def forward(steps, params, x, classes=None):
        kept = None
        for kind, *args in steps:
            if kind == "conv":
                w, b, stride, pad = args
                x = F.conv2d(x, params[w], params[b], stride, pad)
            elif kind == "conv same":  # TensorFlow's: an odd pixel is at the bottom and right
                w, groups, stride = args
                kernel, pad = params[w].shape[-1], params[w].shape[-1] // 2
                if stride > 1:
                    before = (kernel - stride) // 2
                    x, pad = F.pad(x, [before, kernel - stride - before] * 2), 0
                x = F.conv2d(x, params[w], params.get(w.replace("weight", "bias")), stride, pad, 1, groups)
            elif kind == "batch norm":
                weight, bias, mean, var = (params[f"{args[0]}.{part}"] for part in networks.NORM)
                x = F.batch_norm(x, mean, var, weight, bias, eps=1e-3)
            elif kind == "relu6":
                x = F.relu6(x)
            elif kind == "tanh":
                x = torch.tanh(x)
            elif kind == "classes":
                x = torch.cat([x, classes.expand(-1, -1, *x.shape[2:])], 1)
            elif kind == "mean":
                x = x.mean((2, 3))
            elif kind == "reflect":
                x = F.pad(x, [args[0]] * 4, mode="reflect")
            elif kind == "norm":
                x = F.instance_norm(x, weight=params[args[0]], bias=params[args[1]], eps=1e-5)
            elif kind == "relu":
                x = F.relu(x)
            elif kind == "keep":
                kept = x
            elif kind == "add":
                x = x + kept
            elif kind == "double":
                x = F.interpolate(x, scale_factor=2, mode="nearest")
            elif kind == "pool":
                x = F.max_pool2d(x, 2)
            elif kind == "flatten":
                x = x.flatten(1)
            elif kind == "dropout":
                x = F.dropout(x, 0.5, training=torch.is_grad_enabled())
            elif kind == "linear":
                x = F.linear(x, params[args[0]], params[args[1]])
        return x

    def load(net, x):
        params, x = {k: place(p) for k, p in net.params.items()}, place(x)
        classes = place(networks.classes(x.shape[0])) if net.is_told else None

        def run():
            with torch.inference_mode():
                return forward(net.steps, params, x, classes)

        return run, lambda y: y.float().numpy()

    def load_step(nets, x):
        import colour
        import step

        params = [{k: place(p).float() for k, p in net.params.items()} for net in nets]
        maker = colour if nets[0].is_told else step
        run = maker.make(forward, nets, params, (place(x).float(), bf16))
        return run, lambda losses: losses

    def load_classifier(net, x):
        import classify

        params = {k: place(p).float() for k, p in net.params.items()}
        run, check = classify.make(forward, net, params, (place(x).float(), bf16))
        return run, lambda _: check()

    def load_any(net, x):
        if not hasattr(net, "steps") and not isinstance(net, tuple):
            import cam

            return cam.make(net, place, x)
        if getattr(net, "is_classifier", False):
            return load_classifier(net, x)
        return load_step(net, x) if isinstance(net, tuple) else load(net, x)

    return f"PyTorch {torch.__version__}", load_any


def onnxruntime_backend(threads):
    import onnxruntime as ort

    import networks

    def load(net, x):
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        model = networks.to_onnx(net, x.shape)
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        inputs = {"input": x} | ({"classes": networks.classes(x.shape[0])} if net.is_told else {})
        return lambda: session.run(None, inputs)[0], lambda y: y

    return f"ONNX Runtime {ort.__version__}", load


def openvino_backend(threads, bf16=False):
    import openvino as ov

    import networks

    core = ov.Core()
    if bf16 and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise RuntimeError("this CPU has no bf16 instructions: OpenVINO would run float32")
    config = {
        "INFERENCE_PRECISION_HINT": "bf16" if bf16 else "f32",
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "CPU_DENORMALS_OPTIMIZATION": True,
    }

    def load(net, x):
        model = core.read_model(networks.to_onnx(net, x.shape))
        request = core.compile_model(model, "CPU", config).create_infer_request()
        arrays = [x] + ([networks.classes(x.shape[0])] if net.is_told else [])
        tensors = [ov.Tensor(array, shared_memory=True) for array in arrays]

        def run():
            request.infer(tensors)
            return request.get_output_tensor()

        return run, lambda y: y.data

    return f"OpenVINO {ov.__version__.split('-')[0]}", load


BACKENDS = {
    "torch": torch_backend,
    "torch-channels-last": lambda n: torch_backend(n, channels_last=True),
    "torch-bf16": lambda n: torch_backend(n, channels_last=True, bf16=True),
    "onnxruntime": onnxruntime_backend,
    "openvino": openvino_backend,
    "openvino-bf16": lambda n: openvino_backend(n, bf16=True),
}


def timed(run):
    run()
    times, start = [], time.perf_counter()
    while len(times) < MOST_RUNS and (not times or time.perf_counter() - start < BUDGET_S):
        before = time.perf_counter()
        run()
        times.append(time.perf_counter() - before)
    return f"{1e3 * statistics.median(times):.4f}"


def ten_values(y):
    """Or the losses of a training step."""
    if isinstance(y, list):
        return " ".join(f"{v:.6g}" for v in y)
    flat = y.reshape(-1)
    return " ".join(f"{flat[(2 * i + 1) * flat.size // 20]:.6g}" for i in range(10))


def main():
    backend, threads = sys.argv[1], int(sys.argv[2])
    os.environ["OMP_NUM_THREADS"] = str(threads)
    answers = os.fdopen(os.dup(1), "w", buffering=1)  # libraries chat on standard output
    os.dup2(2, 1)
    try:
        version, load = BACKENDS[backend](threads)
    except Exception as error:
        print(f"unavailable {error}".splitlines()[0], file=answers)
        return
    import networks

    loaded = {}
    print(f"ready {version}", file=answers)
    for line in sys.stdin:
        command, case = line.split()
        try:
            if case not in loaded:
                make, shape = networks.CASES[case]
                loaded[case] = load(make(), networks.picture(shape))
            run, to_numpy = loaded[case]
            answer = timed(run) if command == "run" else ten_values(to_numpy(run()))
        except Exception as error:
            answer = f"error {error}".splitlines()[0]
        print(answer, file=answers)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        main()
