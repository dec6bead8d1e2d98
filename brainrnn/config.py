"""Typed, frozen, strict configuration: TOML files, overrides, and one-line errors."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from brainrnn.errors import InputError, unknown

# Ranges of numbers: wide enough for every use, and so that sums and products of them are finite.
Count = Annotated[int, Field(ge=1, le=10**9)]  # of neurons, trials, steps, draws
Seed = Annotated[int, Field(ge=0, lt=2**63)]
NonNegative = Annotated[float, Field(ge=0, le=1e9)]
Positive = Annotated[float, Field(gt=0, le=1e9)]
PerMember = NonNegative | tuple[NonNegative, ...]  # one value for all members, or one for each


class Settings(BaseModel):
    """Base of every section of a configuration: immutable, and strict about names.

    A wrong value raises an ``InputError`` of one line. Files and overrides must also have the
    right type (see :func:`build`). From Python, a value that converts to the right type is taken.

    Examples
    --------
    >>> class Size(Settings):
    ...     neurons: int = Field(100, ge=1, description="how many")
    >>> Size(neurons=0)
    Traceback (most recent call last):
        ...
    brainrnn.errors.InputError: neurons: input should be greater than or equal to 1, got 0
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise InputError(_one_line(error.errors()[0], type(self))) from None

    # Nested sections are then validated as part of the whole, so that errors keep their location.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]


S = TypeVar("S", bound=Settings)

_TOO_DEEP = "the configuration has tables or lists in each other, too deep to be meant: undo that"
# As JSON writes them; a line feed, a tabulator and a carriage return have escapes of their own.
_CONTROL = re.compile(r"(?<!\\)(?:\\\\)*\\u00[01]")


def build(model: type[S], values: Mapping[str, Any]) -> S:
    """Turn nested values, as TOML has them, into settings; types must be the right ones.

    Parameters
    ----------
    model : type
        The class of the settings.
    values : mapping
        Sections and keys with their values.

    Raises
    ------
    InputError
        One line with the key, what was expected and what was given; for an unknown key the
        nearest known one.

    Examples
    --------
    >>> class Size(Settings):
    ...     neurons: int = 100
    >>> build(Size, {"neurons": 64})
    Size(neurons=64)
    """
    try:
        return model.model_validate_json(_as_json(values), strict=True)
    except ValidationError as error:
        raise InputError(_one_line(error.errors()[0], model)) from None


def refusal(model: type[Settings], values: Mapping[str, Any], key: str) -> InputError | None:
    """What is wrong with the value of one key, whatever else is wrong.

    Examples
    --------
    >>> class Size(Settings):
    ...     neurons: int = 100
    ...     grid: int = 10
    >>> refusal(Size, {"neurons": "many", "grid": "fine"}, "grid")
    InputError("grid: input should be a valid integer, got 'fine'")
    >>> refusal(Size, {"neurons": "many"}, "grid")
    """
    try:
        model.model_validate_json(_as_json(values), strict=True)
    except ValidationError as error:
        for problem in error.errors():
            location = map(str, problem["loc"])  # with the kinds of sections between the keys
            if all(part in location for part in key.split(".")):
                return InputError(_one_line(problem, model))
    return None


def _as_json(values: Mapping[str, Any]) -> str:
    """Values as JSON, which has TOML's types: a list may become a tuple, but no text a number."""
    try:
        text = json.dumps(values, default=str)
    except RecursionError:
        raise InputError(_TOO_DEEP) from None
    if _CONTROL.search(text):
        raise InputError("the configuration holds a control character, such as NUL: take it out")
    return text


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
    except RecursionError:
        raise InputError(f"{path}: {_TOO_DEEP}") from None
    except ValueError as error:  # a TOMLDecodeError, or a number of thousands of digits
        raise InputError(f"{path} is not valid TOML: {error}") from None


def as_toml(settings: Settings) -> str:
    """Write settings as TOML, without keys that are unset, and lists of numbers on single lines.

    Examples
    --------
    >>> class Size(Settings):
    ...     shape: tuple[int, ...] = (20, 20)
    ...     name: str | None = None
    >>> print(as_toml(Size()))
    shape = [20, 20]
    <BLANKLINE>
    """
    text = tomli_w.dumps(settings.model_dump(mode="json", exclude_none=True))
    for item in (r"[-+.\w]+", r"\[[-+.\w, ]*\]"):  # numbers, then lists of numbers
        text = re.sub(rf"\[\n(?:\s+{item},\n)+\s*\]", _on_one_line, text)
    return text


def _on_one_line(found: re.Match[str]) -> str:
    return "[" + " ".join(found[0][1:-1].split()).removesuffix(",") + "]"


def override(values: Mapping[str, Any], assignments: Iterable[str]) -> dict[str, Any]:
    """Return the values with ``section.key=value`` assignments applied, each value read as TOML.

    A bare word is a string, so that ``network.cell=gru`` needs no quotes. The bare word ``unset``
    unsets a key that may be unset.

    Raises
    ------
    InputError
        If an assignment is not of this form.

    Examples
    --------
    >>> override({"network": {"cell": "leaky"}}, ["network.cell=gru", "seed=3"])
    {'network': {'cell': 'gru'}, 'seed': 3}
    """
    pairs = []
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not all(key.strip().split(".")) or not assignment.isprintable():
            raise InputError(
                f"cannot read the override {assignment!r}: write section.key=value, for example "
                "training.steps=500"
            )
        pairs.append((key.strip(), toml_value(text)))
    return put(values, pairs)


def put(values: Mapping[str, Any], pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return the values with others put in at ``section.key``.

    Examples
    --------
    >>> put({"network": {"cell": "leaky"}}, [("network.cell", "gru"), ("seed", 3)])
    {'network': {'cell': 'gru'}, 'seed': 3}
    """
    result = {key: dict(v) if isinstance(v, Mapping) else v for key, v in values.items()}
    for key, value in pairs:
        parts = key.split(".")
        section = result
        for part in parts[:-1]:
            inner = section.get(part)
            section[part] = dict(inner) if isinstance(inner, Mapping) else {}
            section = section[part]
        section[parts[-1]] = value
    return result


def toml_value(text: str) -> Any:
    """The value of ``key=text``, read as TOML; a bare word is itself, and ``unset`` is None.

    Examples
    --------
    >>> toml_value("[1, 2]"), toml_value("bimt"), toml_value("unset")
    ([1, 2], 'bimt', None)
    """
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return None if text == "unset" else text


def describe(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Every key of a model with its default and its description: (key, default, text).

    If a section comes in several kinds, the keys of all kinds are listed. A key is listed again
    where it has another default or another meaning in another kind.

    Examples
    --------
    >>> class Size(Settings):
    ...     neurons: int = Field(100, description="how many")
    >>> list(describe(Size))
    [('neurons', '100', 'how many')]
    """
    for name, field in model.model_fields.items():
        kinds = _sections(field.annotation)
        told: set[tuple[str, ...]] = set()
        for kind in kinds:
            for key, default, text in describe(kind, f"{prefix}{name}."):
                if (key, default, text) not in told:
                    yield key, default, text
                told.add((key, default, text))
        if not kinds:
            default = "required" if field.is_required() else toml_text(field.default)
            yield f"{prefix}{name}", default, field.description or ""


def toml_text(value: Any) -> str:
    """A value as TOML writes it, on one line; None is ``unset``.

    Examples
    --------
    >>> toml_text({"algorithm": "none", "every": [1, 2]})
    '{ algorithm = "none", every = [1, 2] }'
    """
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(toml_text, value)) + "]"
    if isinstance(value, Mapping):
        pairs = (f"{_key(name)} = {toml_text(v)}" for name, v in value.items())
        return "{ " + ", ".join(pairs) + " }" if value else "{}"
    return "unset" if value is None else str(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def _sections(annotation: Any) -> list[type[BaseModel]]:
    """The models that a field may hold: none for a plain value, several for a union of kinds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _sections(inner)]


def _one_line(problem: ErrorDetails, model: type[BaseModel]) -> str:
    """What is wrong, in one line."""
    known, where, owner = _locate(problem["loc"], model)
    key = ".".join(known)
    if problem["type"] == "json_invalid":
        return _TOO_DEEP if "recursion" in problem["msg"] else "the configuration is not Unicode"
    if problem["type"] == "extra_forbidden":
        names = [".".join([*where[:-1], name]) for name in owner.model_fields]
        return unknown("configuration key", ".".join(where), names)
    if problem["type"] == "missing" and known == where:
        return f"the configuration needs a value for {key}: add it to the file, or as {key}=VALUE"
    if problem["type"] == "union_tag_invalid":
        kinds = [kind.model_fields["kind"].default for kind in _kinds(known, model)]
        return unknown(f"{key}.kind", problem["ctx"]["tag"], kinds)
    if problem["type"] == "too_short":
        least, given = (problem["ctx"][bound] for bound in ("min_length", "actual_length"))
        return f"{key}: give at least {least}, got {given or 'none'}"
    if problem["type"] == "string_pattern_mismatch":  # a pattern is for programs: say its meaning
        meaning = owner.model_fields[known[-1]].description
        return f"{key} cannot be {problem['input']!r:.60}: it says {meaning}"
    if problem["type"] in ("tuple_type", "list_type"):
        return f"{key}: expected a list in square brackets, got {problem['input']!r:.60}"
    reason = problem["msg"].removeprefix("Value error, ").replace("tuple", "list")
    reason = reason.replace("array", "list")
    given = problem["input"]
    shown = repr(given if not isinstance(given, BaseModel) else given.model_dump())
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    if not known:  # of the whole, which would say nothing
        return f"{reason[0].lower()}{reason[1:]}"
    if problem["type"] == "value_error" and str(given) in reason:  # which says what was given
        return f"{key}: {reason[0].lower()}{reason[1:]}"
    return f"{key}: {reason[0].lower()}{reason[1:]}, got {shown}"


def _locate(
    location: Iterable[str | int], model: type[BaseModel]
) -> tuple[list[str], list[str], type[BaseModel]]:
    """Where an error is: the known keys, all keys as written, and the section that they are in.

    An error's location also names the kind of a section that comes in several, and the branch of
    a union of plain values; neither is a key.
    """
    known: list[str] = []
    written: list[str] = []
    owner: type[BaseModel] | None = model
    section, kinds = model, [model]
    for part in map(str, location):
        if len(kinds) > 1:
            owner = next(k for k in kinds if k.model_fields["kind"].default == part)
            section, kinds = owner, [owner]
            continue
        written.append(part)
        if owner is None or part not in owner.model_fields:
            owner = None
            continue
        known.append(part)
        kinds = _sections(owner.model_fields[part].annotation)
        owner = kinds[0] if kinds else None
        section = owner or section
    return known, written, section


def _kinds(keys: list[str], model: type[BaseModel]) -> list[type[BaseModel]]:
    kinds = [model]
    for key in keys:
        kinds = _sections(kinds[0].model_fields[key].annotation)
    return kinds
