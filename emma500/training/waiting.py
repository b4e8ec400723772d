"""Several processes of one run: the first one goes ahead, and the others wait for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from emma500.processes import patient_group


@contextmanager
def first_process_first(arguments: Any) -> Iterator[None]:
    """Run a block in the first process, and then in the others, however long the first one takes.

    The Trainer's own `main_process_first` gives up after half an hour (`ddp_timeout`, which it does not even pass on to
    processes on CPUs). A large corpus takes longer to tokenize.

    Args:
        arguments: TrainingArguments.

    Yields:
        Nothing.
    """
    if arguments.world_size == 1:
        yield
        return
    from torch import distributed

    is_first = arguments.process_index == 0
    with patient_group() as group:
        try:
            if not is_first:
                distributed.barrier(group)
            yield
        finally:
            if is_first:
                distributed.barrier(group)
