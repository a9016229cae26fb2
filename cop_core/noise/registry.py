"""Where noise primitives are registered: one function and one decorator a primitive."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from cop_core.errors import InputError
from cop_core.noise.draws import Draws

NoiseFunction = Callable[[Tensor, Tensor, Draws], Tensor]
"""(images (n, c, h, w), strengths (n, 1, 1, 1), draws) -> images of the same shape."""


@dataclass(frozen=True)
class Primitive:
    """One parametric kind of noise.

    Attributes
    ----------
    name : str
        Name in the registry, unique.
    component : str
        Name of its strength in vectors, tables and plots. Two primitives may share it when they
        model the same noise in different ways (the paper's Poisson and real shot noise).
    apply : callable
        The noise itself; the engine clips to [0, 1] after it.
    """

    name: str
    component: str
    apply: NoiseFunction


_PRIMITIVES: dict[str, Primitive] = {}


def primitive(
    name: str, *, component: str | None = None
) -> Callable[[NoiseFunction], NoiseFunction]:
    """Register a noise function as a primitive.

    Parameters
    ----------
    name : str
        Name in the registry.
    component : str, optional
        Name of its strength; the primitive's own name where not given.

    Returns
    -------
    callable
        A decorator that returns the function unchanged.

    Warns
    -----
    UserWarning
        Where the name is registered already; the newer one wins.
    """

    def register(function: NoiseFunction) -> NoiseFunction:
        if name in _PRIMITIVES:
            warnings.warn(f"noise primitive {name!r} is replaced", stacklevel=2)
        _PRIMITIVES[name] = Primitive(name, component or name, function)
        return function

    return register


def get_primitive(name: str) -> Primitive:
    """Return the primitive of that name.

    Raises
    ------
    InputError
        Where there is none.
    """
    try:
        return _PRIMITIVES[name]
    except KeyError:
        known = ", ".join(sorted(_PRIMITIVES))
        raise InputError(f"no noise primitive {name!r}", advice=f"Known: {known}") from None
