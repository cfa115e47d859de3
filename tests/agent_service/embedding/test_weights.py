"""Only files that are the published ones are used."""

import shutil

import pytest

from self_service_agent.agent_service.embedding.embedder import EmbeddingUnavailable
from self_service_agent.agent_service.embedding.encoder import Encoder
from self_service_agent.agent_service.embedding.weights import PINNED, TOKENIZER, WEIGHTS, verified


@pytest.mark.parametrize("name", PINNED)
def test_the_installed_files_are_the_published_ones(folder, name):
    assert verified(folder, name) == folder / name


@pytest.fixture
def copied(folder, tmp_path):
    for name in PINNED:
        shutil.copy(folder / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("name", PINNED)
def test_a_changed_byte_is_refused_before_anything_is_read(copied, name):
    with (copied / name).open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"!")

    with pytest.raises(EmbeddingUnavailable, match=f"{name} is not the published one"):
        Encoder(copied, threads=1)


@pytest.mark.parametrize("name", [WEIGHTS, TOKENIZER])
def test_a_missing_file_is_named(copied, name):
    (copied / name).unlink()

    with pytest.raises(EmbeddingUnavailable, match=f"{name} cannot be read"):
        Encoder(copied, threads=1)
