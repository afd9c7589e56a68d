import re

import pytest

from edge_runtime.names import CLOUD_URL, IN_WORDS, NAME, POINT_NAME
from edge_runtime.problems import FileProblemsError
from edge_runtime.settings import load_section


@pytest.mark.parametrize("pattern", [NAME, POINT_NAME, CLOUD_URL])
def test_the_example_in_the_words_fits_the_pattern(pattern):
    assert re.match(pattern, IN_WORDS[pattern].rpartition("such as ")[2])


def test_a_wrong_name_is_told_in_words(tmp_path):
    file = tmp_path / "gateway.yaml"
    file.write_text("gateway: {name: Cellar_1, state_dir: ./state}\ndevices: []\n")
    with pytest.raises(FileProblemsError, match=r"found 'Cellar_1'; expected lower-case letters"):
        load_section(file)
