"""The parts of docs/measured.md on clean images with known noise."""

from __future__ import annotations

from measured import DOSED, SHORT, load, table


def accuracy() -> list[str]:
    document = load("accuracy")
    lines = ["## Accuracy on clean images with known noise", ""]
    settings = document["settings"]
    lines += [
        f"`benchmarks/accuracy.py`, {settings['crops']} crops per domain, seed "
        f"{settings['seed']}; seven domains of images not used in training (brain MRI, comics, "
        "histopathology, fluorescence microscopy, photographs, retina, textures), as luminance. "
        "Always predicting the mean gives the RMSE in the last column. By domain, ± is "
        "the standard error over its images, left out one at a time. Dominant: the share of "
        "crops whose largest noise is named correctly.",
        "",
    ]
    rows = []
    for key, found in document["measured"].items():
        o = found["overall"]
        rows.append(
            [
                key,
                f"{o['r2']:.3f} ± {o['r2_sd']:.3f}",
                f"{o['rmse']:.4f} ± {o['rmse_sd']:.4f}",
                *(f"{o['r2_by_component'][c]:.2f}" for c in SHORT),
                f"{o['dominant_accuracy']:.2f}",
                f"{found['baseline']['rmse']:.3f}",
            ]
        )
    lines += table(
        [
            "weights, prior",
            "R² (SD over domains)",
            "RMSE",
            *SHORT.values(),
            "dominant noise named",
            "baseline",
        ],
        rows,
    )
    for key, found in document["measured"].items():
        if key == "paper-small paper":
            lines += [f"By domain, {key}: in [the next section](#the-papers-twelve-domains).", ""]
            continue
        lines += [f"By domain, {key}:", ""]
        lines += table(
            ["domain", "R²", "RMSE", *SHORT.values()],
            [
                [
                    name,
                    f"{d['r2']:.3f} ± {d['r2_se']:.3f}",
                    f"{d['rmse']:.4f} ± {d['rmse_se']:.4f}",
                    *(f"{d['r2_by_component'][c]:.2f}" for c in SHORT),
                ]
                for name, d in found["domains"].items()
            ],
        )
    return lines


def ladder() -> list[str]:
    """Return costs and gains of a larger network."""
    rates = load("speed")["measured"]["crops a second"]
    found = load("accuracy")["measured"]
    rows = []
    for name, of in load("speed")["measured"]["networks"].items():
        scores = [found.get(f"{name} {prior}", {}).get("overall") for prior in ("wide", "paper")]
        rows.append(
            [
                name,
                f"{of['layers']} x {of['width']}",
                f"{of['parameters'] / 1e6:.1f} million",
                f"{rates[f'{name} float32']:.1f}",
                f"{rates[f'{name} bfloat16']:.1f}",
                *(f"{s['r2']:.3f} / {s['rmse']:.4f}" if s else "no weights" for s in scores),
            ]
        )
    return [
        "## A ladder of networks",
        "",
        "Speed by `benchmarks/speed.py`, alternating on the same crops in one run; accuracy on "
        "the microscopy genome as above, R² / RMSE.",
        "",
        *table(
            [
                "network",
                "layers x width",
                "parameters",
                "crops/s, float32",
                "crops/s, bfloat16",
                "wide prior",
                "paper's prior",
            ],
            rows,
        ),
    ]


def dose() -> list[str]:
    document = load("dose_response")
    lines = ["## Dose response", ""]
    lines += [
        "`benchmarks/dose_response.py`: one noise at increasing strength, the rest clean. On the "
        "clean domains the prediction should equal the dose; real planes have noise of their own. "
        "An analog detector sums pulses of varying height: this is the same shot noise, but "
        "without photons to count. On real planes a dose far below the plane's own noise does not "
        "show, and any dose removes the lattice of the stored integers, which explains the rows "
        "that do not rise.",
        "",
    ]
    for name, inputs in document["measured"].items():
        for title, responses in inputs.items():
            if title != "mean of domains" and not title.startswith("plane"):
                continue
            doses = next(iter(responses.values()))["doses"]
            lines += [f"{name}, {title}:", ""]
            rows = []
            for component, r in responses.items():
                own = r["predicted"][component.partition(",")[0]]
                rows.append(
                    [
                        DOSED[component],
                        *(f"{v:.3f}" for v in own),
                        f"{r['slope']:.2f}",
                        "yes" if r["rises"] else "no",
                    ]
                )
            lines += table(["noise added", *(f"{d:g}" for d in doses), "slope", "rises"], rows)
    return lines


def uncertainty() -> list[str]:
    document = load("uncertainty")
    lines = [
        "## Uncertainty",
        "",
        f"`benchmarks/uncertainty.py`, {document['settings']['crops']} crops per domain: the share "
        "of true strengths within the stated 90 % interval, the mean predictive SD beside the "
        "RMSE, and the share of crops that are flagged as unusual.",
        "",
    ]
    rows, odd = [], []
    for key, found in document["measured"].items():
        if key.endswith("odd input"):
            odd += [
                [key.split()[0], kind, f"{100 * v['called strange']:.0f} %",
                 f"{v['mean uncertainty']:.3f}"]
                for kind, v in found.items()
            ]  # fmt: skip
            continue
        rows += [
            [
                key,
                domain,
                f"{100 * v['coverage']:.1f} %",
                f"{v['mean uncertainty']:.4f}",
                f"{v['rmse']:.4f}",
                f"{v['rank correlation of uncertainty and error']:.2f}",
                f"{100 * v['called strange']:.1f} %",
            ]
            for domain, v in found.items()
        ]
    head = ["weights, prior", "domain", "coverage", "uncertainty", "RMSE",
            "rank correlation with the error", "flagged as unusual"]  # fmt: skip
    lines += table(head, rows)
    lines += ["Input that is not an image with noise:", ""]
    return lines + table(["weights", "input", "flagged as unusual", "uncertainty"], odd)


def weak_places() -> list[str]:
    document = load("weak_places")
    rows = [
        [
            *key.split(", "),
            f"{v['r2']:.3f}",
            f"{v['rmse']:.4f}",
            f"{v['uncertainty']:.4f}",
            f"{100 * v['coverage']:.1f} %",
        ]
        for key, v in document["measured"].items()
    ]
    return [
        "## Near white, clipping, bright",
        "",
        f"`benchmarks/weak_places.py`, {document['settings']['crops']} crops of each kind: "
        "images of the domains turned into pencil drawings, stretched until 2 to 30 % of their "
        "pixels clip at each end, or exposed up to six times longer. None of them was used in "
        "any fit.",
        "",
        *table(["weights, prior", "images", "R²", "RMSE", "uncertainty", "coverage"], rows),
    ]


def own_noise() -> list[str]:
    document = load("own_noise")
    of_images = document["measured"]["images"]
    noisy = {n: v for n, v in of_images.items() if v["own"] > document["settings"]["noisy"]}
    rows = [
        [prior, which, str(v["images"]), f"{v['r2']:.2f} ± {v['r2_se']:.2f}"]
        for prior in ("paper", "wide")
        for which, v in document["measured"][prior].items()
    ]
    listed = ", ".join(
        f"{name.removesuffix('.png')} {v['own']:.2f} ({v['read']:.2f})" for name, v in noisy.items()
    )
    rest = [v["own"] for name, v in of_images.items() if name not in noisy]
    return [
        "## Noise of the clean images",
        "",
        f"`benchmarks/own_noise.py`, {document['settings']['crops']} crops: R² of the Poisson "
        "strength on the fluorescence images, whose truth is the noise that was added. Some have "
        "shot noise of their own, which cannot be told from it. By an estimate without the "
        "network, and in parentheses as the network reads the image itself, it has a strength of "
        f"{listed}; in the other {len(rest)} images at most {max(rest):.2f}.",
        "",
        *table(["prior", "images", "number", "R² of Poisson"], rows),
    ]


def left_out() -> list[str]:
    document = load("left_out")
    runs = document["measured"]
    (every,) = (found for run, found in runs.items() if run.startswith("nothing"))
    without = {
        run.partition(" left out")[0]: found for run, found in runs.items() if found is not every
    }
    rows = [
        [
            kind,
            *(f"{of[kind]['r2']:.2f}" for of in (every, found)),
            *(f"{of[kind]['rmse']:.3f}" for of in (every, found)),
            *(f"{100 * of[kind]['coverage']:.1f} %" for of in (every, found)),
        ]
        for kind, found in without.items()
    ]
    covered = [100 * v["coverage"] for found in runs.values() for v in found.values()]
    return [
        "## Kinds of scenes left out of training",
        "",
        "`benchmarks/left_out.py`: small networks (crops of "
        f"{document['settings']['crop']} pixels, "
        f"{document['settings']['steps']} steps) trained on scenes of all kinds, and on all kinds "
        "but one; the fit of the uncertainty leaves the same kind out. Scored on scenes of that "
        "kind; the share of true strengths within the stated 90 % interval is "
        f"{min(covered):.0f} to {max(covered):.0f} % over all kinds, the seven domains and runs.",
        "",
        *table(
            ["kind", "R²", "left out", "RMSE", "left out", "coverage", "left out"],
            rows,
        ),
    ]


def amplifier_noise() -> list[str]:
    names = ("gaussian", "poisson", "quantization")
    columns = ("true", "RMSE", "uncertainty", "coverage")
    rows = [
        [
            where,
            str(v["planes"]),
            *(
                cell
                for name in names
                for cell in (
                    f"{v[f'{name} true']:.3f}",
                    f"{v[f'{name} squared error'] ** 0.5:.3f}",
                    f"{v[f'{name} SD']:.3f}",
                    f"{100 * v[f'{name} covered']:.0f} %",
                )
            ),
        ]
        for where, v in load("amplifier_noise")["measured"].items()
    ]
    head = [f"{SHORT[name]}: {column}" for name in names for column in columns]
    return [
        "## Amplifier noise combined with shot noise",
        "",
        "`benchmarks/amplifier_noise.py`, `default`: crops of simulated planes on their "
        "percentiles, with and without the detector's zero level, by the true Poisson strength.",
        "",
        *table(["planes of", "n", *head], rows),
    ]


def robustness() -> list[str]:
    document = load("robustness")
    rows = [
        [name, f"{v['r2']:.3f}", f"{v['rmse']:.4f}"] for name, v in document["measured"].items()
    ]
    return [
        "## Robustness",
        "",
        f"`benchmarks/robustness.py`, {document['settings']['crops']} crops of each of the seven "
        "domains, `default`, the paper's prior: the same strengths and noise after a change of "
        "the clean image, or with a different storage after the noise.",
        "",
        *table(["change", "R²", "RMSE"], rows),
    ]


def peers() -> list[str]:
    document = load("peers")
    found = document["measured"]
    names = list(next(iter(found.values())))
    rows = [
        [
            kind,
            *(
                f"{by_reader[name]['all']['rmse']:.4f}" if name in by_reader else "–"
                for name in names
            ),
        ]
        for kind, by_reader in found.items()
    ]
    return [
        "## Classical estimators side by side",
        "",
        f"`benchmarks/peers.py`, {document['settings']['crops']} crops per domain: RMSE of the SD "
        "of Gaussian noise, as share of full scale. Alone, then in mixtures of all noises under "
        "the paper's prior, which classical tools do not model. A classical tool reads "
        "whatever noise there is; a network also has to decide that it is not shot noise, which "
        "is impossible in a crop with little contrast. *With shot noise*: `Estimator.noise_sd`, "
        "the SD of both together at the mean of the crop, which is what the classical tools "
        "estimate.",
        "",
        *table(["noise, SD", *names], rows),
    ]


def shift() -> list[str]:
    document = load("domain_shift")
    found = document["measured"]
    return [
        "## Distance between domains",
        "",
        f"`benchmarks/domain_shift.py`, {document['settings']['crops']} crops per domain, "
        "strengths from the paper's prior, each network on its own genome: squared maximum mean "
        "discrepancy of the features, unbiased, mean over all pairs of domains. The paper "
        "reports 0.013 with contrastive pre-training and 0.267 without.",
        "",
        *table(
            ["weights", "mean", "largest"],
            [
                [name, f"{v['mean_squared_mmd']:.4f}", f"{far['squared_mmd']:.4f}"]
                for name, v in found.items()
                for far in [max(v["pairs"], key=lambda pair: pair["squared_mmd"])]
            ],
        ),
    ]
