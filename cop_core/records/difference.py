"""Record of the difference between two protocols in one component."""

from __future__ import annotations

from dataclasses import dataclass

from cop_core.records.arrays import UNKNOWN, Interval

_NAN = float("nan")


@dataclass(frozen=True)
class ComponentDifference:
    """Difference in one component, first protocol minus second; NaN means undefined.

    A positive slope difference or d means that the component grows faster, or is stronger, under
    the first protocol.

    Attributes
    ----------
    slope_difference_per_um, se, dof, slope_difference_ci95, p_value
        For two stacks, the difference of the slopes if the tissue were imaged again; for several,
        over future animals (or stacks, if no animals are stated). The p value follows the
        comparison's rule.
    p_holm : float
        `p_value` after Holm's correction over the noise components, and over pairs if more than two
        protocols are compared; NaN for clean.
    reading_limit_per_um : float
        Slope difference that a bias of the readings as large as their stated uncertainty could
        cause; NaN if the weights state none.
    called : bool
        Whether `p_holm` is below 0.05 and the difference above the reading limit. If not, nothing
        is claimed, not even that there is no difference.
    mean_difference, mean_difference_ci95, mean_p_value, mean_p_holm
        The same for the mean over the planes.
    mean_reading_limit, mean_called
        Likewise.
    cohen_d, hedges_g : float
        Difference of the means in pooled SDs: SDs of plane means for two stacks, of animals' means
        for several.
    cohen_d_ci95 : (float, float)
        Its 95 % interval; for two stacks, that of the expected readings.
    cohen_d_class : str
        Class of the end of that interval nearer to 0, by the comparison's rule; none below the
        reading limit.
    equivalence_p_first, equivalence_p_second, equivalence_p_difference : float
        p of the hypotheses that each slope, and their difference, are no smaller than the margin,
        reading limit included; NaN without a margin.
    """

    slope_difference_per_um: float = _NAN
    se: float = _NAN
    dof: float = _NAN
    slope_difference_ci95: Interval = UNKNOWN
    p_value: float = _NAN
    p_holm: float = _NAN
    reading_limit_per_um: float = _NAN
    called: bool = False
    mean_difference: float = _NAN
    mean_difference_ci95: Interval = UNKNOWN
    mean_p_value: float = _NAN
    mean_p_holm: float = _NAN
    mean_reading_limit: float = _NAN
    mean_called: bool = False
    cohen_d: float = _NAN
    cohen_d_ci95: Interval = UNKNOWN
    cohen_d_class: str = ""
    hedges_g: float = _NAN
    equivalence_p_first: float = _NAN
    equivalence_p_second: float = _NAN
    equivalence_p_difference: float = _NAN

    @property
    def any_called(self) -> bool:
        """Whether the difference of the slopes or that of the means is called."""
        return self.called or self.mean_called
