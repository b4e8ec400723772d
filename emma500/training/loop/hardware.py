"""What a run is computed on: the device, its peak, and an estimate of the energy it takes."""

import os
import re
import time
from functools import cache
from pathlib import Path
from typing import Any

from emma500.configuration import n_cores
from emma500.tables import read_table

_ROUNDS = 5
_SIDE = {"cpu": 1024}
_SIDE_OF_A_GPU = 8192

_PUE = 1.1
"""Energy of a data centre by the energy of its computers, as in Llama 2's card."""

_KG_A_KWH = 0.481
"""Carbon dioxide equivalents of a kWh of electricity, the world's mean of 2023 (Ember)."""

_WATTS_A_CORE = 5.0
"""Of a server's CPU under load; its makers give watts for the whole."""


def device_row(name: str) -> dict[str, str] | None:
    """Return the row of `tables/accelerators.tsv` that a device's name means, or None.

    Args:
        name: As the driver gives it, "NVIDIA A100-SXM4-80GB", or as in the table.
    """
    rows = [
        row
        for row in read_table("accelerators")
        if re.search(rf"{re.escape(row['pattern'])}(?![0-9A-Za-z])", name)
        or row["device"].lower() == name.lower()
    ]
    return max(
        rows,
        key=lambda row: (row["device"].lower() == name.lower(), len(row["pattern"])),
        default=None,
    )


@cache
def matmul_peak(device: str, bf16: bool) -> float:
    """Measure how fast a device multiplies matrices, in FLOP/s; a fifth of a second on a CPU.

    Args:
        device: As "cpu" or "cuda:0".
        bf16: In bfloat16, else in float32.

    Returns:
        The best of five products; 2 n³ operations each.
    """
    import torch

    side = _SIDE.get(torch.device(device).type, _SIDE_OF_A_GPU)
    dtype = torch.bfloat16 if bf16 else torch.float32
    one = torch.full((side, side), 0.5, dtype=dtype, device=device)
    best = float("inf")
    with torch.no_grad():
        for _ in range(_ROUNDS):
            _synchronize(device)
            start = time.perf_counter()
            one @ one
            _synchronize(device)
            best = min(best, time.perf_counter() - start)
    return 2 * side**3 / best


def memory_gb(device: str) -> float:
    """Return the most memory that this process has held, in GB: of the GPU, or resident on a CPU."""
    import resource

    import torch

    if torch.device(device).type == "cuda":
        return float(torch.cuda.max_memory_allocated(device)) / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def default_device() -> str:
    """Return what models compute on where nothing else is said: "cuda" if there is a GPU, else "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def hardware(device: str, n_processes: int) -> dict[str, Any]:
    """Return what a run is computed on, without a path or a host name.

    Args:
        device: As "cpu" or "cuda:0".
        n_processes: How many processes train, each with a device like this; those on a CPU share it.

    Returns:
        `device`, `n_devices`, `memory_gb` of one device, `n_cores` and `watts` of one device.
    """
    import torch

    if torch.device(device).type == "cuda":
        found = torch.cuda.get_device_properties(device)
        row = device_row(found.name)
        return {
            "device": found.name,
            "n_devices": n_processes,
            "memory_gb": round(found.total_memory / 1e9, 1),
            "n_cores": n_cores(),
            "watts": float(row["tdp_watts"]) if row else None,
        }
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "device": _cpu_name(),
        "n_devices": 1,
        "memory_gb": round(pages / 1e9, 1),
        "n_cores": n_cores(),
        "watts": _WATTS_A_CORE * n_cores(),
    }


def footprint(seconds: float, watts: float | None, n_devices: int) -> dict[str, Any]:
    """Estimate energy and carbon of a computation.

    kWh = hours x devices x watts / 1000 x 1.1 (the data centre's share); kg of CO2 equivalents = kWh x 0.481, the
    world's mean of 2023. `watts` is what a device is designed to draw at most, so the estimate is high rather than low.

    Args:
        seconds: How long the devices were held.
        watts: Of one device, or None where it is not known.
        n_devices: How many.

    Returns:
        `is_estimate`, the numbers it is made of, `kwh` and `kg_co2e`; these two are None where watts are not known.
    """
    kwh = None if watts is None else seconds / 3600 * n_devices * watts / 1000 * _PUE
    return {
        "is_estimate": True,
        "watts_a_device": watts,
        "data_centre_factor": _PUE,
        "kg_co2e_a_kwh": _KG_A_KWH,
        "kwh": kwh,
        "kg_co2e": None if kwh is None else kwh * _KG_A_KWH,
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "CPU"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "CPU")


def _synchronize(device: str) -> None:
    import torch

    if torch.device(device).type != "cpu":
        torch.accelerator.synchronize()
