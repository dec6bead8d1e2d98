"""Typed, frozen, strict configuration: TOML files, overrides, and one-line errors."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from brainrnn.errors import InputError, unknown


class Settings(BaseModel):
    """Base of every section of a configuration: immutable, and strict about names.

    A wrong value raises an ``InputError`` of one line. Files and overrides are strict about types
    too (see :func:`build`); from Python, what converts to the right type is taken.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise InputError(_one_line(error, type(self), values)) from None

    # Nested sections are then validated as part of the whole, so that errors keep their location.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]


S = TypeVar("S", bound=Settings)


def build(model: type[S], values: Mapping[str, Any]) -> S:
    """Validate nested values, as TOML has them, into a model, strictly by type.

    Raises
    ------
    InputError
        One line with the key, what was expected and what was given; for an unknown key the
        nearest known one.
    """
    try:
        # JSON has TOML's types: a list may become a tuple, but no text a number.
        return model.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        raise InputError(_one_line(error, model, values)) from None


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    InputError
        If it is missing, unreadable or not TOML.
    """
    path = Path(path)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"no configuration file {path}: check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        raise InputError(f"cannot read the configuration {path}: {reason}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not valid TOML: {error}") from None


def override(values: Mapping[str, Any], assignments: Iterable[str]) -> dict[str, Any]:
    """Return the values with ``section.key=value`` assignments applied, each value read as TOML.

    A bare word is taken as a string, so that ``network.cell=gru`` needs no quotes; the bare word
    unset unsets a key that may be unset.
    """
    result = {key: dict(v) if isinstance(v, Mapping) else v for key, v in values.items()}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        parts = key.strip().split(".")
        if not equals or not all(parts) or not assignment.isprintable():
            raise InputError(
                f"cannot read the override {assignment!r}: write section.key=value, for example "
                "training.steps=500"
            )
        section = result
        for part in parts[:-1]:
            inner = section.get(part)
            section[part] = dict(inner) if isinstance(inner, Mapping) else {}
            section = section[part]
        section[parts[-1]] = _toml_value(text)
    return result


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return None if text == "unset" else text


def describe(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Every key of a model with its default and its description: (key, default, text)."""
    for name, field in model.model_fields.items():
        inner = _section(field.annotation)
        if inner is not None:
            yield from describe(inner, f"{prefix}{name}.")
        else:
            default = "required" if field.is_required() else _as_toml(field.default)
            yield f"{prefix}{name}", default, field.description or ""


def _as_toml(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_as_toml(v) for v in value) + "]"
    return "unset" if value is None else str(value)


def _section(annotation: Any) -> type[BaseModel] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _one_line(error: ValidationError, model: type[BaseModel], values: Mapping[str, Any]) -> str:
    """The first thing that is wrong, in one line."""
    problem = error.errors()[0]
    where = [str(part) for part in problem["loc"]]
    keys = _known_path(where, model)
    key = ".".join(keys)
    if problem["type"] == "extra_forbidden":
        owner = model
        for part in where[:-1]:
            owner = _section(owner.model_fields[part].annotation) or owner
        known = [".".join([*where[:-1], name]) for name in owner.model_fields]
        return unknown("configuration key", ".".join(where), known)
    if problem["type"] == "missing" and len(keys) == len(where):
        return f"the configuration needs a value for {key}: add it to the file, or as {key}=VALUE"
    reason = problem["msg"].removeprefix("Value error, ").replace("tuple", "list")
    reason = reason.replace("array", "list")
    given = problem["input"]
    shown = repr(given if not isinstance(given, BaseModel) else given.model_dump())
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return f"{key or model.__name__}: {reason[0].lower()}{reason[1:]}, got {shown}"


def _known_path(where: list[str], model: type[BaseModel]) -> list[str]:
    """The part of an error's location that names configuration keys (not union branches)."""
    keys: list[str] = []
    owner: type[BaseModel] | None = model
    for part in where:
        if owner is None or part not in owner.model_fields:
            break
        keys.append(part)
        owner = _section(owner.model_fields[part].annotation)
    return keys
