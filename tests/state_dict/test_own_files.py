"""A network in several files is not written over its own files."""

import numpy as np
import pytest

from ginjax.errors import ArgumentError
from ginjax.state_dict import StateDict, check_state_dict_output, write_state_dict


def test_no_file_of_a_network_in_several_is_written_over(tmp_path):
    index = tmp_path / "model.safetensors.index.json"
    arrays = {name: np.ones((2, 2, 3), np.float32) for name in ("a.weight", "b.weight")}
    write_state_dict(index, StateDict(arrays, {}, index, shard_bytes=48))
    pieces = sorted(each.name for each in tmp_path.glob("model-*"))
    assert len(pieces) == 2
    for name in (index.name, pieces[0], "model.index.json"):  # the last has files of the same names
        with pytest.raises(ArgumentError, match=r"(of|is) the network"):
            check_state_dict_output(tmp_path / name, {"the network": index, "nothing": None})
    for name in ("other.safetensors.index.json", "model.safetensors", "model.3d.index.json"):
        check_state_dict_output(tmp_path / name, {"the network": index})
    (tmp_path / "elsewhere").mkdir()
    check_state_dict_output(tmp_path / "elsewhere" / index.name, {"the network": index})


def test_a_damaged_index_is_left_to_the_reader(tmp_path):
    for text in ("", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": []}}'):
        (tmp_path / "m.index.json").write_text(text)
        check_state_dict_output(tmp_path / "out.index.json", {"the network": tmp_path / "m.index.json"})
