"""Benchmark: reading speed of a machine, compared with what its hardware can do."""

from cop_core.bench.speed import Speed, measure_speed, parts, seconds, to_dict, write_stack

__all__ = ["Speed", "measure_speed", "parts", "seconds", "to_dict", "write_stack"]
