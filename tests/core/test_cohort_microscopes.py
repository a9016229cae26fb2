"""Settings of a cohort from files of microscopes and cameras: each value, in its unit."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import scanimage_files as si
import tifffile
from made_profiles import profile, strengths
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational
from vendor_files import write_ims, write_mmstack, write_ndtiff, write_oif
from vendor_sets import NAME, SHARED, pixels, write_prairie, write_thor

from cop_core.cohort import gather
from cop_core.cohort.metadata import settings_of
from cop_core.cohort.table import rows_of
from cop_core.errors import InputError
from cop_core.recipes import CohortPicture, StackOptions
from cop_core.records import PictureRecord
from cop_core.stacks import open_stack
from cop_core.stacks.listing import list_stacks

VENDOR = SHARED / "data" / "vendor"
needs_vendor = pytest.mark.skipif(not VENDOR.is_dir(), reason="no files of real microscopes here")
PLANES = pixels(3)
TAG = ExifTags.Base


# --- ScanImage ----------------------------------------------------------------------------------


def scanimage(path, **changed):
    return settings_of(si.write_scanimage(path, si.pages(3), si.slow_stack(3, **changed)))


def test_scanimage_states_settings(tmp_path):
    assert scanimage(
        tmp_path / "a.tif",
        hScan2D_scanPixelTimeMean="8.78418e-08",
        hScan2D_logAverageFactor="4",
        hRoiManager_scanZoomFactor="24",
        hPmts_gains="[0.7 0.5]",
    ) == {
        "dwell_us": pytest.approx(0.0878418),
        "averages": 4.0,
        "zoom": 24.0,
        "gain_1": 0.7,
        "gain_2": 0.5,
    }


def test_scanimage_of_2013_states_settings_without_groups(tmp_path):
    text = (
        "scanimage.SI4.scanZoomFactor = 5.9\nscanimage.SI4.scanPixelTimeMean = 8.8e-08\n"
        "scanimage.SI4.acqNumAveragedFrames = 3\nscanimage.SI4.stackNumSlices = 3\n"
    )
    si.write_classic(tmp_path / "a.tif", si.pages(3), text)
    assert settings_of(tmp_path / "a.tif") == {
        "zoom": 5.9, "dwell_us": pytest.approx(0.088), "averages": 3.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "averages"),
    [
        ({"averaging": 1, "numberOfFrames": 10}, 10.0),
        ({"averaging": 0, "numberOfFrames": 10}, 1.0),
        ({"averaging": 1, "numberOfFrames": 10, "numAvgFramesSave": 5}, 5.0),
        ({"averaging": 1, "numberOfFrames": 1220, "numAvgFramesSave": 1}, 1.0),
        ({"numberOfFrames": 10}, None),
    ],
)
def test_scanimage_3_averages_all_frames_or_as_many_as_it_says(tmp_path, settings, averages):
    text = "".join(f"state.acq.{name}={value}\r" for name, value in settings.items())
    text += "state.acq.pixelTime=3.2e-06\rstate.acq.zoomFactor=2\r"
    si.write_classic(tmp_path / "a.tif", si.pages(3), text)
    found = settings_of(tmp_path / "a.tif")
    assert (found["dwell_us"], found["zoom"]) == (pytest.approx(3.2), 2.0)
    assert found.get("averages") == averages


def test_what_scanimage_does_not_state_stays_empty(tmp_path):
    values = si.slow_stack(3)
    del values["SI.hScan2D.logAverageFactor"]
    si.write_scanimage(tmp_path / "a.tif", si.pages(3), values)
    assert settings_of(tmp_path / "a.tif") == {}


def test_a_pmt_that_was_off_has_no_gain(tmp_path):
    gains = {"hPmts_gains": "[0.7 0.6 0 0]", "hScan2D_logAverageFactor": "[]"}
    on = scanimage(tmp_path / "a.tif", **gains, hPmts_powersOn="[true false false false]")
    assert on == {"gain_1": 0.7}
    # powered by hand: no PMT is on as far as ScanImage knows
    off = scanimage(tmp_path / "b.tif", **gains, hPmts_powersOn="[false false false false]")
    assert off == {"gain_1": 0.7, "gain_2": 0.6, "gain_3": 0.0, "gain_4": 0.0}


@pytest.mark.parametrize("value", ["NaN", "Inf", "-8e-08", "0", "fast", "[1e-7 2e-7]", "[]", "''"])
def test_values_that_no_setting_can_have_stay_empty(tmp_path, value):
    found = scanimage(
        tmp_path / "a.tif",
        hScan2D_scanPixelTimeMean=value,
        hScan2D_logAverageFactor=value,
        hRoiManager_scanZoomFactor=value,
        hPmts_gains="[NaN 0.5]",
    )
    assert found == {"gain_2": 0.5}


# --- Prairie View -------------------------------------------------------------------------------


def prairie(folder, per_frame="", shared="", **more):
    """Write a set of three planes with further settings in its XML."""
    xml = write_prairie(folder, PLANES, z_um=[0, 2, 4], **more)
    text = xml.read_text("utf-8-sig")
    head, *frames = text.split("<PVStateShard>")
    own = [shared, *(per_frame or [""] * 3)]
    text = head + "".join(
        f"<PVStateShard>{extra}{rest}" for extra, rest in zip(own, frames, strict=True)
    )
    xml.write_text(text, "utf-8-sig")
    return folder


def value(key, text):
    return f'<PVStateValue key="{key}" value="{text}"/>'


def gains(*values):
    inner = "".join(f'<IndexedValue index="{i}" value="{v}"/>' for i, v in enumerate(values))
    return f'<PVStateValue key="pmtGain">{inner}</PVStateValue>'


PRAIRIE = {
    "dwellTime": "7.2",
    "opticalZoom": "2",
    "rastersPerFrame": "4",
    "samplesPerPixel": "36",
    "framePeriod": "2.095605",
    "objectiveLensNA": "0.8",
}


def test_prairie_states_settings(tmp_path):
    shared = "".join(value(*pair) for pair in PRAIRIE.items()) + gains(625, 825)
    folder = prairie(tmp_path / "set", shared=shared)
    wanted = {
        "dwell_us": 7.2, "zoom": 2.0, "averages": 4.0, "samples": 36.0, "frame_s": 2.095605,
        "objective_na": 0.8, "gain_0": 625.0, "gain_1": 825.0,
    }  # fmt: skip
    assert settings_of(folder) == wanted
    assert settings_of(folder / f"{NAME}.xml") == wanted
    assert settings_of(next(folder.glob("*Ch2_000003.ome.tif"))) == wanted


def test_what_varies_between_frames_is_no_setting_of_the_stack(tmp_path):
    own = [gains(625, 800), gains(625, 825), gains(625, 850)]
    folder = prairie(tmp_path / "set", own, value("dwellTime", "7.2") + gains(600, 800))
    assert settings_of(folder) == {"dwell_us": 7.2, "gain_0": 625.0}


def test_power_that_rises_with_depth_is_of_each_plane(tmp_path):
    folder = prairie(tmp_path / "set", powers=[(0, 10), (0, 12.5), (0, 15)])
    assert settings_of(folder) == {}
    stack = open_stack(folder, StackOptions(channel=0))
    assert (stack.power_unit, stack.power.tolist()) == ("set-point", [10, 12.5, 15])


@pytest.mark.parametrize("text", ["NaN", "-1", "INF", "off", "", "7_2", "0"])
def test_text_in_a_field_of_a_number_says_nothing(tmp_path, text):
    shared = "".join(value(key, text) for key in PRAIRIE) + gains(text or "x", 825)
    found = settings_of(prairie(tmp_path / "set", shared=shared))
    found.pop("gain_0", None)
    assert found == {"gain_1": 825.0}


# --- ThorImage ----------------------------------------------------------------------------------


def thor(folder, scan="", pmt=""):
    write_thor(folder, n_planes=3)
    for z in range(3):
        tifffile.imwrite(folder / f"ChanA_0001_0001_{z + 1:04d}_0001.tif", PLANES[z, 0])
    xml = folder / "Experiment.xml"
    text = xml.read_text("utf-8").replace("<LSM ", f"<LSM {scan} ")
    xml.write_text(text.replace("</ThorImageExperiment>", f"{pmt}</ThorImageExperiment>"), "utf-8")
    return folder


THOR = 'dwellTime="0.04" frameRate="22.279" fieldSize="30" averageMode="{}" averageNum="10"'


def test_thorimage_states_settings(tmp_path):
    pmt = '<PMT enableA="0" gainA="20" enableB="1" gainB="50" enableC="1" gainC="0"/>'
    folder = thor(tmp_path / "set", THOR.format(1), pmt)
    wanted = {
        "dwell_us": 0.04, "frame_hz": 22.279, "field": 30.0, "averages": 10.0, "gain_b": 50.0,
        "gain_c": 0.0,
    }  # fmt: skip
    assert settings_of(folder) == wanted
    assert settings_of(folder / "ChanA_0001_0001_0002_0001.tif") == wanted


@pytest.mark.parametrize(
    ("scan", "averages"),
    [(THOR.format(0), 1.0), ("", None), ('averageMode="1" averageNum="many"', None)],
)
def test_thorimage_averages_only_where_it_says_so(tmp_path, scan, averages):
    assert settings_of(thor(tmp_path / "set", scan)).get("averages") == averages


@pytest.mark.parametrize("text", ["NaN", "-0.5", "fast", "", "0"])
def test_thorimage_states_no_number_that_is_none(tmp_path, text):
    scan = f'dwellTime="{text}" frameRate="{text}" fieldSize="{text}"'
    assert settings_of(thor(tmp_path / "set", scan)) == {}


# --- Micro-Manager ------------------------------------------------------------------------------


def mmstack(folder, *notes, channels=1):
    frames = [
        ({"z": i // channels, "channel": i % channels}, PLANES[i // channels, 0], note)
        for i, note in enumerate(notes)
    ]
    return write_mmstack(folder / "a_MMStack_Pos0.ome.tif", frames, {"Slices": len(notes)})


IXON = {
    "Core-Camera": "Andor",
    "Andor-Pre-Amp-Gain": "2.4",
    "Andor-Gain": "300",
    "Exposure-ms": 30,
    "Binning": 2,
}


@pytest.mark.parametrize(
    ("note", "wanted"),
    [
        (IXON, {"exposure_ms": 30.0, "gain": 300.0, "binning": "2"}),
        ({"Exposure-ms": 12.5}, {"exposure_ms": 12.5}),
        ({"Andor-Gain": "300", "Andor-Pre-Amp-Gain": "Gain 1"}, {"gain": 300.0}),
        (
            {"Core-Camera": "Evolve", "Evolve-Gain": "1", "Evolve-MultiplierGain": "250"},
            {"gain": 1.0, "em_gain": 250.0},
        ),
        ({"Cam-EMGain": "200", "Cam-Gain": "3"}, {"em_gain": 200.0, "gain": 3.0}),
        ({"Core-Camera": "B", "A-Gain": "1", "B-Gain": "2"}, {"gain": 2.0}),
        ({"Core-Camera": "B-1", "B-Gain": "1", "B-1-Gain": "2"}, {"gain": 2.0}),
        ({"A-Gain": "1", "B-Gain": "2"}, {}),
        ({"Camera-Gain": {"PropVal": "4", "PropType": "Integer"}}, {"gain": 4.0}),
        ({"Exposure-ms": "NaN", "Camera-Gain": "high"}, {}),
        ({"Exposure-ms": -1, "Camera-Gain": [1]}, {}),
        ({}, {}),
    ],
)
def test_micromanager_states_settings(tmp_path, note, wanted):
    path = mmstack(tmp_path / "mm", note, note)
    assert settings_of(path) == settings_of(path.parent) == wanted
    axes = [{"z": 0}, {"z": 1}]
    frames = [(each, plane[0], note) for each, plane in zip(axes, PLANES, strict=False)]
    assert settings_of(write_ndtiff(tmp_path / "nd", frames, {})) == wanted


def test_ndtiff_calls_the_exposure_by_another_name(tmp_path):
    note = {"Exposure": "20.0", "Binning": "2x2"}
    folder = write_ndtiff(tmp_path / "nd", [({"z": 0}, PLANES[0, 0], note)], {})
    assert settings_of(folder) == {"exposure_ms": 20.0, "binning": "2x2"}


def test_what_channels_or_planes_differ_in_is_no_setting_of_the_set(tmp_path):
    of_channels = [{**IXON, "Exposure-ms": ms} for ms in (30, 100, 30, 100)]
    assert settings_of(mmstack(tmp_path / "a", *of_channels, channels=2)) == {
        "gain": 300.0, "binning": "2",
    }  # fmt: skip
    of_planes = [{**IXON, "Andor-Gain": gain} for gain in ("100", "200")]
    assert settings_of(mmstack(tmp_path / "b", *of_planes)) == {
        "exposure_ms": 30.0, "binning": "2",
    }  # fmt: skip


# --- OME-XML ------------------------------------------------------------------------------------

OME = (
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{instrument}'
    '<Image ID="Image:0">{image}<Pixels DimensionOrder="XYZCT" ID="Pixels:0" SizeX="32" SizeY="24" '
    'SizeZ="1" SizeC="2" SizeT="1" Type="uint16">{channels}<TiffData/>{planes}</Pixels>'
    "</Image></OME>"
)


def ome(path, instrument="", image="", channels="", planes=""):
    text = OME.format(instrument=instrument, image=image, channels=channels, planes=planes)
    pair = PLANES[0]
    tifffile.imwrite(path, pair, description=text.encode(), metadata=None, photometric="minisblack")
    return settings_of(path)


def channel(number, **stated):
    text = " ".join(f'{key}="{value}"' for key, value in stated.items())
    return f'<Channel ID="Channel:0:{number}"><DetectorSettings {text}/></Channel>'


def test_ome_states_settings(tmp_path):
    objective = '<Objective ID="Objective:0" LensNA="1.05" NominalMagnification="25"/>'
    light = '<Channel ID="Channel:0:0"><LightSourceSettings ID="L" Attenuation="0.4"/></Channel>'
    detector = {"ID": "D:0", "Gain": 0.7, "Integration": 4, "Zoom": 2, "Voltage": 650}
    assert ome(
        tmp_path / "a.ome.tif",
        f'<Instrument ID="I"><Detector ID="D:0" Model="H10770"/>{objective}</Instrument>',
        channels=light + channel(1, **detector, Binning="2x2"),
    ) == {
        "gain": 0.7, "integration": 4.0, "zoom": 2.0, "detector_v": 650.0, "attenuation": 0.4,
        "objective_na": 1.05, "magnification": 25.0, "binning": "2x2", "detector": "H10770",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("image", "channels", "planes", "wanted"),
    [
        ("", channel(0, ID="D", Voltage=650, VoltageUnit="mV"), "", {"detector_v": 0.65}),
        ("", channel(0, ID="D", Voltage=0.65, VoltageUnit="kV"), "", {"detector_v": 650.0}),
        ("", channel(0, ID="D", Voltage=650, VoltageUnit="furlong"), "", {}),
        ('<ImagingEnvironment Temperature="21"/>', "", "", {"temperature_c": 21.0}),
        ('<ImagingEnvironment Temperature="-5"/>', "", "", {"temperature_c": -5.0}),
        (
            '<ImagingEnvironment Temperature="310.15" TemperatureUnit="K"/>',
            "",
            "",
            {"temperature_c": pytest.approx(37)},
        ),
        (
            '<ImagingEnvironment Temperature="98.6" TemperatureUnit="°F"/>',
            "",
            "",
            {"temperature_c": pytest.approx(37)},
        ),
        ("", "", '<Plane ExposureTime="0.5"/>', {"exposure_s": 0.5}),
        ("", "", '<Plane ExposureTime="5" ExposureTimeUnit="ms"/>', {"exposure_s": 0.005}),
        (
            "",
            "",
            '<Plane ExposureTime="5" ExposureTimeUnit="\u03bcs"/>',
            {"exposure_s": pytest.approx(5e-6)},
        ),
        ("", "", '<Plane ExposureTime="5" ExposureTimeUnit="pixel"/>', {}),
        ("", "", '<Plane ExposureTime="-5"/><Plane ExposureTime="NaN"/>', {}),
        ("", channel(0, ID="D", Gain="high", Zoom=-2, Integration=0), "", {}),
    ],
)
def test_ome_states_units(tmp_path, image, channels, planes, wanted):
    assert ome(tmp_path / "a.ome.tif", "", image, channels, planes) == wanted


def test_channels_that_differ_have_no_gain_in_common(tmp_path):
    channels = channel(0, ID="D:0", Gain=500, Zoom=2) + channel(1, ID="D:1", Gain=700, Zoom=2)
    assert ome(tmp_path / "a.ome.tif", channels=channels) == {"zoom": 2.0}


def test_of_the_devices_those_count_that_were_used(tmp_path):
    turret = "".join(
        f'<Objective ID="Objective:{i}" LensNA="{na}"/>' for i, na in enumerate((0.3, 1.05))
    )
    detectors = '<Detector ID="D:0" Model="A"/><Detector ID="D:1" Model="B"/>'
    instrument = f'<Instrument ID="I">{detectors}{turret}</Instrument>'
    used = '<ObjectiveSettings ID="Objective:1"/>'
    found = ome(tmp_path / "a.ome.tif", instrument, used, channel(0, ID="D:1", Gain=3))
    assert found == {"objective_na": 1.05, "gain": 3.0, "detector": "B"}
    assert ome(tmp_path / "b.ome.tif", instrument) == {}


# --- EXIF ---------------------------------------------------------------------------------------


def exif(path, **stated):
    image = Image.fromarray(np.zeros((8, 8), np.uint8))
    found = image.getexif()
    if model := stated.pop("Model", None):
        found[TAG.Model] = model
    found.get_ifd(ExifTags.IFD.Exif).update({TAG[name]: each for name, each in stated.items()})
    found[ExifTags.IFD.Exif] = 0  # or Pillow leaves these tags out of a TIFF
    image.save(path, exif=found)
    return settings_of(path)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_exif_states_rationals(tmp_path, suffix):
    assert exif(
        tmp_path / f"a{suffix}",
        Model="D800\0",
        LensModel="50 mm",
        ExposureTime=IFDRational(1, 60),
        FNumber=IFDRational(28, 10),
        ISOSpeedRatings=1600,
        FocalLength=IFDRational(50, 1),
        ExposureBiasValue=IFDRational(-1, 3),
        AmbientTemperature=IFDRational(-50, 10),
    ) == {
        "camera": "D800",
        "lens": "50 mm",
        "shutter_s": pytest.approx(1 / 60),
        "f_number": 2.8,
        "iso": 1600.0,
        "focal_length_mm": 50.0,
        "exposure_bias_ev": pytest.approx(-1 / 3),
        "temperature_c": -5.0,
    }


@pytest.mark.parametrize(
    ("name", "each"),
    [
        ("FNumber", IFDRational(0, 1)),
        ("FocalLength", IFDRational(0, 1)),
        ("ExposureTime", IFDRational(1, 0)),
        ("ExposureTime", IFDRational(0, 0)),
        ("BrightnessValue", IFDRational(-1, 1)),
        ("BrightnessValue", IFDRational(-1, 100)),
        ("AmbientTemperature", IFDRational(20, -1)),
        ("ISOSpeedRatings", 0),
        ("ISOSpeedRatings", 65535),
        ("Model", " \0"),
    ],
)
def test_what_exif_says_is_not_known_stays_empty(tmp_path, name, each):
    assert exif(tmp_path / "a.jpg", **{name: each}) == {}


def test_iso_beyond_what_its_tag_holds_is_in_another(tmp_path):
    found = exif(tmp_path / "a.jpg", ISOSpeedRatings=65535, RecommendedExposureIndex=204800)
    assert found == {"iso": 204800.0}
    found = exif(tmp_path / "b.jpg", ISOSpeedRatings=(400, 0), RecommendedExposureIndex=204800)
    assert found == {"iso": 400.0}


# --- folders and tables -------------------------------------------------------------------------


def of_many(root):
    """Write a folder of files and sets of many programs; return their settings by name."""
    root.mkdir()
    prairie(root / "bruker", shared=value("dwellTime", "7.2"))
    thor(root / "thor", 'dwellTime="0.5"')
    mmstack(root / "mm", IXON, IXON)
    (root / "files").mkdir()
    tifffile.imwrite(root / "files" / "aaa.tif", PLANES[0, 0])  # the first file is one plane
    values = si.slow_stack(3, hScan2D_scanPixelTimeMean="2e-06")
    si.write_scanimage(root / "files" / "b.tif", si.pages(3), values)
    write_ims(root / "files" / "c.ims", PLANES[None].swapaxes(1, 2))
    write_oif(root / "files" / "d.oif", {(0, z): PLANES[z, 0] for z in range(3)})
    exif(root / "files" / "e.jpg", ISOSpeedRatings=800)
    return {
        "bruker": {"dwell_us": 7.2},
        "thor": {"dwell_us": 0.5},
        "a_MMStack_Pos0.ome": {"exposure_ms": 30.0, "gain": 300.0, "binning": "2"},
        "aaa": {},
        "b": {"dwell_us": pytest.approx(2.0), "averages": 1.0},
        "c": {},
        "d": {},
        "e": {"iso": 800.0},
    }


def test_files_of_many_programs_are_one_cohort(tmp_path):
    wanted = of_many(tmp_path / "all")
    found = gather(tmp_path / "all").pictures
    assert {one.picture.name: one.settings for one in found} == wanted


def test_stacks_of_other_formats_beside_planes_are_listed(tmp_path):
    pytest.importorskip("h5py")
    for z in range(3):
        tifffile.imwrite(tmp_path / f"z{z}.tif", PLANES[z, 0])
    assert list_stacks(tmp_path).stacks == (tmp_path,)
    write_ims(tmp_path / "a.ims", PLANES[None].swapaxes(1, 2))
    assert list_stacks(tmp_path).stacks == (tmp_path, tmp_path / "a.ims")


def test_a_damaged_header_states_nothing_and_keeps_the_image(tmp_path):
    folder = thor(tmp_path / "thor", THOR.format(1))
    (folder / "Experiment.xml").write_text("<ThorImageExperiment><LSM", "utf-8")
    path = mmstack(tmp_path / "mm", IXON)
    path.write_bytes(path.read_bytes()[:-40])  # the map of its frames
    bruker = write_prairie(tmp_path / "bruker", PLANES, z_um=[0, 2, 4])
    bruker.write_text("<PVScan><Sequence>", "utf-8")
    assert settings_of(folder) == settings_of(path) == settings_of(bruker.parent) == {}
    table = tmp_path / "t.csv"
    table.write_text("file,power_mw\nthor,20\nmm/a_MMStack_Pos0.ome.tif,30\nbruker,40\n", "utf-8")
    found = gather(table).pictures
    assert [one.settings for one in found] == [{"power_mw": n} for n in (20.0, 30.0, 40.0)]


def test_the_table_goes_before_the_name_and_the_name_before_the_file(tmp_path):
    values = si.slow_stack(3, hScan2D_scanPixelTimeMean="2e-06", hRoiManager_scanZoomFactor="3")
    for name in ("dwell_us4_gain5", "dwell_us8_gain6"):
        si.write_scanimage(tmp_path / f"{name}.tif", si.pages(3), values)
    pattern = "dwell_us{Dwell_us}_gain{gain}"
    assert [one.settings for one in gather(tmp_path, pattern=pattern).pictures] == [
        {"Dwell_us": 4.0, "gain": 5.0, "averages": 1.0, "zoom": 3.0},
        {"Dwell_us": 8.0, "gain": 6.0, "averages": 1.0, "zoom": 3.0},
    ]
    table = tmp_path / "t.csv"
    table.write_text(
        "file,DWELL US,zoom\ndwell_us4_gain5.tif,16,\ndwell_us8_gain6.tif,,1\n", "utf-8"
    )
    assert [one.settings for one in gather(table, pattern=pattern).pictures] == [
        {"dwell_us": 16.0, "gain": 5.0, "averages": 1.0},
        {"zoom": 1.0, "gain": 6.0, "averages": 1.0},
    ]


def test_what_the_table_or_a_name_overrules_is_said(tmp_path):
    stated = {"ISOSpeedRatings": 400, "ExposureTime": IFDRational(1, 60), "Model": "D800"}
    for name in ("iso800.jpg", "iso400.jpg", "iso200.jpg"):
        exif(tmp_path / name, **stated)
    table = tmp_path / "t.csv"
    rows = ["iso800.jpg,0.0167,D850,5", "iso400.jpg,0.02,D800,5", "iso200.jpg,,D800,5"]
    table.write_text("\n".join(["file,Shutter s,camera,extra", *rows]), "utf-8")
    found = gather(table, pattern="iso{ISO}")
    assert found.overruled == {"camera": 1, "iso": 2, "shutter_s": 1}
    assert found.not_used == (
        "not used: camera of 1 file, iso of 2 files and shutter_s of 1 file; the table or the file "
        "name states another value"
    )
    assert [one.settings["ISO"] for one in found.pictures] == [800.0, 400.0, 200.0]
    assert gather(tmp_path).not_used == ""


@pytest.mark.parametrize("name", ["power_mw", "Power_mW", "power mw"])
def test_a_power_that_somebody_states_replaces_that_of_the_planes(name):
    made = profile(strengths(1, 4), name="a")
    given = CohortPicture(picture=StackOptions(source="a.tif", name="a"), settings={name: 99.0})
    found = rows_of([PictureRecord(given, made)], None)
    powers = [{k: v for k, v in row.settings.items() if "mw" in k.lower()} for row in found]
    assert powers == [{name: 99.0}] * len(made.planes)


# --- files of real microscopes ------------------------------------------------------------------


@needs_vendor
def test_a_real_set_of_prairie_view_states_settings():
    assert settings_of(VENDOR / "bruker" / "ZSeries-09092022-1241-1659") == {
        "dwell_us": 7.2, "zoom": 2.0, "averages": 1.0, "samples": 36.0, "frame_s": 2.095605,
        "objective_na": 0.8, "gain_0": 625.0, "gain_1": 825.0,
    }  # fmt: skip
    assert settings_of(VENDOR / "bruker_xml" / "ZSeries-2014.xml") == {
        "dwell_us": 23.2, "zoom": 1.0, "averages": 1.0, "frame_s": pytest.approx(25.492336),
        "objective_na": 0.25, "gain_0": 650.0, "gain_1": 825.0,
    }  # fmt: skip


@needs_vendor
def test_a_real_experiment_of_thorimage_states_settings():
    assert settings_of(VENDOR / "thorlabs_xml" / "Experiment.xml") == {
        "dwell_us": 0.04, "frame_hz": 22.279, "field": 30.0, "averages": 1.0, "gain_c": 50.0,
    }  # fmt: skip


@needs_vendor
def test_a_real_header_of_scanimage_states_settings(tmp_path):
    text = (VENDOR / "scanimage_header" / "si2016_software.txt").read_text("utf-8")
    tifffile.imwrite(tmp_path / "a.tif", PLANES[:, 0], software=text, metadata=None)
    assert settings_of(tmp_path / "a.tif") == {
        "dwell_us": pytest.approx(0.0878418), "averages": 1.0, "zoom": 24.0,
        "gain_1": 0.799412, "gain_2": 0.799412,
    }  # fmt: skip


@needs_vendor
def test_real_xml_of_micromanager_states_settings(tmp_path):
    text = (VENDOR / "micromanager" / "MMStack.ome.xml").read_bytes()
    tifffile.imwrite(tmp_path / "a.ome.tif", PLANES[:, 0], description=text, metadata=None)
    found = settings_of(tmp_path / "a.ome.tif")
    assert found.items() >= {
        "binning": "2x2", "gain": 1.0, "integration": 20.0, "detector_v": 1.0, "zoom": 3.0,
        "detector": "DemoCamera-MultiMode",
    }.items()  # fmt: skip


@needs_vendor
def test_real_files_of_all_kinds_are_one_cohort(tmp_path):
    for kind in ("ome", "scitif", "thorlabs_xml"):
        shutil.copytree(VENDOR / kind, tmp_path / kind)
    found = {one.picture.name: one.settings for one in gather(tmp_path).pictures}
    assert len(found) == 7
    stated = {name for name, settings in found.items() if settings}
    assert len(stated) == 1, found


def test_a_folder_without_any_picture_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("none", "utf-8")
    with pytest.raises(InputError, match="no stack below it"):
        gather(tmp_path)
