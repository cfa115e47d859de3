"""What is kept in the home: readable to its owner only, and named when it is broken."""

import pytest

from self_service_agent.cli.development import service_token_secret
from self_service_agent.kit.settings import SettingsError

from .command import ssa

SECRET = "a secret of at least thirty-two bytes"


def mode_of(path):
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("mock-servicenow.jsonl", "damage\n", "line 1: not an order"),
        ("service-token-secret", "short", "holds fewer than 32 bytes"),
    ],
)
def test_a_broken_file_is_named_in_one_line(name, content, *, words, tmp_path):
    path = tmp_path / name
    path.write_text(content)

    done = ssa("up", "--port", "0", home=tmp_path, LOG_LEVEL="error")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"ssa: {path}")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_home_that_is_made_is_its_owners_only(tmp_path):
    home = tmp_path / "above" / "home"
    ssa("up", "--port", "0", home=home, LOG_LEVEL="error", SERVICENOW_INSTANCE_URL="here")

    assert mode_of(home) == 0o700


def test_a_home_that_is_there_stays_as_it_is(tmp_path):
    tmp_path.chmod(0o755)

    ssa("up", "--port", "0", home=tmp_path, LOG_LEVEL="error", SERVICENOW_INSTANCE_URL="here")

    assert mode_of(tmp_path) == 0o755


def test_a_secret_is_made_once_and_kept(tmp_path):
    home = tmp_path / "home"

    made = service_token_secret(home)

    assert service_token_secret(home) == made
    assert (mode_of(home), mode_of(home / "service-token-secret")) == (0o700, 0o600)


def test_a_secret_that_others_could_read_is_closed_to_them(tmp_path):
    path = tmp_path / "service-token-secret"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o644)

    assert service_token_secret(tmp_path).get_secret_value() == SECRET
    assert mode_of(path) == 0o600


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "fewer than 32 bytes"), (b"\xff" * 32, "is not text"), (None, "cannot be used")]
)
def test_a_secret_that_cannot_be_used_is_named(tmp_path, content, words):
    path = tmp_path / "service-token-secret"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)

    with pytest.raises(SettingsError, match=words) as caught:
        service_token_secret(tmp_path)

    assert str(caught.value).startswith(str(path))
