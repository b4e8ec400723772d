"""The examples in the documentation are true."""

import doctest

import pytest

from emma500.languages import codes, labels, scripts


@pytest.mark.parametrize("module", [codes, labels, scripts], ids=lambda module: module.__name__)
def test_the_examples_hold(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
