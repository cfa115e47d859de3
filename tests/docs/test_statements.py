"""The SQL that is printed fits the tables."""

import pytest

from tests.docs.pages import GUIDES, blocks

_STATEMENTS = [
    statement.strip()
    for page in ("operations.md", "security.md")
    for block in blocks(GUIDES / page, "sql")
    for statement in block.text.split(";\n")
    if statement.strip()
]


@pytest.mark.parametrize("statement", _STATEMENTS, ids=lambda statement: " ".join(statement.split()[:2]))
async def test_the_statement_can_be_planned(statement, pool):
    assert await pool.fetch(f"EXPLAIN {statement}")
