"""pass@k: the chance that one of k samples of a program passes the tests.

>>> pass_at_k([[True, False, False, False]], k=2).value
0.5
"""

from collections.abc import Sequence
from math import comb

from emma500.errors import UsageError
from emma500.evaluation.metrics.measured import Measured, mean_of


def pass_at_k(passed: Sequence[Sequence[bool | None]], *, k: int = 1) -> Measured:
    """Estimate pass@k without bias: 1 - C(n - c, k) / C(n, k) for c right ones of n samples (Chen et al. 2021).

    Args:
        passed: Whether each sample of each problem passed; None where it was not run (`sandbox`).
        k: How many samples may be tried.

    Returns:
        One value a problem; a problem none of whose samples was run is not evaluated, and not 0.

    Raises:
        UsageError: If k is below 1 or a problem has fewer samples than k.
    """
    if k < 1:
        raise UsageError(f"k must be at least 1, not {k}")
    values: list[float | None] = []
    for place, samples in enumerate(passed):
        ran = [each for each in samples if each is not None]
        if not ran:
            values.append(None)
            continue
        if len(ran) < k:
            raise UsageError(
                f"pass@{k} needs {k} samples of a problem; problem {place} has {len(ran)} that ran"
            )
        values.append(1 - comb(len(ran) - sum(ran), k) / comb(len(ran), k))
    return mean_of(f"pass@{k}", values, k=k)
