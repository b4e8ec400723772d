"""Which of the processes of one run this is: those that `accelerate launch` or `torchrun` started, or the only one."""

import os
from typing import Any

__all__ = ["is_first_process", "process_state"]


def process_state() -> Any:
    """Join the other processes of the run, if there are any.

    `PartialState()` alone stays a single process on a machine without an accelerator, however many were started:
    each would do all the work and write the same files.

    Returns:
        accelerate's `PartialState`: nccl between GPUs, gloo between CPUs.
    """
    import torch
    from accelerate import PartialState
    from accelerate.utils import parse_flag_from_env

    on_cpu = parse_flag_from_env("ACCELERATE_USE_CPU") or not torch.accelerator.is_available()
    return PartialState(cpu=on_cpu)


def is_first_process() -> bool:
    """Tell whether this is the process that writes and prints; needs no group to be there yet."""
    return os.environ.get("RANK", "0") == "0"
