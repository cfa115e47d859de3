"""A house of approvals for each test."""

from tests.acceptance.conftest import houses

__all__ = ["houses"]
