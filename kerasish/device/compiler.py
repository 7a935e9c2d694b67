"""Functions to object code: Numba types and lowers them, then LLVM optimizes a native and all that it calls at once.

Numba alone would optimize each function by itself, emit machine code for it that nobody calls, and wrap it for calls
from Python. Here a serial function is only lowered; a native links what it calls, drops what is not inlined anywhere,
and calls nothing of Python or of Numba's runtime.
"""

import contextlib
import functools
import gc
import inspect
from typing import Any

from llvmlite import binding, ir
from numba.core import (
    codegen,
    compiler,
    compiler_machinery,
    registry,
    typed_passes,
    types,
    typing,
    untyped_passes,
)
from numba.core.compiler_lock import global_compiler_lock
from numba.np.arrayobj import populate_array

from kerasish.device.entry import Entry
from kerasish.device.natives import FASTMATH

ALLOWED = ("llvm.", "mem", "bcmp", "bzero")  # what machine code may call; all else needs a runtime
PASSES = (
    untyped_passes.TranslateByteCode,
    untyped_passes.FixupArgs,
    untyped_passes.IRProcessing,
    untyped_passes.GenericRewrites,
    untyped_passes.ReconstructSSA,
    typed_passes.NopythonTypeInference,
    typed_passes.PreLowerStripPhis,
    typed_passes.IRLegalization,
    typed_passes.AnnotateTypes,
    typed_passes.NativeLowering,
    typed_passes.NoPythonBackend,
)
ROOTS = """
define {kind} @{name}({kind} %x) alwaysinline {{
  %root = call {kind} @llvm.sqrt.{suffix}({kind} %x)
  ret {kind} %root
}}
declare {kind} @llvm.sqrt.{suffix}({kind})
"""  # in place of libm's: vector code
_target = registry.cpu_target


class _Part(codegen.CPUCodeLibrary):
    """What a function was lowered to, just so: all of a native is optimized in the end."""

    def _optimize_functions(self, module):
        module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self):
        return

    def _finalize_specific(self):
        return


class _Codegen(codegen.JITCPUCodegen):
    _library_class = _Part

    def _add_module(self, module):
        return None


class _Pipeline(compiler.CompilerBase):
    """The passes that plain loops over numbers need: a third fewer than Numba's, which know closures and more."""

    def define_pipelines(self):
        manager = compiler_machinery.PassManager("kerasish")
        for step in PASSES:
            manager.add_pass(step, step.__name__)
        manager.finalize()
        return [manager]


@functools.cache
def _context():
    """Numba's context of the host, with our code generator in place of its own."""
    return _target.target_context.subtarget(_internal_codegen=_Codegen("kerasish"))


def object_code(native: Any) -> bytes:
    """The object file of a `natives.Native`; its function has the native's name."""
    with _no_collections():
        return _context().codegen()._tm.emit_object(_optimized(native))


@contextlib.contextmanager
def _no_collections():
    """Leaves Python's garbage for later: looking for it among all that Numba keeps is a seventh of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def assembly(native: Any) -> str:
    """What `object_code` holds, to be read."""
    return _context().codegen()._tm.emit_assembly(_optimized(native))


@global_compiler_lock
def _optimized(native):
    """The module of a native, in which all but itself is inlined or private."""
    entry, libraries = _entry(native)
    module = binding.parse_assembly(str(entry))
    for library in libraries:
        module.link_in(library._get_module_for_linking(), preserve=True)
    for kind, name, suffix in (("float", "sqrtf", "f32"), ("double", "sqrt", "f64")):
        if any(function.name == name for function in module.functions):
            module.link_in(binding.parse_assembly(ROOTS.format(kind=kind, name=name, suffix=suffix)))
    for value in (*module.functions, *module.global_variables):
        if not value.is_declaration and value.name != native.name:
            value.linkage = "internal"
    module.verify()
    passes, builder = _context().codegen()._module_pass_manager()
    passes.run(module, builder)
    _refuse_foreign_calls(native, module)
    return module


def _entry(native):
    """The module of a plain function of integers around lowered functions, and the libraries that hold these."""
    context, made = _context(), native.function
    module = context.codegen()._create_empty_module(native.name)
    integers = [ir.IntType(64)] * native.arguments
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), integers), native.name)
    at = ir.IRBuilder(function.append_basic_block())
    if isinstance(made, Entry):
        results = [_lowered(body, arguments, types.void, made.fastmath) for body, arguments in made.parts()]
        calls = [functools.partial(_call, at, x.fndesc) for x in results]
        made.write(at, *function.args, calls, functools.partial(_array, at))
    else:
        results = [_lowered(made, (types.int64,) * native.arguments, types.void, FASTMATH)]
        _call(at, results[0].fndesc, *function.args)
    at.ret_void()  # also where a function ended with an exception: there is nobody to tell
    return module, [result.library for result in results]


def _call(at, descriptor, *arguments):
    """Write a call of a lowered function."""
    context = _context()
    callee = context.declare_function(at.module, descriptor)
    context.call_conv.call_function(at, callee, descriptor.restype, descriptor.argtypes, arguments)


def _refuse_foreign_calls(native, module):
    called = [f.name for f in module.functions if f.is_declaration and not f.name.startswith(ALLOWED)]
    called += [variable.name for variable in module.global_variables if variable.is_declaration]
    if called:
        raise NotImplementedError(
            f"kernel {native.name} would need {', '.join(called)}, which is not there when it is loaded from the "
            "cache; kernels allocate nothing, raise nothing and call no library"
        )


def _lowered(function, arguments, result, fastmath, forceinline=False):
    """Numba's result for a function of these types: typed and lowered, not compiled."""
    options = {"error_model": "numpy", "boundscheck": None, "forceinline": forceinline, "_nrt": False, "nopython": True}
    flags = compiler.Flags()
    _target.options.parse_as_flags(flags, {**options, "fastmath": set(fastmath)})
    flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    contexts = _target.typing_context, _context()
    return compiler.compile_extra(*contexts, function, arguments, result, flags, {}, pipeline_class=_Pipeline)


def _array(at, kind, address, shape):
    """A C-contiguous array as compiled functions pass it."""
    context = _context()
    data = at.inttoptr(address, context.get_data_type(kind.dtype).as_pointer())
    size = ir.IntType(64)(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    strides = [size]
    for length in reversed(shape[1:]):
        strides.insert(0, at.mul(strides[0], length))
    array = context.make_array(kind)(context, at)
    populate_array(array, data, shape, strides[: kind.ndim], size, None)
    return array._getvalue()


@functools.cache
def type_of_serial(serial: Any) -> types.Function:
    """The type of a function that is lowered for the arguments of each call."""

    def lower(arguments):
        result = _lowered(serial.function, arguments, None, serial.fastmath, serial.forceinline)
        _context().insert_user_function(serial, result.fndesc, [result.library])
        return result.signature

    return _callable(serial, inspect.signature(serial.function), lower)


@functools.cache
def type_of_intrinsic(intrinsic: Any) -> types.Function:
    """The type of a function that writes LLVM IR at the place of each call."""

    def lower(arguments):
        signature, codegen = intrinsic.function(_target.typing_context, *arguments)
        _context().insert_func_defn([(codegen, intrinsic, signature.args)])
        return signature

    _, *parameters = inspect.signature(intrinsic.function).parameters.values()
    return _callable(intrinsic, inspect.Signature(parameters), lower)


def _callable(key, parameters, lower):
    """A function that `lower` adds to the context, for each set of types that it is called with."""
    found = {}

    class Call(typing.templates.AbstractTemplate):
        def generic(self, args, kws):
            arguments = parameters.bind(*args, **kws).args
            if arguments not in found:
                found[arguments] = lower(arguments).replace(pysig=parameters)
            return found[arguments]

    Call.key = key
    return types.Function(Call)
