"""The items of the mock's service catalog, and what an order of each must say."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter


class CatalogItem(BaseModel):
    """An item; an order without one of the `mandatory` variables is refused."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    mandatory: tuple[str, ...] = ()

    def missing(self, variables: Mapping[str, Any]) -> list[str]:
        """Return the mandatory variables that an order does not carry."""
        return [name for name in self.mandatory if not variables.get(name)]


def catalog() -> Mapping[str, CatalogItem]:
    """Read the items by their id."""
    content = files(__package__).joinpath("catalog.json").read_bytes()
    return {item.id: item for item in TypeAdapter(tuple[CatalogItem, ...]).validate_json(content)}


def item_called(item_id: str, items: Mapping[str, CatalogItem]) -> CatalogItem:
    """Return the item with this id; one that nobody described can be ordered without any variable."""
    return items.get(item_id) or CatalogItem(id=item_id, name=item_id.replace("-", " ").replace("_", " ").capitalize())
