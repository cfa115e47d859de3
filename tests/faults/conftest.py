"""Lets the checks say what they found."""

import pytest

pytest.register_assert_rewrite("tests.faults.evidence")
