"""The plan of a study: read and checked as a whole, and written from a folder."""

import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest
import tifffile
import zarr

from cop_core.errors import InputError
from cop_core.recipes import Option, Recipe, RecipeError, StackOptions, StudyRecipe, StudyStack
from cop_core.recipes.plan import (
    PlanError,
    check_cells,
    columns,
    doubtful_arms,
    plan_cells,
    save_plan,
)
from cop_core.recipes.plan import read_plan as read_whole_plan
from cop_core.recipes.values import Positive, folder_name
from cop_core.stacks import read_power_table
from cop_core.stacks.listing import list_stacks, write_plan


def read_plan(path):
    return read_whole_plan(path, read_power_table).stacks


@pytest.fixture
def folder(tmp_path):
    """Files that a plan may name; they only need to exist."""
    for name in ("a.tif", "b.ome.tif", "c.tif"):
        (tmp_path / name).touch()
    (tmp_path / "power.csv").write_text("depth_um,power_mw\n0,5\n20,6\n")
    return tmp_path


@pytest.fixture
def plan(folder):
    """Write lines as a plan: (lines, encoding) -> path."""

    def plan(*lines, encoding="utf-8"):
        path = folder / "plan.csv"
        path.write_bytes("\n".join([*lines, ""]).encode(encoding))
        return path

    return plan


def problems(path):
    with pytest.raises(PlanError) as raised:
        read_plan(path)
    return list(raised.value.problems)


# --- reading ---------------------------------------------------------------------------------


def test_a_plan_of_every_column(plan, folder):
    first, second, third = read_plan(
        plan(
            "stack,arm,animal,channel,power,z_step_um,axes,time,name,note",
            'a.tif,fixed,m1,0,"gained:5,300,60",4,zcyx,2,first,whatever = 1',
            "",
            "b.ome.tif,Gained,m2,green,power.csv,2.5,,,,",
            "c.tif,gained,m2,,7,metadata,,,,",
        )
    )
    assert (first.line, first.arm, first.name, first.place) == (2, "fixed", "first", "fixed/first")
    assert first.stack == StackOptions(
        source=folder / "a.tif",
        name="first",
        channel=0,
        power="gained:5,300,60",
        z_step_um=4.0,
        axes="ZCYX",
        time=2,
    )
    assert (second.line, second.arm, second.animal) == (4, "gained", "m2")
    assert second.name == "b-cgreen"
    assert second.stack.but(source=None, name=None) == StackOptions(
        channel="green", power=folder / "power.csv", z_step_um=2.5
    )
    assert third.stack.but(source=None, name=None) == StackOptions(power=7.0)


def test_what_spreadsheets_write_is_the_same_plan(plan):
    english = plan("stack,arm,power,z_step_um", "a.tif,fixed,2.5,4", "c.tif,gained,3,4")
    known = read_plan(english)
    for encoding in ("utf-8", "utf-8-sig"):
        german = plan(
            "Stack;Arm;Power;Z step", "a.tif;fixed;2,5;4", "c.tif;gained;3;4", encoding=encoding
        )
        assert read_plan(german) == known


def test_arms_may_have_any_names_that_differ(plan):
    cells = "a.tif,AO on", "b.ome.tif,AO off", "c.tif,Fixed"
    found = read_plan(plan("stack,arm", *cells))
    assert [row.arm for row in found] == ["AO on", "AO off", "fixed"]
    assert found[0].place == "AO_on/a"
    (problem,) = problems(plan("stack,arm", "a.tif,AO on", "c.tif,ao_on"))
    assert problem.startswith(
        "line 3: arm 'ao_on' is too similar to 'AO on' in line 2; use one of them"
    )


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        ("fixed fixed fixed gained gained gaind", ["gaind has one stack: did you mean gained,"]),
        ("fixed fixed gained gaind gaind", ["gained has one stack: did you mean gaind,"]),
        ("fixed fixed gained", []),
        ("gained gaind", []),  # neither has several
        ("gained gained gaind gaind", []),
        ("power-10 power-10 power-20", []),
    ],
)
def test_an_arm_of_one_stack_that_may_be_misspelt_is_asked_about(arms, said):
    rows = [
        StudyStack(line=i + 2, arm=arm, stack=StackOptions(source=f"{i}.tif", name=f"s{i}"))
        for i, arm in enumerate(arms.split())
    ]
    found = doubtful_arms(rows)
    assert [text.removeprefix("the arm ") for text in found] == [
        f"{start} which has {arms.split().count(start.split()[-1].rstrip(','))}?" for start in said
    ]
    assert doubtful_arms(row.but(channel="red") for row in rows) == found


def test_one_error_lists_every_row(plan):
    found = problems(
        plan(
            "stack,arm,channel,power,z_step_um,time,name",
            "a.tif,fixed,,,,,",
            "gone.tif,figures,,,four,,",
            ",fixed,,,,,",
            "c.tif,,,-1,nan,-1,../up",
            "c.tif,gained,,gone.csv,,,",
            'c.tif,gained,,"gained:5,0,60",0,,',
            "c.tif,gained,,gained:5,300,60,4,,",
            "a.tif,gained,,inf,,,",
            "a.tif,gained,,,,,",
            "b.ome.tif,fixed,,,,,A",
        )
    )
    assert [text.partition(":")[0] for text in found] == [
        *["line 3"] * 3,
        "line 4",
        *["line 5"] * 5,
        "line 6",
        *["line 7"] * 2,
        *("line 8", "line 9", "line 10", "line 11"),
    ]
    expected = [
        "no such file or folder 'gone.tif'",
        "arm: 'figures' is reserved for a file of the study; use another name",
        "z_step_um: 'four'",
        "no stack",
        "no arm",
        "'../up' is not a valid folder name; use 'up'",
        *("z_step_um: 'nan'", "power: a power of -1 mW", "time: '-1'"),
        "gone.csv",
        *("z_step_um: '0'", "power: length_um is not above 0"),
        "9 cells for 7 columns; put quotes",
        "power: a power of inf is not",
        "the same stack as in line 2",
        "the name 'A' is used in line 2 too",
    ]
    for text in expected:
        assert sum(text in line for line in found) == 1, text


def test_stacks_and_names_are_told_apart(plan, folder):
    (folder / "m1").mkdir()
    (folder / "m1" / "a.tif").touch()
    (folder / "link.tif").symlink_to(folder / "a.tif")
    header = "stack,arm,channel,time"
    assert len(read_plan(plan(header, "a.tif,fixed,0,", "a.tif,fixed,1,", "a.tif,fixed,0,1"))) == 3
    assert len(read_plan(plan(header, "a.tif,fixed,,", "m1/a.tif,gained,,"))) == 2
    (clash,) = problems(plan(header, "a.tif,fixed,,", "m1/a.tif,fixed,,"))
    assert "different names in the column 'name'" in clash
    (twice,) = problems(plan(header, "a.tif,fixed,,", "link.tif,gained,,"))
    assert "the same stack as in line" in twice


def test_animals_are_stated_for_all_or_none(plan):
    (problem,) = problems(plan("stack,arm,animal", "a.tif,fixed,m1", "c.tif,gained,"))
    assert problem.startswith("line 3: no animal")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "lacks 'stack', 'arm'"),
        (["stack,animal", "a.tif,1"], "lacks 'arm'"),
        (["stack,arm,chanel", "a.tif,fixed,0"], "unknown 'chanel'"),
        (["stack,arm,z step,z_step_um", "a.tif,fixed,1,2"], "has twice 'z_step_um'"),
        (["stack,arm", " , "], "no rows"),
    ],
)
def test_a_table_that_is_no_plan_is_refused(plan, lines, said):
    with pytest.raises(InputError, match=said):
        read_plan(plan(*lines))


def test_files_that_are_no_text_are_refused(plan, tmp_path):
    with pytest.raises(InputError, match=r"not UTF-8.*CSV UTF-8"):
        read_plan(plan("stack,arm", "Mäuse.tif,fixed", encoding="latin-1"))
    with pytest.raises(InputError, match="cannot be read"):
        read_plan(tmp_path)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("m1", "m1"),
        ("../../etc", "etc"),
        ("a/b\\c:d", "a_b_c_d"),
        (".hidden", "hidden"),
        ("=cmd()", "cmd"),
        ("Mäuse 3", "Mäuse_3"),
        ("..", "stack"),
    ],
)
def test_a_folder_is_called_what_every_file_system_takes(text, name):
    assert folder_name(text) == name
    assert folder_name(name) == name


def test_what_rows_leave_empty_is_as_the_defaults_say(plan, folder):
    defaults = StackOptions(z_step_um=3, power=9, channel="green", allow_partial=True)
    path = plan(
        "stack,arm,z_step_um,power,channel", "a.tif,fixed,,,", "c.tif,gained,metadata,8,red"
    )
    first, second = read_whole_plan(path, read_power_table, defaults).stacks
    assert first.stack == defaults.but(source=folder / "a.tif", name="a")
    own = {"source": folder / "c.tif", "name": "c-cred", "z_step_um": None, "channel": "red"}
    assert second.stack == defaults.but(power=8, **own)
    assert (first.channel, second.channel) == ("", "red")  # as the plan states it


def test_a_plan_is_a_recipe_that_json_gives_back(plan, folder):
    path = plan("stack,arm,power", "a.tif,fixed,power.csv", 'c.tif,gained,"gained:5,300,60"')
    recipe = read_whole_plan(path, read_power_table, sensitivity=True, window_um="100:")
    assert (recipe.plan, recipe.window_um) == (str(path), (100.0, None))
    assert Recipe.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize("name", ["../up", "", "a/b"])
def test_stacks_that_would_be_read_into_other_folders_are_refused(name):
    stack = {"source": "a.tif", "name": name}
    with pytest.raises(RecipeError, match=r"name"):
        StudyRecipe(stacks=[{"stack": stack, "arm": "fixed"}])
    one = {"stack": {**stack, "name": "A"}, "arm": "fixed"}
    other = {"stack": {**stack, "name": "a"}, "arm": "fixed"}
    with pytest.raises(RecipeError, match=r"2 stacks are called fixed/a"):
        StudyRecipe(stacks=[one, other])


def test_a_new_field_of_a_stack_is_a_column(plan, folder, monkeypatch):
    class Stack(StackOptions):
        wavelength_nm: Annotated[Positive | None, Option("Of excitation.", "Wavelength")] = None

    class Row(StudyStack):
        stack: Stack

    monkeypatch.setattr("cop_core.recipes.plan.StackOptions", Stack)
    monkeypatch.setattr("cop_core.recipes.plan.StudyStack", Row)
    assert columns()["wavelength_nm"].label == "Wavelength"
    (row,) = read_plan(plan("stack,arm,wavelength_nm", "a.tif,fixed,1300"))
    assert row.stack.wavelength_nm == 1300
    (problem,) = problems(plan("stack,arm,wavelength_nm", "a.tif,fixed,green"))
    assert problem.startswith("line 2: wavelength_nm: 'green'")


def test_names_longer_than_the_system_allows_are_not_there(plan):
    (problem,) = problems(plan("stack,arm", f"{'a' * 5000}.tif,fixed"))
    assert "no such file or folder" in problem


# --- writing ---------------------------------------------------------------------------------


@pytest.fixture
def study(tmp_path):
    """Stacks of all kinds in folders, and files that are not stacks."""
    root = tmp_path / "data"
    planes = np.zeros((3, 8, 8), np.uint16)
    for name in ("mouse 1/fixed.ome.tif", "mouse 1/gained.tif", "mouse2/Fixed_2.tif"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(root / name, planes, photometric="minisblack")
    zarr.create_array(root / "mouse2" / "gained.zarr", data=planes, chunks=(1, 8, 8))
    (root / "mouse3-gained").mkdir()
    for i, plane in enumerate(planes):
        tifffile.imwrite(root / "mouse3-gained" / f"z{i}.tif", plane)
    (root / ".hidden").mkdir()
    tifffile.imwrite(root / ".hidden" / "fixed.tif", planes, photometric="minisblack")
    (root / "notes.txt").touch()
    return root


def test_every_stack_below_a_folder_is_listed_once(study):
    assert [p.relative_to(study).as_posix() for p in list_stacks(study).stacks] == [
        *("mouse 1/fixed.ome.tif", "mouse 1/gained.tif", "mouse2/Fixed_2.tif"),
        *("mouse2/gained.zarr", "mouse3-gained"),
    ]


def test_the_files_of_one_image_are_one_stack(tmp_path):
    ome = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="8" SizeY="8" SizeZ="4" '
        'SizeC="1" SizeT="1">{}</Pixels></Image></OME>'
    )
    parts = "".join(
        f'<TiffData FirstZ="{2 * i}" IFD="0" PlaneCount="2"><UUID FileName="p{i}.ome.tif">'
        f"urn:uuid:{i}</UUID></TiffData>"
        for i in range(2)
    )
    for i in range(2):
        tifffile.imwrite(
            tmp_path / f"p{i}.ome.tif",
            np.zeros((2, 8, 8), np.uint8),
            description=ome.format(parts),
            metadata=None,
            photometric="minisblack",
        )
    assert [p.name for p in list_stacks(tmp_path).stacks] == ["p0.ome.tif"]


@pytest.mark.skipif(sys.platform == "win32", reason="links")
def test_links_to_folders_are_followed_once_and_loops_told(study):
    (study / "a loop").symlink_to(study)
    (study / "mouse2" / "up").symlink_to(study / "mouse 1")
    elsewhere = study.parent / "elsewhere"
    tifffile.imwrite(elsewhere.with_suffix(".tif"), np.zeros((3, 8, 8)), photometric="minisblack")
    elsewhere.mkdir()
    (elsewhere / "back").symlink_to(study.parent)
    (study / "linked").symlink_to(elsewhere)
    found = list_stacks(study)
    assert [p.relative_to(study).as_posix() for p in found.stacks] == [
        "linked/back/elsewhere.tif",
        *("mouse 1/fixed.ome.tif", "mouse 1/gained.tif", "mouse2/Fixed_2.tif"),
        *("mouse2/gained.zarr", "mouse3-gained"),
    ]
    loops = [p.relative_to(study).as_posix() for p in found.loops]
    assert sorted(loops) == ["a loop", "linked/back/data", "linked/back/elsewhere", "mouse2/up"]


def test_a_plan_from_names_that_say_the_arm_can_be_read(study):
    plan = study.parent / "plans" / "plan.csv"
    assert write_plan(study, plan).arms == ["fixed", "gained", "fixed", "gained", "gained"]
    rows = read_plan(plan)
    assert [row.place for row in rows] == [
        *("fixed/fixed", "gained/mouse_1_gained", "fixed/Fixed_2"),
        *("gained/mouse2_gained", "gained/mouse3-gained"),
    ]
    assert [Path(row.stack.source).resolve() for row in rows] == [
        p.resolve() for p in list_stacks(study).stacks
    ]
    known = {"source": None, "name": None}
    assert not any(row.animal or row.stack.but(**known) != StackOptions() for row in rows)


def test_an_arm_that_no_name_says_is_left_to_the_user(study):
    (study / "mouse 1" / "gained.tif").rename(study / "mouse 1" / "regained.tif")
    (study / "mouse2" / "Fixed_2.tif").rename(study / "mouse2" / "fixed-then-gained.tif")
    plan = study / "plan.csv"
    assert write_plan(study, plan).arms.count("") == 2
    found = problems(plan)
    assert [text.partition(";")[0] for text in found] == ["line 3: no arm", "line 4: no arm"]


def test_the_command_says_what_is_to_be_filled_in(study, run):
    (study / "mouse 1" / "gained.tif").rename(study / "mouse 1" / "again.tif")
    plan = study / "plan.csv"
    assert run("plan", study, "-o", plan) == (
        0,
        f"{plan}: 5 stacks\n"
        "fill in the column arm for 1, with any names, because their paths contain neither "
        "fixed nor gained; and the column animal for all, if animals have several stacks: "
        "animals imaged in both arms are then compared in pairs\n",
        "",
    )
    code, out, err = run("plan", study, "-o", plan)
    assert (code, out) == (2, "")
    assert "it already exists. Choose another name." in err


def test_a_plan_is_not_overwritten(study):
    plan = study / "plan.csv"
    write_plan(study, plan)
    before = plan.read_bytes()
    with pytest.raises(InputError, match="it already exists"):
        write_plan(study, plan)
    assert plan.read_bytes() == before


def test_a_folder_without_stacks_is_no_study(tmp_path):
    with pytest.raises(InputError, match="no stack below it"):
        write_plan(tmp_path, tmp_path / "plan.csv")
    with pytest.raises(InputError, match="no such folder"):
        write_plan(tmp_path / "none", tmp_path / "plan.csv")
    assert not (tmp_path / "plan.csv").exists()


def test_a_name_that_a_spreadsheet_takes_for_a_formula_stays_a_path(tmp_path):
    (tmp_path / "=fixed.tif").touch()
    write_plan(tmp_path, tmp_path / "plan.csv")
    assert "\n./=fixed.tif,fixed," in (tmp_path / "plan.csv").read_text("utf-8-sig")
    (row,) = read_plan(tmp_path / "plan.csv")
    assert Path(row.stack.source).samefile(tmp_path / "=fixed.tif")


# --- cells -----------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="names that Windows does not take")
def test_hostile_names_come_back_from_a_plan(tmp_path):
    names = ["a;b,c.tif", 'say "fixed".tif', "two\nlines.tif", "back\rto.tif", "u\u2028\x85.tif"]
    names += [" first.tif", "=cmd().tif", "\u202egpj.tif"]
    root = tmp_path / "data"
    root.mkdir()
    for name in names:
        (root / name).touch()
    cells = list_stacks(root).cells
    assert sorted(row["stack"] for row in cells) == sorted(names)
    for row in cells:
        row["arm"] = "gained"
    save_plan(cells, tmp_path / "plans" / "plan.csv", root)
    rows = read_plan(tmp_path / "plans" / "plan.csv")
    assert sorted(Path(row.stack.source).name for row in rows) == sorted(names)
    assert len({row.place for row in rows}) == len(names)


def test_cells_of_a_plan_are_written_as_they_were(plan, folder, tmp_path_factory):
    lines = [
        "stack;arm;animal;power;z step;note",
        "a.tif;fixed;m1;2,5;4;x, y",
        "c.tif;gained;m1;power.csv;;",
        "b.ome.tif;;m2;gained:5,300,60;2;",
    ]
    cells = plan_cells(plan(*lines))
    assert cells[0]["power"] == "2.5"
    assert cells[2]["arm"] == ""
    rows, found = check_cells(enumerate(cells), folder, read_power_table)
    assert [row.stack.power for row in rows] == [2.5, folder / "power.csv"]
    assert found == [(2, "no arm; enter its protocol, such as fixed or gained")]
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "plan.csv"
    save_plan([*cells[:2], {**cells[2], "arm": "fixed"}], elsewhere, folder)
    first, second, third = read_plan(elsewhere)
    assert Path(first.stack.source).samefile(folder / "a.tif")
    assert second.stack.power.samefile(folder / "power.csv")
    assert str(third.stack.power) == "gained:5.0,300.0,60.0"
    assert "x, y" in elsewhere.read_text(encoding="utf-8-sig")
