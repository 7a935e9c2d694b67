"""What intrinsics write again and again in LLVM IR: slots on the stack, loops, calls."""

import platform
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

from llvmlite import ir

BYTES = ir.IntType(8).as_pointer()


class Loop(NamedTuple):
    """A loop that is being written."""

    index: Any


def alloca_once_value(at: ir.IRBuilder, value: Any) -> Any:
    """A slot on the function's stack that holds a value from here on."""
    with at.goto_entry_block():
        slot = at.alloca(value.type)
        at.store(value.type(None), slot)
    at.store(value, slot)
    return slot


def get_or_insert_function(module: ir.Module, kind: ir.FunctionType, name: str) -> Any:
    """The function of a name in a module, declared if it is not there."""
    found = module.globals.get(name)
    return ir.Function(module, kind, name) if found is None else found


def unpack_tuple(at: ir.IRBuilder, values: Any) -> list:
    """The elements of a tuple."""
    return [at.extract_value(values, i) for i in range(len(values.type.elements))]


def for_range(at: ir.IRBuilder, count: Any) -> AbstractContextManager[Loop]:
    """A loop from 0 to `count`."""
    return _loop(at, count.type(0), count, count.type(1), ("nsw",))


def for_range_slice(at: ir.IRBuilder, start: Any, stop: Any, step: Any) -> AbstractContextManager[Loop]:
    """A loop over the index from `start` up to `stop` in steps."""
    return _loop(at, start, stop, step, ())


@contextmanager
def _loop(at, start, stop, step, flags):
    before, condition, body, end = at.basic_block, *(at.append_basic_block(f"for.{x}") for x in ("cond", "body", "end"))
    at.branch(condition)
    with at.goto_block(condition):
        index = at.phi(start.type)
        at.cbranch(at.icmp_signed("<", index, stop), body, end)
    with at.goto_block(body):
        yield Loop(index)
        last = at.basic_block  # the body may have blocks of its own
        after = at.add(index, step, flags=flags)
        at.branch(condition)
    index.add_incoming(start, before)
    index.add_incoming(after, last)
    at.position_at_end(end)


@contextmanager
def taken(at: ir.IRBuilder, counter: Any, stop: Any) -> Iterator[Any]:
    """A loop over the numbers that this thread takes of a shared counter, while they are below `stop`."""
    condition, body, end = (at.append_basic_block(f"take.{x}") for x in ("cond", "body", "end"))
    at.branch(condition)
    with at.goto_block(condition):
        number = at.atomic_rmw("add", counter, stop.type(1), "monotonic")
        at.cbranch(at.icmp_signed("<", number, stop), body, end)
    with at.goto_block(body):
        yield number
        at.branch(condition)
    at.position_at_end(end)


def wait_for(at: ir.IRBuilder, cell: Any) -> None:
    """Wait awake until a shared integer is not 0."""
    look, wait, end = (at.append_basic_block(f"wait.{x}") for x in ("look", "body", "end"))
    at.branch(look)
    with at.goto_block(look):
        there = at.load_atomic(cell, "seq_cst", 8)
        at.cbranch(at.icmp_signed("==", there, there.type(0)), wait, end)
    with at.goto_block(wait):
        pause(at)
        at.branch(look)
    at.position_at_end(end)


def pause(at: ir.IRBuilder) -> None:
    """Wait for an instant, as the processor wishes it in loops that wait for another thread."""
    machine = platform.machine().lower()
    if machine in ("x86_64", "amd64"):
        name, given = "llvm.x86.sse2.pause", []
    elif machine in ("aarch64", "arm64"):
        name, given = "llvm.aarch64.hint", [ir.IntType(32)(1)]
    else:
        return
    kind = ir.FunctionType(ir.VoidType(), [x.type for x in given])
    at.call(get_or_insert_function(at.module, kind, name), given)


def raw_memcpy(at: ir.IRBuilder, to: Any, source: Any, count: Any, itemsize: Any) -> None:
    """Copy `count` items."""
    copy = at.module.declare_intrinsic("llvm.memcpy", [BYTES, BYTES, count.type])
    places = [at.bitcast(place, BYTES) for place in (to, source)]
    at.call(copy, [*places, at.mul(count, itemsize), ir.IntType(1)(0)])


def memset(at: ir.IRBuilder, place: Any, size: Any, value: int) -> None:
    """Set `size` bytes."""
    fill = at.module.declare_intrinsic("llvm.memset", [BYTES, size.type])
    at.call(fill, [at.bitcast(place, BYTES), ir.IntType(8)(value), size, ir.IntType(1)(0)])
