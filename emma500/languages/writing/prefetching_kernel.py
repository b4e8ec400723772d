"""Ask for memory ahead of its use, from Numba's kernels.

A loop over random rows of a table larger than the caches waits for each of them, one after another, where a branch
depends on what it read. Asked for some rows ahead, they come at once.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

AHEAD = 24
"""How many rows ahead: enough to cover the memory's latency, few enough to stay in the first cache."""

_READ, _SOON, _DATA = 0, 3, 1  # of LLVM's llvm.prefetch


@intrinsic
def prefetch(typing_context: Any, table: Any, row: Any) -> Any:
    """Ask for the cache line in which a row of an array begins; reads nothing, and `row` may be anything.

    Args:
        typing_context: Numba's.
        table: An array; rows are along its first axis.
        row: Number of the row, int64.

    Returns:
        What Numba compiles: a function of `table` and `row` without a result.
    """

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, given[0])
        stride = cgutils.unpack_tuple(builder, array.strides)[0]
        start = builder.ptrtoint(array.data, stride.type)
        place = builder.add(start, builder.mul(given[1], stride))
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        form = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        function = cgutils.get_or_insert_function(builder.module, form, "llvm.prefetch.p0")
        how = [word(each) for each in (_READ, _SOON, _DATA)]
        builder.call(function, [builder.inttoptr(place, byte), *how])
        return context.get_dummy_value()

    return types.void(table, types.int64), generate
