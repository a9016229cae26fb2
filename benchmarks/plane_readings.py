"""A table of plane readings of simulated tissues, from which calibration draws its stacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from record import RESULTS

from cop_core.components import DEFAULT_COMPONENTS
from cop_core.recipes import StackOptions
from cop_core.records import (
    NO_SIGNAL,
    DepthProfile,
    PlaneEstimate,
    Provenance,
    StoredImage,
    WeightsUsed,
)

TABLE = RESULTS / "plane_readings.csv.gz"
NOISES = tuple(DEFAULT_COMPONENTS[:-1])
ADDED = {"amplifier": "gaussian", "impulses": "salt_pepper", "scatter": "anisotropic"}
"""The component of the noise added in a stack, by the stack's name."""
UNIT = 1e-6
"""Scale of the strengths in the table, which are integers."""
_DOUBT, _TRUE = "uncertainty of ", "true "
_SHOT = WeightsUsed("default", "", "microscopy", ("shot",))
_MADE = Provenance(
    "table", StackOptions(), StoredImage("table", "ZYX", (0, 0, 0), "", (0, 0)), _SHOT
)


def table_of(
    found: DepthProfile, truths: Sequence[Mapping[str, float]], **named: str | float
) -> pd.DataFrame:
    """Return one row per plane: the reading, its uncertainty, and the truth.

    Parameters
    ----------
    found : DepthProfile
        As read; a plane without signal has no strengths.
    truths : sequence of mapping of str to float
        True strengths of each plane.
    **named
        Columns that identify the stack.
    """
    doubt = np.array([p.uncertainty if p.uncertainty.size else p.mean for p in found.planes])
    names = found.components
    strengths = {
        **dict(zip(names, found.mean.T, strict=True)),
        **dict(zip((_DOUBT + name for name in names), doubt.T, strict=True)),
        **{_TRUE + name: np.array([truth[name] for truth in truths]) for name in NOISES},
    }
    whole = {k: pd.array(np.rint(v / UNIT), dtype="Int64") for k, v in strengths.items()}
    return pd.DataFrame(named | {"depth_um": found.depth_um, "power_mw": found.power} | whole)


def load_table() -> pd.DataFrame:
    """Return the table, strengths as fractions of 1."""
    table = pd.read_csv(TABLE)
    strengths = [
        c
        for c in map(str, table)
        if c.removeprefix(_DOUBT).removeprefix(_TRUE) in DEFAULT_COMPONENTS
    ]
    table[strengths] *= UNIT
    return table


def means(rows: pd.DataFrame) -> np.ndarray:
    """Return the strengths read, shape (planes, components); NaN without signal."""
    return rows[list(DEFAULT_COMPONENTS)].to_numpy(np.float64)


def doubts(rows: pd.DataFrame) -> np.ndarray:
    """Return the uncertainty of the strengths, same shape."""
    return rows[[_DOUBT + name for name in DEFAULT_COMPONENTS]].to_numpy(np.float64)


def truths(rows: pd.DataFrame) -> np.ndarray:
    """Return the true strengths of the noises, shape (planes, noises)."""
    return rows[[_TRUE + name for name in NOISES]].to_numpy(np.float64)


def profile_of(
    name: str,
    depth_um: np.ndarray,
    mean: np.ndarray,
    doubt: np.ndarray,
    power_mw: np.ndarray | float = np.nan,
) -> DepthProfile:
    """Return a profile as if it had been read; planes that are NaN have no signal.

    Parameters
    ----------
    depth_um : ndarray of shape (planes,)
    mean, doubt : ndarray of shape (planes, components)
    power_mw : ndarray of shape (planes,) or float
    """
    powers = np.broadcast_to(power_mw, depth_um.shape)
    there = np.isfinite(mean).all(axis=1)
    rows = zip(depth_um, powers, mean, doubt, there, strict=True)
    planes = tuple(
        PlaneEstimate(
            index=index,
            depth_um=float(depth),
            power=float(power),
            mean=values,
            sd=np.zeros(len(values)),
            n_crops=1,
            signal=1.0,
            reason="" if kept else NO_SIGNAL,
            uncertainty=own if kept else np.empty(0),
        )
        for index, (depth, power, values, own, kept) in enumerate(rows)
    )
    return DepthProfile(name, tuple(DEFAULT_COMPONENTS), planes, provenance=_MADE)


def profile_in(rows: pd.DataFrame, name: str) -> DepthProfile:
    """Return the profile of a stack in the table."""
    depth_um, power_mw = rows.depth_um.to_numpy(), rows.power_mw.to_numpy()
    return profile_of(name, depth_um, means(rows), doubts(rows), power_mw)
