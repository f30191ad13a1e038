"""The part of a network that rows reach, compiled for that network alone: some tens of milliseconds."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir

from nmbench.simulator.vector.lanes import LANES, store_lanes
from nmbench.simulator.vector.records import Record, Records
from nmbench.simulator.vector.registers import FLOATS, LONG, MARKS, Code
from nmbench.simulator.vector.rows import Chunk, Step

SAMPLE = "sample"


class Program:
    """Compiled functions; their addresses hold as long as this is kept."""

    def __init__(self, module: ir.Module) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(),
            # some processors are taken to prefer registers of half the width
            features=f"{llvm.get_host_cpu_features().flatten()},-prefer-256-bit",
            opt=2,
            jit=True,
        )
        context = llvm.create_context()  # the common one would keep each network's constants for good
        parsed = llvm.parse_assembly(str(module), context)
        parsed.verify()
        # no more is needed; LLVM's own list of passes takes longer, and would keep 0.3 MB each time
        passes = llvm.create_new_function_pass_manager()
        passes.add_sroa_pass()
        passes.add_instruction_combine_pass()
        passes.add_simplify_cfg_pass()
        builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options())
        for function in parsed.functions:
            if not function.is_declaration:
                passes.run(function, builder)
        self._engine = llvm.create_mcjit_compiler(parsed, machine)
        self._engine.finalize_object()
        # in a cycle (a traceback's frames, say) Python would close one before the other in any order
        weakref.finalize(self, _close, self._engine, context).atexit = False

    def address(self, name: str) -> int:
        """Return the address of a function."""
        return int(self._engine.get_function_address(name))


def _close(engine: llvm.ExecutionEngine, context: llvm.ContextRef) -> None:
    engine.close()
    context.close()


def write_step(module: ir.Module, name: str, kind: int, chunk: Chunk) -> None:
    """Write a chunk's function: memory, step, where its events and spikes are counted -> 0."""
    function = ir.Function(module, ir.FunctionType(LONG, [LONG] * 4), name)
    code = Code(function, kind)
    Step(code, chunk, *function.args).write()
    code.builder.ret(LONG(0))


def write_sample(
    module: ir.Module, kind: int, chunks: Sequence[Chunk], populations: Records, output: int, classes: int
) -> None:
    """Write the function of a network that rows alone reach: it runs a sample from first to last step.

    Its arguments: memory; the sample's row of offsets, the batch's spikes, and how many these are; where the
    answer, spikes and events go; first and last (excluded) step; whether neurons may repeat within one, and
    how many spikes one may have. It returns 0 where a step has more, else 1. Addresses are those of step 0,
    also where the first is a later one and nothing stands there.

    Parameters
    ----------
    chunks
        Of all populations, in order; all of them advance what they sum.
    output, classes
        Number of the population whose membranes are the answer, and how many.
    """
    function = ir.Function(module, ir.FunctionType(LONG, [LONG] * 11), SAMPLE)
    memory, row, indices, end, answer, spikes, events, first, last, repeats, limit = function.args
    projections = sum(len(chunk.projections) for chunk in chunks if chunk.first == 0)
    code = Code(function, kind)
    builder, t = code.builder, code.variable(first)
    too_many, held = code.block("too_many"), code.block("held")
    with code.repeating("step", lambda: builder.icmp_signed("<", builder.load(t), last)):
        now = builder.load(t)
        emitted = builder.add(spikes, builder.mul(now, LONG(8 * len(populations))))
        delivered = builder.add(events, builder.mul(now, LONG(8 * projections)))
        place = builder.add(row, builder.shl(now, LONG(3)))
        start, stop = builder.load(code.at(place, 0, LONG)), builder.load(code.at(place, 8, LONG))
        n = builder.sub(stop, start)
        builder.cbranch(builder.icmp_signed(">", n, limit), too_many, held)
        builder.position_at_end(held)
        builder.store(n, code.at(emitted, 0, LONG))
        ids = builder.add(indices, builder.shl(start, LONG(2)))
        head = code.head(memory, populations[0], now)
        code.announce(head, ids, n, builder.sub(end, start), repeats)
        for chunk in chunks:
            Step(code, chunk, memory, now, delivered, emitted).write()
        out = builder.add(answer, builder.mul(now, LONG(4 * classes)))
        _answer(code, memory, populations[output], out, classes)
        builder.store(builder.add(now, LONG(1)), t)
    builder.ret(LONG(1))
    builder.position_at_end(too_many)
    builder.ret(LONG(0))


def _answer(code: Code, memory: Any, read: Record, out: Any, classes: int) -> None:
    """Copy the membranes of the output; what lies behind belongs to the next step, or to nobody."""
    membranes = code.builder.add(memory, LONG(int(read["membranes"])))
    for first in range(0, classes, LANES):
        marks = ir.Constant(MARKS, [int(first + lane < classes) for lane in range(LANES)])
        value = code.sixteen(membranes, first // LANES)
        store_lanes(code.builder, value, code.at(out, 4 * first, FLOATS), marks)
