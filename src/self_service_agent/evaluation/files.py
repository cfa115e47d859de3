"""Reads scenario files: single scenarios, and the matrix of a flow and the ways in which people depart from it."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from .phrases import PhraseBank
from .scenarios import Part, Scenario


class ScenarioError(Exception):
    """A scenario file does not make sense; the message names the file, the scenario and what is wrong."""


class Perturbation(Part):
    """A way to depart from the straight path: what it changes of a scenario, field by field.

    `needs` is a field of the file's `material` without which it makes no sense there.
    """

    about: str
    needs: tuple[str, ...] = ()
    changes: dict[str, Any]


class ScenarioFile(Part):
    """A file: what all its scenarios share, the matrix, and scenarios of their own."""

    area: str
    base: dict[str, Any]
    variants: dict[str, dict[str, Any]] = Field(default_factory=dict)
    material: dict[str, Any] = Field(default_factory=dict)
    matrix: tuple[str, ...] = ()
    scenarios: tuple[dict[str, Any], ...] = ()


def evaluations_folder() -> Path:
    """Return the folder of the scenarios that come with the product, in a wheel or in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "evaluations"
    return installed if installed.is_dir() else package.parent.parent / "evaluations"


def load_scenarios(folder: Path, pattern: str = "*") -> tuple[Scenario, ...]:
    """Return the scenarios of `folder` whose id fits `pattern`, or raise `ScenarioError`."""
    perturbations = _perturbations(folder)
    found: dict[str, Scenario] = {}
    for path in sorted((folder / "scenarios").glob("*.yaml")):
        for scenario in _read(path, perturbations):
            if scenario.id in found:
                raise ScenarioError(f"{path.name}: there are two scenarios {scenario.id}")
            found[scenario.id] = scenario
    return tuple(scenario for scenario in found.values() if _fits(scenario.id, pattern))


def load_phrases(folder: Path) -> PhraseBank:
    """Return the phrase bank of `folder`, or raise `ScenarioError`."""
    path = folder / "phrases.yaml"
    try:
        return PhraseBank(TypeAdapter(dict[str, tuple[str, ...]]).validate_python(_yaml(path)))
    except ValidationError as error:
        raise ScenarioError(f"{path.name}: {_first(error)}") from error


def _fits(scenario_id: str, pattern: str) -> bool:
    return any(fnmatch(scenario_id, each.strip()) for each in pattern.split(","))


def _perturbations(folder: Path) -> Mapping[str, Perturbation]:
    path = folder / "perturbations.yaml"
    try:
        return TypeAdapter(dict[str, Perturbation]).validate_python(_yaml(path))
    except ValidationError as error:
        raise ScenarioError(f"{path.name}: {_first(error)}") from error


def _read(path: Path, perturbations: Mapping[str, Perturbation]) -> Iterator[Scenario]:
    try:
        file = ScenarioFile.model_validate(_yaml(path))
    except ValidationError as error:
        raise ScenarioError(f"{path.name}: {_first(error)}") from error
    for raw in (*_matrix(file, path, perturbations), *_single(file)):
        try:
            yield Scenario.model_validate(raw)
        except ValidationError as error:
            raise ScenarioError(f"{path.name}: {raw.get('id')}: {_first(error)}") from error


def _matrix(file: ScenarioFile, path: Path, perturbations: Mapping[str, Perturbation]) -> Iterator[dict[str, Any]]:
    for variant, changes in (file.variants or {"": {}}).items():
        material = {**file.material, **changes.get("material", {})}
        base = merged(file.base, {name: value for name, value in changes.items() if name != "material"})
        for name in file.matrix:
            if name not in perturbations:
                raise ScenarioError(f"{path.name}: there is no perturbation {name}")
            perturbation = perturbations[name]
            if missing := [need for need in perturbation.needs if need not in material]:
                raise ScenarioError(f"{path.name}: {name} needs {', '.join(missing)} in `material`")
            part = filled(perturbation.changes, material)
            scenario_id = "/".join(filter(None, (path.stem, variant, name)))
            named = {"id": scenario_id, "area": file.area, "about": perturbation.about, "perturbation": name}
            yield {**merged(base, part), **named}


def _single(file: ScenarioFile) -> Iterator[dict[str, Any]]:
    for raw in file.scenarios:
        yield {"area": file.area, **merged(file.base if raw.get("id") else {}, raw)}


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `changes`: `gold` and `answers` field by field, everything else as a whole."""
    joined = {
        name: {**base.get(name, {}), **changes[name]}
        for name in ("gold", "answers")
        if isinstance(changes.get(name), dict)
    }
    return {**base, **changes, **joined}


def filled(value: Any, material: Mapping[str, Any]) -> Any:
    """Return `value` with every text `$name` replaced by what `material` has under that name."""
    match value:
        case str() if value.startswith("$"):
            return material[value[1:]]
        case dict():
            return {name: filled(inner, material) for name, inner in value.items()}
        case list() | tuple():
            return [filled(inner, material) for inner in value]
        case _:
            return value


@cache
def _yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ScenarioError(f"{path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ScenarioError(f"{path.name} is not YAML: {error}") from error


def _first(error: ValidationError) -> str:
    first: Sequence[Any] = error.errors()
    place = ".".join(map(str, first[0]["loc"]))
    return f"{place}: {first[0]['msg']}"
