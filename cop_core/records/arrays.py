"""Arrays as fields of records: JSON lists on disk, numpy arrays in memory."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import PlainSerializer, PlainValidator


def _vector(value: Any) -> npt.NDArray[np.float64]:
    return np.asarray(value, np.float64)


def _matrix(value: Any) -> npt.NDArray[np.float64]:
    found = np.asarray(value, np.float64)
    return found if found.ndim == 2 else np.empty((0, 0))


_LISTED = PlainSerializer(lambda array: array.tolist(), return_type=Any)
Vector = Annotated[npt.NDArray[np.float64], PlainValidator(_vector), _LISTED]
Matrix = Annotated[npt.NDArray[np.float64], PlainValidator(_matrix), _LISTED]
"""An empty one has the shape (0, 0)."""
Interval = tuple[float, float]
UNKNOWN: Interval = (float("nan"), float("nan"))
