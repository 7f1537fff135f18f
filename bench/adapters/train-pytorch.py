"""Training steps of MobileNet V1 in PyTorch. Reads orders as lines of JSON, answers each with a line of JSON."""

import json
import sys

import numpy as np
import torch
import torch.nn.functional as F

from pytorch import read_safetensors, time_runs


def unit(layer, tensors, epsilon):
    """The modules of a layer: a convolution without bias, batch norm, relu6; or the pool, or the classifier."""
    kind, name = layer["type"], layer["name"]
    if kind == "pool":
        return [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()]
    channels, filters = layer["inChannels"], layer["outChannels"]
    if kind == "classifier":
        dense = torch.nn.Linear(channels, filters)
        dense.weight.data = tensor(tensors[f"{name}/kernel"].reshape(channels, filters).T)
        dense.bias.data = tensor(tensors[f"{name}/bias"])
        return [dense]
    is_depthwise = kind == "depthwise"
    side = layer["kernel"]
    groups = channels if is_depthwise else 1
    convolution = torch.nn.Conv2d(channels, filters, side, layer["stride"], side // 2, groups=groups, bias=False)
    kernel = tensors[f"{name}/{'depthwise_kernel' if is_depthwise else 'kernel'}"]
    convolution.weight.data = tensor(np.transpose(kernel, (2, 3, 0, 1) if is_depthwise else (3, 2, 0, 1)))
    norm = torch.nn.BatchNorm2d(filters, epsilon)
    norm.weight.data = tensor(tensors[f"{name}_bn/gamma"])
    norm.bias.data = tensor(tensors[f"{name}_bn/beta"])
    return [convolution, norm, torch.nn.ReLU6(inplace=True)]


def tensor(array):
    return torch.from_numpy(np.array(array, order="C"))


def load(order):
    """A function that makes a step and returns its loss."""
    torch.set_num_threads(order["threads"])
    torch.set_num_interop_threads(1)
    layout = torch.channels_last if order["isChannelsLast"] else torch.contiguous_format
    tensors = read_safetensors(order["weights"])
    modules = [module for layer in order["layers"] for module in unit(layer, tensors, order["epsilon"])]
    network = torch.nn.Sequential(*modules).train().to(memory_format=layout)
    side = order["layers"][0]["inSize"]
    images = torch.from_numpy(np.fromfile(order["image"], np.float32).reshape(order["batch"], side, side, 3))
    x = images.permute(0, 3, 1, 2).contiguous(memory_format=layout)
    labels = torch.from_numpy(np.fromfile(order["labels"], np.int32)).long()
    optimizer = torch.optim.SGD(network.parameters(), order["rate"], momentum=order["momentum"])

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(network(x), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def main():
    step = None
    for line in sys.stdin:
        order = json.loads(line)
        if order["order"] == "load":
            step = load(order)
            answer = {}
        elif order["order"] == "run":
            answer = {"loss": step()}
        else:
            answer = {"times": time_runs(step, order["least"], order["wakeMs"], order["ms"])}
        print(json.dumps(answer), flush=True)


main()
