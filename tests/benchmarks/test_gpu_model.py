"""The model of time, by hand on a device with round numbers."""

from collections import Counter
from dataclasses import replace

import pytest
from gpu._kernels import Kernel
from gpu._model import kernel_seconds, limit_seconds, model_seconds
from gpu._table import longest, page
from gpu._target import DEVICES, Device

DEVICE = Device("slow", bandwidth=100, memory=1000, peaks={"fp32": 10.0, "elementwise": 5.0})
MOVING = Kernel("moving", "copy", read=150, written=50)
BUSY = Kernel("busy", "product", 150, 50, Counter(fp32=50, elementwise=20), times=3)


def test_a_kernel_takes_the_longer_of_moving_and_computing():
    assert kernel_seconds(MOVING, DEVICE) == 2
    assert kernel_seconds(BUSY, DEVICE) == 5
    assert kernel_seconds(replace(BUSY, operations=Counter(fp32=10)), DEVICE) == 2
    assert kernel_seconds(replace(BUSY, operations=Counter(elementwise=35)), DEVICE) == 7


def test_a_program_takes_the_sum_and_its_launches():
    assert limit_seconds([MOVING, BUSY], DEVICE) == 2 + 3 * 5
    assert model_seconds([MOVING, BUSY], DEVICE, launch=0.5) == 2 + 3 * 5 + 4 * 0.5


def test_a_device_of_more_bandwidth_moves_faster_and_computes_no_faster():
    h100, h200 = DEVICES["h100"], DEVICES["h200"]
    copy = Kernel("copy", "copy", 2**30, 2**30)
    product = replace(copy, operations=Counter(fp32=67 * 10**12))
    assert kernel_seconds(copy, h100) / kernel_seconds(copy, h200) == pytest.approx(4.8 / 3.35232)
    assert kernel_seconds(product, h100) == kernel_seconds(product, h200) == 1


@pytest.mark.parametrize("device", DEVICES.values())
def test_a_device_is_described_by_its_numbers(device):
    assert f"memory_bandwidth: {device.bandwidth} " in device.description
    assert f"device_memory_size: {device.memory} " in device.description
    assert "%" not in device.description


def test_the_longest_kernels_come_first():
    lines = longest([MOVING, BUSY], DEVICE, 1)
    assert len(lines) == 1
    assert "busy" in lines[0]
    assert "3 x" in lines[0]


def test_the_page():
    row = {
        "name": "small",
        "title": "convolution, small",
        "kernels": {"product": 3, "copy": 1, "sort": 2},
        "moved": 2**20,
        "operations": {"fp32": 2 * 10**9, "elementwise": 10**9},
        "temporary": 2**21,
        "limit": 1e-3,
        "model": 2e-3,
    }
    results = {
        "date": "today",
        "device": "slow",
        "versions": {"jax": "1"},
        "launch": 4e-6,
        "rows": [
            {**row, "lane": "ours", "floor": {"moving": 1e-4, "mixing": 2e-4, "floor": 2e-4}},
            {**row, "lane": "plain, TF32", "model": 1e-3},
            {"name": "small", "title": "convolution, small", "lane": "dense", "failed": "no memory"},
        ],
    }
    text = page(results)
    assert "| small | ours | 6 | 1 MiB | 2.0 GFlop | 2 MiB | 1 ms | 2 ms | 2.00 |" in text
    assert "| small | dense | no memory |" in text
    assert "| small | 0.1 ms | 0.2 ms | 1 ms | 5.0 |" in text
    assert "| write slab | sort |" in text
    assert text.count("- small: convolution, small.") == 1
