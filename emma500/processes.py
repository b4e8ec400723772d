"""Which of the processes of one run this is: those that `accelerate launch` or `torchrun` started, or the only one."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

__all__ = ["is_first_process", "of_first_process", "patient_group", "process_state"]

_PATIENCE = timedelta(days=30)
"""Longer than any corpus takes to tokenize; a process that dies is noticed at once, by its connection."""

Made = TypeVar("Made")


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


def of_first_process(work: Callable[[], Made]) -> Made:
    """Do work in the first process alone, and give all of them what it returns; all of them must call this."""
    state = process_state()
    if state.num_processes == 1:
        return work()
    from torch import distributed

    with patient_group() as group:
        found: list[Any] = [work() if state.is_main_process else None]
        distributed.broadcast_object_list(found, group=group)
    made: Made = found[0]
    return made


@contextmanager
def patient_group() -> Iterator[Any]:
    """Make a group of all processes, in which they wait for each other longer than the half hour of the usual one.

    Yields:
        A group of torch's, over gloo.
    """
    from torch import distributed

    group = distributed.new_group(backend="gloo", timeout=_PATIENCE)
    try:
        yield group
    finally:
        distributed.destroy_process_group(group)


def is_first_process() -> bool:
    """Tell whether this is the process that writes and prints; needs no group to be there yet."""
    return os.environ.get("RANK", "0") == "0"
