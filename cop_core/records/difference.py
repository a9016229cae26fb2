"""What differs in one component between two protocols."""

from __future__ import annotations

from dataclasses import dataclass

from cop_core.records.arrays import UNKNOWN, Interval

_NAN = float("nan")


@dataclass(frozen=True)
class ComponentDifference:
    """What differs in one component, first protocol minus second; NaN means undefined.

    A positive slope difference or d means that the component grows faster, or is stronger, under
    the first protocol.

    Attributes
    ----------
    slope_difference_per_um, se, dof, slope_difference_ci95, p_value
        Of two stacks, how far their slopes differ if the tissue is imaged again; of several, over
        animals to come (or stacks, where none are stated). The p value is by the comparison's rule.
    p_holm : float
        `p_value` after Holm's correction over the noise components, and over pairs where more than
        two protocols are compared; NaN for clean.
    reading_limit_per_um : float
        Slope difference that a bias of the readings as large as their stated uncertainty could
        make; NaN where the weights state none.
    called : bool
        Whether `p_holm` is below 0.05 and the difference above the reading limit. Where not,
        nothing is said, not even that there is no difference.
    mean_difference, mean_difference_ci95, mean_p_value, mean_p_holm
        Of the mean over the planes, as of the slope.
    mean_reading_limit, mean_called
        Likewise.
    cohen_d, hedges_g : float
        Difference of the means in pooled SDs: of plane means for two stacks, of animals' means for
        several.
    cohen_d_ci95 : (float, float)
        Its 95 % interval; of the expected readings for two stacks.
    cohen_d_class : str
        Class of the end of that interval that is nearer to 0, by the comparison's rule; none below
        the reading limit.
    equivalence_p_first, equivalence_p_second, equivalence_p_difference : float
        p of each slope, and of their difference, being no smaller than the margin, reading limit
        included; NaN without a margin.
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
