from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from cop_core.errors import InputError
from cop_core.power import useq_plan
from cop_core.power.bright_signal import BrightSignal
from cop_core.recipes import AcquisitionOptions, PowerOptions, RecommendRecipe
from cop_core.report import write_report
from cop_core.stacks import open_stack

useq = pytest.importorskip("useq")
plans = pytest.importorskip("cop_core.power.acquisition_plan")

Z = np.arange(24) * 20.0


@pytest.fixture(scope="module")
def found():
    """A recommendation from an exact law."""
    from cop_core.power import attenuation
    from cop_core.power.held_quantity import hold_signal
    from cop_core.power.recommend import recommend_at

    bright = 100 + 125 * 30 * np.exp(-3 * Z / 300) * (1 + 1e-3 * np.cos(np.arange(24) ** 2))
    signal = BrightSignal(
        "made", Z, np.full(24, 5.0), bright, np.full(24, 100.0), bright, np.full(24, 0.01),
        ("",) * 24,
    )  # fmt: skip
    fall = attenuation(signal, offset_counts=100)
    options = PowerOptions(max_power_mw=15)
    asked = RecommendRecipe(power=options)
    return replace(recommend_at(Z, fall, hold_signal(fall), options), recipe=asked)


def at_a_place(top, step=20, bottom=0):
    """Return a stage position with a z plan of its own, in JSON types."""
    return {"x": 0, "sequence": {"z_plan": {"top": top, "bottom": bottom, "step": step}}}


def powers(events):
    return [value for event in events for device, name, value in event.properties]


def test_every_plane_gets_its_power(found):
    events = list(useq_plan(found))
    assert powers(events) == found.power_mw.tolist()
    assert max(powers(events)) == 15.0
    assert [event.z_pos for event in events] == pytest.approx(Z.tolist())
    assert [event.index["z"] for event in events] == list(range(24))
    assert events[3].properties == [("Laser", "Power_mW", found.power_mw[3])]


@pytest.mark.parametrize(("surface", "down"), [(0.0, 1), (500.0, -1), (-30.0, 1)])
def test_stage_positions(found, surface, down):
    options = AcquisitionOptions(surface_um=surface, stage_falls=down < 0)
    plan = useq_plan(found, options)
    assert [event.z_pos for event in plan] == pytest.approx((surface + down * Z).tolist())
    assert isinstance(plan.z_plan, useq.ZTopBottom)  # keeps the step where the data are written
    with pytest.raises(InputError, match="0 is not a direction"):
        plans.power_sequence(found, options.laser, downwards=0)


def test_uneven_depths(found):
    uneven = replace(found, depth_um=Z**1.1, power=found.power)
    assert [event.z_pos for event in useq_plan(uneven)] == pytest.approx((Z**1.1).tolist())


def test_channels_and_times_keep_the_power_of_the_plane(found):
    plan = useq_plan(found)
    more = plan.replace(channels=["green", "red"], time_plan={"interval": 0, "loops": 2})
    events = list(more)
    assert len(events) == 24 * 4
    for event in events:
        assert event.properties[-1][2] == found.power_mw[event.index["z"]]


def test_plans_come_back_from_their_file(found, tmp_path):
    plan = useq_plan(found, AcquisitionOptions(laser=("Pockels", "mW")))
    path = tmp_path / "plan.json"
    path.write_text(plans.plan_text(plan))
    again = plans.read_plan(path)
    assert powers(again) == found.power_mw.tolist()
    assert list(again) == list(plan)
    # without this package, by useq-schema alone
    bare = [useq.MDAEvent(**event) for event in json.loads(path.read_text())["events"]]
    assert powers(bare) == found.power_mw.tolist()
    assert [event.z_pos for event in bare] == pytest.approx(Z.tolist())


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["sequence"]["power_mw"].__setitem__(3, 1e6),
        lambda d: d["sequence"]["power_mw"].__setitem__(3, "5"),
        lambda d: d["sequence"]["power_mw"].__setitem__(3, True),
        lambda d: d["sequence"]["power_mw"].__setitem__(3, -1.0),
        lambda d: d["sequence"]["power_mw"].__setitem__(3, float("nan")),
        lambda d: d["sequence"]["power_mw"].pop(),
        lambda d: d["sequence"].__setitem__("max_power_mw", 1e9),
        lambda d: d["sequence"].pop("max_power_mw"),
        lambda d: d["events"][3]["properties"][0].__setitem__(2, 1e6),
        lambda d: d["events"].pop(),
        lambda d: d.pop("sequence"),
        lambda d: d["sequence"].update(axis_order="tpgc", channels=["green"]),
    ],
)
def test_tampered_plans_are_refused(found, tmp_path, change):
    document = json.loads(plans.plan_text(useq_plan(found)))
    change(document)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(document))
    with pytest.raises(InputError):
        plans.read_plan(path)


@pytest.mark.parametrize("z_plan", [(2000, 20), (100, 20), (230, 10)])
def test_a_place_whose_planes_have_no_power_is_refused(found, tmp_path, z_plan):
    plan = useq_plan(found)
    with pytest.raises(InputError, match="its own z plan with different steps"):
        plan.replace(stage_positions=[at_a_place(*z_plan)])
    document = json.loads(plans.plan_text(plan))
    document["sequence"]["stage_positions"] = [at_a_place(*z_plan)]
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"plan: .* different steps.*the same number of planes"):
        plans.read_plan(path)


def test_a_place_may_lie_at_another_height(found):
    events = list(useq_plan(found).replace(stage_positions=[at_a_place(490, bottom=30), (5, 5)]))
    assert powers(events) == found.power_mw.tolist() * 2
    assert [event.z_pos for event in events[:24]] == pytest.approx((30 + Z).tolist())


def test_a_changed_sequence_cannot_be_run(found):
    plan = useq_plan(found)
    with pytest.raises(InputError, match="above the limit"):
        plan.replace(power_mw=[1e6] * 24)
    forced = plan.model_copy(update={"power_mw": (1e6,) * 24})
    with pytest.raises(InputError, match="above the limit"):
        list(forced)


def test_run_by_pymmcore_plus(found, tmp_path):
    """A device receives the powers, in a process of its own."""
    if find_spec("pymmcore_plus") is None:  # importing it here would set up logging for all tests
        pytest.skip("pymmcore-plus is not installed")
    path = tmp_path / "plan.json"
    path.write_text(plans.plan_text(useq_plan(found, AcquisitionOptions(laser=("Z", "Power_mW")))))
    script = """
import sys
from pymmcore_plus.experimental.unicore import UniMMCore, StageDevice, CameraDevice, pymm_property
import numpy as np
from cop_core.power.acquisition_plan import read_plan
seen = []
class Z(StageDevice):
    z = 0.0
    def home(self): self.z = 0.0
    def stop(self): pass
    def set_origin(self): pass
    def set_position_um(self, val): self.z = val
    def get_position_um(self): return self.z
    power = 0.0
    @pymm_property(limits=(0.0, 1000.0), name="Power_mW")
    def power_mw(self) -> float: return self.power
    @power_mw.setter
    def _set(self, value: float): self.power = value
class Camera(CameraDevice):
    def get_exposure(self): return 1.0
    def set_exposure(self, exposure): pass
    def shape(self): return (4, 4)
    def dtype(self): return np.uint16
    def start_sequence(self, n, get_buffer):
        for _ in range(n):
            get_buffer((4, 4), np.uint16)[:] = 1
            yield {}
core = UniMMCore()
core.loadPyDevice("Z", stage := Z())
core.loadPyDevice("Camera", Camera())
core.initializeDevice("Z"); core.initializeDevice("Camera")
core.setCameraDevice("Camera"); core.setFocusDevice("Z"); core.setAutoShutter(False)
core.mda.events.frameReady.connect(lambda *_: seen.append((stage.z, stage.power)))
core.mda.run(read_plan(sys.argv[1]))
for z, power in seen: print(repr(float(z)), repr(float(power)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
    )
    rows = np.array([line.split() for line in done.stdout.splitlines()], dtype=float)
    assert rows.shape == (24, 2), done.stderr[-2000:]
    assert rows[:, 0] == pytest.approx(Z)
    assert rows[:, 1] == pytest.approx(found.power_mw)


def test_without_useq_the_plan_says_what_to_install(found, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "useq", None)
    monkeypatch.delitem(sys.modules, "cop_core.power.acquisition_plan")
    with pytest.raises(InputError, match=r"plan needs useq.*napari-cop\[live\]"):
        useq_plan(found)


@pytest.mark.usefixtures("quick_figures")
def test_without_a_laser_no_plan_is_left(found, tmp_path):
    folder = write_report(found, tmp_path / "out")
    assert (folder / "plan.json").exists()
    write_report(replace(found, recipe=found.recipe.but(acquisition=None)), folder)
    assert not (folder / "plan.json").exists()
    assert (folder / "power.csv").exists()


@pytest.mark.usefixtures("quick_figures")
def test_a_written_table_can_be_the_power_of_a_stack(found, tmp_path):
    folder = write_report(found, tmp_path / "out", command="cop recommend x")
    stack = open_stack(
        np.full((24, 64, 64), 7, np.uint16), z_step_um=20, power=folder / "power.csv"
    )
    assert stack.power_mw.tolist() == found.power_mw.tolist()
    document = json.loads((folder / "recommendation.json").read_text())
    assert document["provenance"]["command"] == "cop recommend x"
