"""rules.yaml: what people write. Whether its points exist is checked when a rule is bound."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from edge_runtime.names import NAME
from edge_runtime.rules.message import check_message

MAX_RULES = 256
MAX_BRANCHES = 16
MAX_NODES = 64
MAX_DEPTH = 8
MAX_HOLD_S = 86_400

Threshold = Annotated[float | str, Field(union_mode="left_to_right")]
"""A number in the point's unit, or text with the unit: ``6.0 bar``."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Node(_Section):
    for_s: float = Field(default=0.0, ge=0, le=MAX_HOLD_S)
    """How long it must hold without a break before it counts."""


class Comparison(_Node):
    """One point against a limit, with hysteresis; the event's point where none is named."""

    point: str | None = None
    above: Threshold | None = None
    clear_below: Threshold | None = None
    """With ``above``: stays true until the value is below this."""
    below: Threshold | None = None
    clear_above: Threshold | None = None
    equals: bool | int | str | None = Field(default=None, alias="is")
    """A boolean, an integer, a text, or the label of an enumeration's value."""

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        asked = [f for f in (self.above, self.below, self.equals) if f is not None]
        if len(asked) != 1:
            msg = "give exactly one of 'above', 'below', 'is', 'all', 'any', 'not'"
            raise ValueError(msg)
        if self.clear_below is not None and self.above is None:
            msg = "'clear_below' belongs to 'above'"
            raise ValueError(msg)
        if self.clear_above is not None and self.below is None:
            msg = "'clear_above' belongs to 'below'"
            raise ValueError(msg)
        return self


class AllOf(_Node):
    """True when every branch is."""

    branches: "tuple[Condition, ...]" = Field(alias="all", min_length=1, max_length=MAX_BRANCHES)


class AnyOf(_Node):
    """True when one branch is."""

    branches: "tuple[Condition, ...]" = Field(alias="any", min_length=1, max_length=MAX_BRANCHES)


class Not(_Node):
    """True when the branch is false; unknown stays unknown."""

    branch: "Condition" = Field(alias="not")


def _tag(node: Any) -> str:
    if isinstance(node, dict):
        return next((f"~{key}" for key in ("all", "any", "not") if key in node), "~comparison")
    tags: dict[type[Any], str] = {AllOf: "~all", AnyOf: "~any", Not: "~not"}
    return tags.get(type(node), "~comparison")


Condition = Annotated[
    Annotated[Comparison, Tag("~comparison")]
    | Annotated[AllOf, Tag("~all")]
    | Annotated[AnyOf, Tag("~any")]
    | Annotated[Not, Tag("~not")],
    Discriminator(_tag),
]


class RuleEvent(_Section):
    """What sets the rule going: every reading of this point, and of those its condition names."""

    point: str = Field(max_length=200)
    """``device/point``."""


class AlertAction(_Section):
    """The alert that the rule raises and clears."""

    priority: Literal["low", "medium", "high", "critical"] = "medium"
    message: str = Field(min_length=1, max_length=300)
    """May hold ``{value}``, ``{unit}``, ``{point}``, ``{device}`` and ``{rule}``."""

    @model_validator(mode="after")
    def _known_placeholders(self) -> Self:
        check_message(self.message)
        return self


class RuleSettings(_Section):
    """One rule."""

    name: str = Field(pattern=NAME, max_length=63)
    description: str = Field(default="", max_length=200)
    event: RuleEvent
    condition: Condition
    alert: AlertAction


class RulesFile(_Section):
    """The file."""

    rules: tuple[RuleSettings, ...] = Field(max_length=MAX_RULES)


for _model in (AllOf, AnyOf, Not, RuleSettings, RulesFile):
    _model.model_rebuild()
