"""Plugins whose declaration or config falls short."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tests.plugins.falling_short import AGAIN, ANSWERS, API, CANCEL, CLOSED, EXAMPLE, FORM, PURE, SIGHTS, WORDS, Config, Source, fails


@fails(API, says="`api` has to be 1, written as a number, and is 2")
class TestOtherApi(Source):
    api = 2


@fails(EXAMPLE, CLOSED, FORM, ANSWERS, WORDS, PURE, CANCEL, SIGHTS, AGAIN, says="`config` has to be a class of pydantic models")
class TestNoModel(Source):
    config = dict


class OtherTags(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tags: Annotated[int, Field(description="How many.")]


@fails(EXAMPLE, ANSWERS, WORDS, PURE, CANCEL, SIGHTS, AGAIN, says="Input should be a valid integer")
class TestExampleThatIsNone(Source):
    config = OtherTags


class OpenConfig(BaseModel):
    tags: Annotated[list[str], Field(description="What is told apart.")]


@fails(CLOSED, FORM, says="a mistyped field is taken in silence")
class TestOpenConfig(Source):
    config = OpenConfig


class GrudgingConfig(OpenConfig):
    @model_validator(mode="before")
    @classmethod
    def _refuse(cls, value: Any) -> Any:
        if set(value) != {"tags"}:
            raise ValueError("something is too much")
        return value


@fails(CLOSED, FORM, says="a field that is not known has to be refused by its name")
class TestFieldRefusedWithoutItsName(Source):
    config = GrudgingConfig


class NestedConfig(Config):
    inner: Annotated[dict[str, OpenConfig] | None, Field(description="What is inside.")] = None


@fails(FORM, says="OpenConfig takes fields that it does not know")
class TestOpenConfigInside(Source):
    config = NestedConfig


class SilentConfig(Config):
    at: str = ""


@fails(FORM, says="the config.at has no description")
class TestFieldWithoutDescription(Source):
    config = SilentConfig


class AnythingConfig(Config):
    at: Annotated[Any, Field(description="At.")] = None


@fails(FORM, says="the config.at may be anything")
class TestFieldThatMayBeAnything(Source):
    config = AnythingConfig
