"""Sparse matrices; the adapter of scipy."""

from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix  # pyright: ignore[reportMissingTypeStubs] it has none

from steward.services.support.understanding.weighting import Rows


class Sparse(Protocol):
    """What is used of a matrix of `scipy.sparse`."""

    @property
    def T(self) -> "Sparse": ...  # noqa: N802 scipy's name

    def __matmul__(self, other: Any) -> Any: ...

    def __getitem__(self, rows: NDArray[np.bool_]) -> "Sparse": ...


def sparse(rows: Rows, columns: int) -> Sparse:
    """Weighed texts as a matrix, a row for each text."""
    shape = (len(rows.starts) - 1, columns)
    return cast("Sparse", csr_matrix((rows.values, rows.columns, rows.starts), shape=shape))
