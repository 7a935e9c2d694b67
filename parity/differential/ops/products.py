"""Products of vectors, matrices and more."""

from __future__ import annotations

from hypothesis import strategies as st

from parity.differential.draws import array, one, some
from parity.differential.ops.kinds import NOTHING, shapes, some_array
from parity.differential.ops.running import op, whole

KINDS = ("float32", "float64", "float16", "int32", "bfloat16", "int8", "uint8", "int64", "int16", "bool", "uint32")
MATRIX = one(*KINDS)
SIZE = one(2, 3, 1, 4, 2, 3, 0)


@st.composite
def matrices(draw, batches=True):
    """Two arrays that `matmul` takes."""
    n, k, m, batch, outer = draw(SIZE), draw(SIZE), draw(SIZE), draw(SIZE), draw(SIZE)
    left, right = [(n, k), (k,)], [(k, m), (k,)]
    if batches:
        left += [(batch, n, k), (1, n, k), (outer, batch, n, k), (outer, 1, n, k)]
        right += [(batch, k, m), (outer, batch, k, m)]
    dtypes = draw(one(MATRIX, one("float32")))
    return (draw(array(draw(one(*left)), dtypes)), draw(array(draw(one(*right)), dtypes))), {}


@st.composite
def last_by_last(draw, second_last=False):
    """Two arrays of any rank that `inner` or `dot` takes."""
    k = draw(SIZE)
    a = (*draw(shapes(0, 2, SIZE)), k)
    b = draw(shapes(0, 2, SIZE))
    b = (*b, k) if not second_last else (*b[:-1], k, b[-1]) if b else (k,)
    a, b = draw(one((a, b), (a, b), (a, b), (a, b), ((), b), (a, ())))
    dtypes = draw(one(MATRIX, one("float32")))
    return (draw(array(a, dtypes)), draw(array(b, dtypes))), {}


whole("matmul", matrices())
whole("dot", last_by_last(True))
whole("inner", last_by_last())
same = shapes(1, 2, SIZE).flatmap(lambda s: st.tuples(st.tuples(array(s, MATRIX), array(s, MATRIX)), NOTHING))
whole("vdot", same)
op("outer", some_array(MATRIX, "normal", 0, 2), some_array(MATRIX, "normal", 0, 2))


@st.composite
def contracted(draw):
    """Two arrays and which of their axes `tensordot` sums over."""
    common = draw(shapes(0, 2, SIZE))
    left, right = draw(shapes(0, 2, SIZE)), draw(shapes(0, 2, SIZE))
    dtypes = draw(one(MATRIX, one("float32")))
    n, a, b = len(common), (*left, *common), (*common, *right)
    options = [n]
    first, second = [len(left) + i for i in range(n)], list(range(n))
    options += [[first, second], (tuple(first), tuple(second)), [[i - len(a) for i in first], second]]
    if n == 1:
        options.append((first[0], second[0]))
    axes = draw(st.sampled_from(options))
    arguments = {} if axes == 2 and draw(one(True, False)) else {"axes": axes}
    return (draw(array(a, dtypes)), draw(array(b, dtypes))), arguments


whole("tensordot", contracted())
EQUATIONS = (
    "ij,jk->ik|bij,bjk->bik|ij,ij->|ij,kj->ik|...ij,...jk->...ik|ij,jk|i,i|i,j->ij|ij->ji|ij->i|ij->|ii->i|ii|bij,jk->bik|"
    "abc,cd->abd|abc,bad->dc|ij,j->i|ij,jk,kl->il|i,ij,j->|bhqd,bhkd->bhqk|btd,dhk->bthk|...i,...i->...|i...->...|"
    "ij , jk -> ik|ij,ij->ij|iij->ij|aab,bc->ac|...a,ab->...b"
).split("|")


@st.composite
def summed(draw):
    """An equation and its operands."""
    equation = draw(one(*EQUATIONS))
    sizes = {letter: draw(one(2, 3, 1)) for letter in "abcdhijklqt"}
    more = draw(shapes(0, 2, one(2, 1)))
    dtypes = draw(one(MATRIX, one("float32")))
    arrays = []
    for term in equation.split("->")[0].replace(" ", "").split(","):
        shape = []
        for part in term.replace("...", "."):
            shape += more if part == "." else [sizes[part]]
        arrays.append(draw(array(tuple(shape), dtypes)))
    return (equation, *arrays), {}


whole("einsum", summed())
op(
    "qr",
    array(one((3, 2), (2, 2), (2, 3, 2), (2, 3), (2, 4, 4)), one("float32", "float64")),
    arguments=some(mode=one("reduced", "complete")),
    gradient=False,
)
