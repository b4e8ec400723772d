"""The examples in the documentation are true."""

import doctest

import pytest

from emma500.languages import (
    code_folding,
    codes,
    identification,
    identification_quality,
    joins,
    mending,
    normalisation,
    script_detection,
    script_gate,
    segmentation,
)


@pytest.mark.parametrize(
    "module",
    [
        code_folding,
        codes,
        identification,
        identification_quality,
        joins,
        mending,
        normalisation,
        script_detection,
        script_gate,
        segmentation,
    ],
    ids=lambda module: module.__name__,
)
def test_the_examples_hold(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
