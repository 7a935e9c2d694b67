"""Machine code from object files, by LLVM's loader; and what processor it is for."""

import functools
import os

from llvmlite import binding

_addresses: dict[str, int] = {}


def load(code: bytes, name: str) -> int:
    """The address of the function `name` in an object file; call it under a lock."""
    if name not in _addresses:
        engine = _engine()
        engine.add_object_file(binding.ObjectFileRef.from_data(code))
        engine.finalize_object()
        _addresses[name] = engine.get_function_address(name)
    return _addresses[name]


@functools.cache
def processor() -> tuple[str, str, str]:
    """(triple, name, features) that code is compiled for; NUMBA_CPU_NAME and NUMBA_CPU_FEATURES replace the host's."""
    name, features = os.environ.get("NUMBA_CPU_NAME"), os.environ.get("NUMBA_CPU_FEATURES")
    if features is None:
        features = "" if name else binding.get_host_cpu_features().flatten()
    return binding.get_process_triple(), name or binding.get_host_cpu_name(), features


@functools.cache
def _engine() -> binding.ExecutionEngine:
    """The loader, which owns all code that was loaded."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    triple, name, features = processor()
    machine = binding.Target.from_triple(triple).create_target_machine(cpu=name, features=features, jit=True)
    return binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
