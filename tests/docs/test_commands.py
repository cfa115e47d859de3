"""Every command that is printed exists."""

import re

import typer.main

from self_service_agent.cli.main import app
from tests.docs.pages import PAGES, ROOT

_TEXT = "\n".join(page.read_text("utf-8") for page in PAGES)
_TARGET = re.compile(r"^([a-z]+):", re.MULTILINE)
_MAKE = re.compile(r"(?:^|`)make ([a-z]+)", re.MULTILINE)
_SSA = re.compile(r"(?:bin/|`)ssa ([a-z]+)")


def test_every_make_target_exists():
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text("utf-8")))

    assert set(_MAKE.findall(_TEXT)) <= targets


def test_every_ssa_command_exists():
    assert set(_SSA.findall(_TEXT)) <= set(typer.main.get_command(app).commands)


def test_the_changelog_names_every_command():
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")

    assert [name for name in typer.main.get_command(app).commands if f"`{name}" not in changelog] == []
