"""The small network of net.py in PyTorch, with its weights, in float64."""

import numpy as np
import torch
from torch import nn

import net


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.relu1 = nn.Conv2d(3, 8, 3, padding=1), nn.ReLU()
        self.conv2, self.bn2, self.relu2 = nn.Conv2d(8, 12, 3, 2, 1), nn.BatchNorm2d(12), nn.ReLU()
        self.conv3, self.relu3 = nn.Conv2d(12, 12, 3, padding=1), nn.ReLU()
        self.conv4, self.relu4 = nn.Conv2d(12, 12, 3, padding=1), nn.ReLU()
        self.pool4 = nn.MaxPool2d(2)
        self.conv5, self.relu5 = nn.Conv2d(12, 16, 3, padding=1), nn.ReLU()
        self.pool5 = nn.MaxPool2d(2)
        self.fc1, self.relu6, self.fc2 = nn.Linear(256, 20), nn.ReLU(), nn.Linear(20, 5)

    def forward(self, x):
        x = self.relu1(self.conv1(x))
        x = self.relu2(self.bn2(self.conv2(x)))
        x = self.relu4(x + self.conv4(self.relu3(self.conv3(x))))
        x = self.relu5(self.conv5(self.pool4(x)))
        return self.fc2(self.relu6(self.fc1(self.pool5(x).flatten(1))))


def model():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    made = Net().eval()
    weights = {name: torch.from_numpy(value) for name, value in net.parameters().items()}
    weights["bn2.num_batches_tracked"] = torch.tensor(0)
    made.load_state_dict(weights)
    return made


def picture():
    return torch.from_numpy(net.picture().astype(np.float64))
