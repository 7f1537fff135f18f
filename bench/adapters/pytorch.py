"""MobileNet V1 in PyTorch. Reads orders as lines of JSON, answers each with a line of JSON."""

import json
import struct
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F


def read_safetensors(path):
    """Name to array, from a file of float32 alone."""
    with open(path, "rb") as file:
        raw = file.read()
    start = 8 + struct.unpack("<Q", raw[:8])[0]
    tensors = {}
    for name, entry in json.loads(raw[8:start]).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(raw[start + begin : start + end], np.float32).reshape(entry["shape"])
    return tensors


class Convolution(torch.nn.Module):
    """One convolution with bias and, but for the classifier, relu6."""

    def __init__(self, layer, kernel, bias):
        super().__init__()
        is_depthwise = layer["type"] == "depthwise"
        self.stride = layer["stride"]
        self.groups = layer["inChannels"] if is_depthwise else 1
        self.is_clamped = layer["type"] != "classifier"
        missing = (layer["outSize"] - 1) * self.stride + layer["kernel"] - layer["inSize"]
        before = max(0, missing) // 2
        after = max(0, missing) - before
        self.padding = before if before == after else 0
        # An uneven window, of TensorFlow's "same", is one that conv2d does not know.
        self.edges = None if before == after else (before, after, before, after)
        order = (2, 3, 0, 1) if is_depthwise else (3, 2, 0, 1)
        self.kernel = torch.nn.Parameter(torch.from_numpy(np.ascontiguousarray(np.transpose(kernel, order))))
        self.bias = torch.nn.Parameter(torch.from_numpy(bias.copy()))

    def forward(self, x):
        if self.edges is not None:
            x = F.pad(x, self.edges)
        x = F.conv2d(x, self.kernel, self.bias, self.stride, self.padding, 1, self.groups)
        return F.relu6(x, inplace=True) if self.is_clamped else x


class Pool(torch.nn.Module):
    """The mean of every channel."""

    def forward(self, x):
        return x.mean((2, 3), keepdim=True)


def module_of(layer, tensors):
    if layer["type"] == "pool":
        return Pool()
    kernel = "depthwise_kernel" if layer["type"] == "depthwise" else "kernel"
    return Convolution(layer, tensors[f"{layer['name']}/{kernel}"], tensors[f"{layer['name']}/bias"])


def load(order):
    """The network and its input, on so many threads."""
    torch.set_num_threads(order["threads"])
    torch.set_num_interop_threads(1)
    layout = torch.channels_last if order["isChannelsLast"] else torch.contiguous_format
    tensors = read_safetensors(order["weights"])
    network = torch.nn.Sequential(*[module_of(layer, tensors) for layer in order["layers"]], torch.nn.Flatten())
    network = network.eval().to(memory_format=layout)
    side = order["layers"][0]["inSize"]
    image = torch.from_numpy(np.fromfile(order["image"], np.float32).reshape(1, side, side, 3))
    return network, image.permute(0, 3, 1, 2).contiguous(memory_format=layout)


def time_runs(run, least, wake_ms, ms):
    """As the harness does: untold runs first, then so many and for so long, each timed."""

    def since(start):
        return (time.perf_counter() - start) * 1000

    woken = time.perf_counter()
    while since(woken) < wake_ms:
        run()
    times = []
    start = time.perf_counter()
    while len(times) < least or since(start) < ms:
        before = time.perf_counter()
        run()
        times.append(since(before))
    return times


def main():
    network = x = None
    with torch.no_grad():
        for line in sys.stdin:
            order = json.loads(line)
            if order["order"] == "load":
                network, x = load(order)
                answer = {}
            elif order["order"] == "run":
                answer = {"logits": network(x)[0].tolist()}
            else:
                answer = {"times": time_runs(lambda: network(x), order["least"], order["wakeMs"], order["ms"])}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
