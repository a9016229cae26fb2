"""A plain reference implementation of the statistics of a pair: loops, and no code of the package.

Depths are in µm, ascending, strengths fractions of 1.
"""

import numpy as np
from scipy import interpolate, optimize, stats


def pseudo_residuals(z):
    rows = np.zeros((len(z), len(z)))
    for i in range(1, len(z) - 1):
        a = (z[i + 1] - z[i]) / (z[i + 1] - z[i - 1])
        rows[i, i - 1 : i + 2] = np.array([a, -1.0, 1 - a]) / np.sqrt(a * a + (1 - a) ** 2 + 1)
    return rows


def contrast(z, d, w):
    """Return estimate, SE, degrees of freedom; None below 5 planes or without spread."""
    if len(z) < 5:
        return float(w @ d), None, None
    rows = pseudo_residuals(z)
    e2 = (rows @ d) ** 2
    e2[0], e2[-1] = e2[1:4].mean(), e2[-4:-1].mean()
    if not e2.sum() > 1e-24:
        return float(w @ d), None, None
    share = w**2
    share[1:4] += w[0] ** 2 / 3
    share[-4:-1] += w[-1] ** 2 / 3
    share[[0, -1]] = 0
    near = [
        e2[[min(max(j, 0), len(z) - 1) for j in range(i - 3, i + 4)]].mean() for i in range(len(z))
    ]
    form = rows.T @ np.diag(share) @ rows @ np.diag(near)
    dof = max(np.trace(form) ** 2 / np.trace(form @ form), 1.0)
    return float(w @ d), float(np.sqrt(w**2 @ e2)), float(dof)


def spline(z, knots_um):
    """Return the basis of a cubic regression spline, with fewer terms for few planes."""
    n = len(z)
    inner = max(0, min(round((z[-1] - z[0]) / knots_um) - 1, n // 3 - 4))
    degree = min(3, max(1, n // 3 - 1))
    knots = [*[z[0]] * degree, *np.linspace(z[0], z[-1], inner + 2), *[z[-1]] * degree]
    terms = len(knots) - degree - 1
    one = np.eye(terms)
    columns = [interpolate.BSpline(knots, one[i], degree)(z) for i in range(terms)]
    return np.array(columns).T


def near_contrast(z, d, w, knots_um):
    """Return estimate, SE, degrees of freedom: a spline, errors correlated by rho ** (gap / step).

    The correlation is that of restricted maximum likelihood, corrected upwards for its bias.
    """
    X, n = spline(z, knots_um), len(z)
    p = X.shape[1]
    away = np.abs(z[:, None] - z) / np.median(np.diff(z))

    def fitted(rho):
        R = rho**away if rho else np.eye(n)
        inverse = np.linalg.inv(R)
        M = X.T @ inverse @ X
        left = d - X @ np.linalg.solve(M, X.T @ inverse @ d)
        return R, M, left @ inverse @ left

    def criterion(rho):
        R, M, rss = fitted(rho)
        return np.linalg.slogdet(R)[1] + np.linalg.slogdet(M)[1] + (n - p) * np.log(rss)

    best = optimize.minimize_scalar(criterion, bounds=(0, 0.995), method="bounded")
    rho = best.x if best.fun < criterion(0.0) else 0.0
    rho = min(1 - (1 - rho) / (1 + 3 * rho * (p / (n * (1 - rho))) ** 2), 0.995)
    R, _, rss = fitted(rho)
    dof = max(n * (1 - rho) / (1 + rho) - p - 3, 1.5) if rho else n - p
    return w @ d, np.sqrt(rss / (n - p) * (w @ R @ w)), dof


def compared(z, first, second, u_first, u_second):
    """Return slope and mean: estimate, 95 % interval, dof, p and reading limit."""
    centred = z - z.mean()
    found = {}
    for name, w in (
        ("slope", centred / (centred @ centred)),
        ("mean", np.full(len(z), 1 / len(z))),
    ):
        value, se, dof = contrast(z, first - second, w)
        half = stats.t.ppf(0.975, dof) * se
        found[name] = {
            "estimate": value,
            "ci95": (value - half, value + half),
            "dof": dof,
            "p": 2 * stats.t.sf(abs(value) / se, dof),
            "reading_limit": sum(abs(w) * np.hypot(u_first, u_second)),
        }
    return found


def local_lines(z, h):
    rows = np.zeros((len(z), len(z)))
    for i, x in enumerate(z):
        k = np.clip(1 - ((z - x) / h) ** 2, 0, None)
        X = np.column_stack([np.ones_like(z), z - x])
        rows[i] = np.linalg.solve(X.T @ (k[:, None] * X) + 1e-9 * np.eye(2), (k[:, None] * X).T)[0]
    return rows


def local_variance(z, d):
    e2 = (pseudo_residuals(z) @ d) ** 2
    e2[0], e2[-1] = e2[1], e2[-2]
    e2 = np.r_[[e2[0]] * 3, e2, [e2[-1]] * 3]
    return np.array([e2[i : i + 7].mean() for i in range(len(z))])


def band(z, d, samples, seed):
    """Return the smooth, its SE and the critical value for all depths at once."""
    lines, v = local_lines(z, max(70.0, 3.5 * np.median(np.diff(z)))), local_variance(z, d)
    v = np.maximum(v, 1e-3 * v.mean() + 1e-20)
    rng, largest = np.random.default_rng(seed), []
    for _ in range(samples):
        e = rng.normal(size=len(z))
        own = np.maximum(local_variance(z, e), 1e-3)
        largest.append(np.max(np.abs(lines @ e) / np.sqrt(lines**2 @ own)))
    return lines @ d, np.sqrt(lines**2 @ v), np.quantile(largest, 0.95)
