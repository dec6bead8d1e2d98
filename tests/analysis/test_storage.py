import numpy as np
import pytest
import xarray as xr

from brainrnn.analysis import load, save
from brainrnn.errors import InputError
from tests.analysis.synthetic import brain_dataset


@pytest.fixture(scope="module")
def brain():
    return brain_dataset(members=2)


def test_round_trip(brain, tmp_path):
    save(brain, tmp_path / "analysis.nc")
    back = load(tmp_path / "analysis.nc")
    xr.testing.assert_equal(back, brain)
    for name, variable in brain.variables.items():
        assert back[name].dtype.kind == variable.dtype.kind
        assert back[name].attrs == variable.attrs
    assert set(back.attrs) == set(brain.attrs)
    for key, value in brain.attrs.items():
        np.testing.assert_array_equal(back.attrs[key], value)
    assert [p.name for p in tmp_path.iterdir()] == ["analysis.nc"]


def test_what_was_there_stays_when_writing_fails(brain, tmp_path):
    path = tmp_path / "analysis.nc"
    save(brain, path)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save(brain.assign_attrs(bad=object()), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["analysis.nc"]


def test_files_that_are_no_analysis(brain, tmp_path):
    path = tmp_path / "analysis.nc"
    with pytest.raises(InputError, match="no analysis at"):
        load(path)
    path.write_text("something else")
    with pytest.raises(InputError, match="not a complete brainrnn analysis"):
        load(path)
    xr.Dataset({"x": ("y", [1.0])}).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(InputError, match="not a complete brainrnn analysis"):
        load(path)
    save(brain, path)
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(InputError, match="not a complete brainrnn analysis") as error:
        load(path)
    assert "\n" not in str(error.value)
