"""Records of a cohort: its table, correlations of settings, and attributions of noise to them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cop_core.recipes import CohortPicture, CohortRecipe, SettingValue
from cop_core.records.arrays import UNKNOWN, Interval, Matrix, Vector
from cop_core.records.profile import DepthProfile
from cop_core.records.provenance import FileIdentity, Provenance, Role

_NAN = float("nan")
_SURE = 0.95 - 1e-9


@dataclass(frozen=True)
class PictureQuality:
    """Similarity of an image to its reference.

    Attributes
    ----------
    psnr_db : float
        Peak signal-to-noise ratio over the reference's range; infinite if they are identical.
    ssim : float
        Structural similarity.
    reference : Provenance
        Of the reference image.
    """

    psnr_db: float
    ssim: float
    reference: Provenance


@dataclass(frozen=True)
class PictureRecord:
    """Result of one image or stack of a cohort.

    Attributes
    ----------
    row : CohortPicture
        What was asked for.
    profile : DepthProfile or None
        The reading; None if it failed.
    error : str
        Why it failed; empty if it did not.
    resumed : bool
        Whether an earlier run had read it.
    inputs : dict of Role to FileIdentity
        Its files by role, as they were when it was read.
    quality : PictureQuality or None
        None without a reference that can be used.
    reference_error : str
        Why its reference cannot be used; empty if it can, or if there is none.
    """

    row: CohortPicture
    profile: DepthProfile | None = None
    error: str = ""
    resumed: bool = False
    inputs: dict[Role, FileIdentity] = field(default_factory=dict)
    quality: PictureQuality | None = None
    reference_error: str = ""


@dataclass(frozen=True)
class CohortRow:
    """One row of a cohort's table: an image, or a plane of a stack.

    Attributes
    ----------
    picture : str
        Name of the image or stack.
    plane : int
    group : str
        Rows of one group are not independent.
    settings : dict
        Value by name; depth and power of a stack's planes are among them.
    strengths, uncertainty : ndarray of shape (components,)
        As in `PlaneEstimate`.
    photons : float
        At full scale; NaN if the weights do not give them.
    psnr_db, ssim : float
        NaN without a reference.
    """

    picture: str
    plane: int
    group: str
    settings: dict[str, SettingValue]
    strengths: Vector
    uncertainty: Vector
    photons: float = _NAN
    psnr_db: float = _NAN
    ssim: float = _NAN


@dataclass(frozen=True)
class Coefficient:
    """A correlation coefficient.

    Attributes
    ----------
    value, ci95, p_value
        NaN where undefined.
    p_holm : float
        Holm's correction over all coefficients of its kind in the cohort.
    """

    value: float = _NAN
    ci95: Interval = UNKNOWN
    p_value: float = _NAN
    p_holm: float = _NAN


@dataclass(frozen=True)
class Correlation:
    """Correlation of a setting or quality of the images with a strength.

    Attributes
    ----------
    what : str
        A setting, one word of it (``"camera = d800"``), or a quality.
    component : str
    n, n_groups : int
        Rows and groups for which both are known.
    """

    what: str
    component: str
    n: int
    n_groups: int
    pearson: Coefficient
    spearman: Coefficient


@dataclass(frozen=True)
class Confounded:
    """Two settings that were changed together.

    Attributes
    ----------
    association : float
        From 0 to 1: absolute rank correlation, correlation ratio of ranks, or Cramér's V.
    """

    first: str
    second: str
    association: float


@dataclass(frozen=True)
class Share:
    """Share of one factor in the attribution of a noise.

    Attributes
    ----------
    factor : str
        A setting, or several that were changed together.
    mean_abs_shap : float
        Mean over rows of the absolute SHAP value, in strength.
    share : float
        Share of the sum over factors, from 0 to 1.
    share_ci95 : (float, float)
        Over resampled groups.
    leads : float
        Fraction of these resamples in which its share is the largest.
    """

    factor: str
    mean_abs_shap: float
    share: float
    share_ci95: Interval = UNKNOWN
    leads: float = _NAN


@dataclass(frozen=True)
class Attribution:
    """How far settings explain one noise.

    Attributes
    ----------
    component : str
    mean, sd : float
        Of its strength over rows.
    r2, r2_null95 : float
        R² out of sample, and the 95th percentile of R² for permuted strengths.
    p_value : float
        From the permutations, corrected over the noises by the maximum statistic.
    note : str
        Why nothing is attributed; empty if something is.
    shares : tuple of Share
        The largest first; empty if nothing is attributed.
    shap : ndarray of shape (rows, factors)
        SHAP values in strength, in the order of `CohortRecord.factors`; (0, 0) if nothing is
        attributed.
    """

    component: str
    mean: float
    sd: float
    r2: float = _NAN
    r2_null95: float = _NAN
    p_value: float = _NAN
    note: str = ""
    shares: tuple[Share, ...] = ()
    shap: Matrix = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def drawn(self) -> bool:
        """Whether there are SHAP values to show."""
        return bool(self.shares)

    @property
    def leaders(self) -> tuple[Share, ...]:
        """The largest share, with as few others as lead, together, in 95 % of the resamples."""
        others = sorted(self.shares[1:], key=lambda each: -each.leads)
        held = np.cumsum([each.leads for each in (*self.shares[:1], *others)])
        n = int((held < _SURE).sum())
        return tuple(each for each in self.shares if each in (*self.shares[:1], *others[:n]))


@dataclass(frozen=True)
class Turn:
    """The setting whose change lowers a noise most, within the values that were tried.

    Attributes
    ----------
    usual, best : float or str
        Its median or most frequent value, and the value with the lowest predicted strength.
    strength_usual, strength_best : float
        Predicted strengths: means over rows, with all other settings as they were.
    change, change_ci95 : float, (float, float)
        Best minus usual, and its interval over resampled groups.
    """

    component: str
    setting: str
    usual: SettingValue
    best: SettingValue
    strength_usual: float
    strength_best: float
    change: float
    change_ci95: Interval


@dataclass(frozen=True)
class CohortRecord:
    """Results of a cohort.

    Attributes
    ----------
    recipe : CohortRecipe
        What was asked for.
    pictures : tuple of PictureRecord
        In the order of the recipe.
    components : tuple of str
        Names of the strengths.
    rows : tuple of CohortRow
        Usable planes.
    settings : tuple of str
        Those that vary enough to be analysed.
    left_out : dict of str to str
        Other settings, with the reason.
    uncertain : tuple of str
        Components whose strength varies less than the uncertainty of its readings.
    factors : tuple of str
        Settings; those that were changed together are joined by `` & ``.
    """

    recipe: CohortRecipe
    pictures: tuple[PictureRecord, ...]
    components: tuple[str, ...] = ()
    rows: tuple[CohortRow, ...] = ()
    settings: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)
    uncertain: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    confounded: tuple[Confounded, ...] = ()
    attributions: tuple[Attribution, ...] = ()
    turn: Turn | None = None
    next_experiment: str = ""
    verdict: str = ""
    caveats: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[PictureRecord, ...]:
        """Images that could not be opened or read."""
        return tuple(picture for picture in self.pictures if picture.error)

    @property
    def uncompared(self) -> tuple[PictureRecord, ...]:
        """Images whose reference cannot be used."""
        return tuple(picture for picture in self.pictures if picture.reference_error)

    @property
    def resumed(self) -> tuple[PictureRecord, ...]:
        """Images read by an earlier run."""
        return tuple(picture for picture in self.pictures if picture.resumed)

    def values(self, setting: str) -> list[SettingValue | None]:
        """Return the value of a setting for each row; None where not known."""
        return [row.settings.get(setting) for row in self.rows]
