"""What a kernel cannot say in Python: wide loads, tensor cores, asynchronous copies. All inline assembly is here.

A place in memory is a pointer or a shared array and an index of 32 bits, counted in elements; there is no wrap-around
of negative indices and no bounds check.
"""

import numpy as np
from llvmlite import ir

from kerasish.device.cuda_jit import intrinsic
from kerasish.device.lazy import Lazy

types, cgutils = Lazy("numba.cuda.types"), Lazy("numba.cuda.cgutils")
F32, I32, I64, VOID = ir.FloatType(), ir.IntType(32), ir.IntType(64), ir.VoidType()


def _floats(n):
    return types.UniTuple(types.float32, n)


def _words(n):
    return types.UniTuple(types.int32, n)


def _assembly(builder, result, arguments, text, constraints, effect=True):
    kind = ir.FunctionType(result, [a.type for a in arguments])
    return builder.call(ir.InlineAsm(kind, text, constraints, side_effect=effect), arguments)


def _parts(builder, value, n):
    return [builder.extract_value(value, i) for i in range(n)]


def _tuple(builder, struct, element, n):
    return cgutils.pack_array(builder, _parts(builder, struct, n), ty=element)


def _pointer(context, builder, kind, place, index):
    """The address of an element."""
    if not isinstance(kind, types.CPointer):
        place = context.make_array(kind)(context, builder, value=place).data
    return builder.gep(place, [index])


def _vector(builder, pointer, element, n):
    """A pointer to n elements as a pointer to a vector."""
    return builder.bitcast(pointer, ir.VectorType(element, n).as_pointer(pointer.type.addrspace))


def _shared(builder, pointer):
    """The 32-bit address inside of shared memory."""
    return builder.ptrtoint(builder.addrspacecast(pointer, ir.PointerType(pointer.type.pointee, 3)), I32)


def _store(place, index, value):
    place[index] = value


@intrinsic(lambda place, index: place[index])
def load(typing, place, index):
    """place[index]."""

    def code(context, builder, sig, args):
        return builder.load(_pointer(context, builder, sig.args[0], args[0], args[1]))

    return place.dtype(place, types.int32), code


@intrinsic(_store)
def store(typing, place, index, value):
    """place[index] = value."""

    def code(context, builder, sig, args):
        builder.store(args[2], _pointer(context, builder, sig.args[0], args[0], args[1]))
        return context.get_dummy_value()

    return types.void(place, types.int32, place.dtype), code


def _wide_load(n):
    @intrinsic(lambda place, index: tuple(place[index + i] for i in range(n)))
    def load_wide(typing, place, index):
        def code(context, builder, sig, args):
            at = _pointer(context, builder, sig.args[0], args[0], args[1])
            v = builder.load(_vector(builder, at, F32, n), align=4 * n)
            parts = [builder.extract_element(v, ir.Constant(I32, i)) for i in range(n)]
            return cgutils.pack_array(builder, parts, ty=F32)

        return _floats(n)(place, types.int32), code

    return load_wide


def _wide_store(n):
    @intrinsic(lambda place, index, values: [_store(place, index + i, value) for i, value in enumerate(values)])
    def store_wide(typing, place, index, values):
        def code(context, builder, sig, args):
            at = _pointer(context, builder, sig.args[0], args[0], args[1])
            v = ir.Constant(ir.VectorType(F32, n), ir.Undefined)
            for i, part in enumerate(_parts(builder, args[2], n)):
                v = builder.insert_element(v, part, ir.Constant(I32, i))
            builder.store(v, _vector(builder, at, F32, n), align=4 * n)
            return context.get_dummy_value()

        return types.void(place, types.int32, _floats(n)), code

    return store_wide


load2, load4 = _wide_load(2), _wide_load(4)  # one access; the address is a multiple of its size
store2, store4 = _wide_store(2), _wide_store(4)


@intrinsic()
def load_bits(typing, place, index):
    """The bits of place[index], a float32, as an int32."""

    def code(context, builder, sig, args):
        at = _pointer(context, builder, sig.args[0], args[0], args[1])
        return builder.load(builder.bitcast(at, I32.as_pointer(at.type.addrspace)))

    return types.int32(place, types.int32), code


@intrinsic(lambda x: np.float32(x).view(np.int32))
def bits(typing, x):
    """The bits of a float32 as an int32."""
    return types.int32(types.float32), lambda context, builder, sig, args: builder.bitcast(args[0], I32)


@intrinsic(lambda word: np.int32(word).view(np.float32))
def floating(typing, x):
    """The float32 of these bits."""
    return types.float32(types.int32), lambda context, builder, sig, args: builder.bitcast(args[0], F32)


@intrinsic(lambda i, n: 0 <= i < n)
def inside(typing, i, n):
    """0 <= i < n, in one comparison."""

    def code(context, builder, sig, args):
        return builder.icmp_unsigned("<", *args)

    return types.boolean(types.int32, types.int32), code


@intrinsic()
def floats_at(typing, addresses, index):
    """The float pointer that is element `index` of an array of addresses."""

    def code(context, builder, sig, args):
        at = _pointer(context, builder, sig.args[0], args[0], args[1])
        return builder.inttoptr(builder.load(at), F32.as_pointer())

    return types.CPointer(types.float32)(addresses, types.int32), code


@intrinsic()
def ahead(typing, place, index):
    """A pointer to place[index]: constants that index it cost no instruction, which `place[index + constant]` would."""

    def code(context, builder, sig, args):
        return _pointer(context, builder, sig.args[0], args[0], args[1])

    return types.CPointer(place.dtype)(place, types.int32), code


def _product(name, a_words, b_words):
    """A tensor-core product d = a b + c of a warp, on the fragments that PTX's manual lays out."""
    places = [f"${i}" for i in range(8 + a_words + b_words)]
    groups, start = [], 0
    for n in (4, a_words, b_words, 4):
        groups.append("{" + ",".join(places[start : start + n]) + "}")
        start += n
    text = f"mma.sync.aligned.{name} {', '.join(groups)};"
    constraints = ",".join(["=f"] * 4 + ["r"] * (a_words + b_words) + ["f"] * 4)

    @intrinsic()
    def product(typing, a, b, c):
        def code(context, builder, sig, args):
            values = [
                *_parts(builder, args[0], a_words),
                *_parts(builder, args[1], b_words),
                *_parts(builder, args[2], 4),
            ]
            d = _assembly(builder, ir.LiteralStructType([F32] * 4), values, text, constraints, effect=False)
            return _tuple(builder, d, F32, 4)

        return _floats(4)(_words(a_words), _words(b_words), _floats(4)), code

    return product


mma_tf32 = _product("m16n8k8.row.col.f32.tf32.tf32.f32", 4, 2)
mma_bf16 = _product("m16n8k16.row.col.f32.bf16.bf16.f32", 4, 2)


@intrinsic()
def pack_bf16(typing, low, high):
    """Two floats rounded to bfloat16, in one word."""

    def code(context, builder, sig, args):
        return _assembly(builder, I32, [args[1], args[0]], "cvt.rn.bf16x2.f32 $0, $1, $2;", "=r,f,f", effect=False)

    return types.int32(types.float32, types.float32), code


@intrinsic()
def load_matrix(typing, place, index):
    """ldmatrix.x4 on words: lane i points to row i % 8 of matrix i // 8, and gets word (i // 4, i % 4) of each."""

    def code(context, builder, sig, args):
        at = _shared(builder, _pointer(context, builder, sig.args[0], args[0], args[1]))
        text = "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {$0,$1,$2,$3}, [$4];"
        v = _assembly(builder, ir.LiteralStructType([I32] * 4), [at], text, "=r,=r,=r,=r,r,~{memory}")
        return _tuple(builder, v, I32, 4)

    return _words(4)(place, types.int32), code


@intrinsic()
def copy4(typing, to, to_index, source, index, wanted):
    """Starts a copy of four floats into shared memory; zeros if not `wanted`."""

    def code(context, builder, sig, args):
        s = _shared(builder, _pointer(context, builder, sig.args[0], args[0], args[1]))
        g = _pointer(context, builder, sig.args[2], args[2], args[3])
        g = builder.ptrtoint(builder.addrspacecast(g, ir.PointerType(g.type.pointee, 1)), I64)
        size = builder.select(args[4], ir.Constant(I32, 16), ir.Constant(I32, 0))
        _assembly(builder, VOID, [s, g, size], "cp.async.cg.shared.global [$0], [$1], 16, $2;", "r,l,r,~{memory}")
        return context.get_dummy_value()

    return types.void(to, types.int32, source, types.int32, types.boolean), code


def _statement(text):
    @intrinsic()
    def statement(typing):
        def code(context, builder, sig, args):
            _assembly(builder, VOID, [], text, "~{memory}")
            return context.get_dummy_value()

        return types.void(), code

    return statement


copies_commit = _statement("cp.async.commit_group;")  # the copies begun since the last one are a group
copies_wait_all = _statement("cp.async.wait_group 0;")  # until every group has arrived
copies_wait_but_one = _statement("cp.async.wait_group 1;")  # until all but the youngest have
