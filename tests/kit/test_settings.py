"""Settings read from the environment: every type, every way to be wrong, and what is said then."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from steward.kit.settings import SettingsError, describe, load, unknown_variables


class Mode(StrEnum):
    FAST = "fast"
    SAFE = "safe"


class Demo(msgspec.Struct, frozen=True, kw_only=True):
    name: Annotated[str, Meta(description="Who.", max_length=8)]
    port: Annotated[int, Meta(ge=1, le=65535, description="Where.")] = 8080
    ratio: float = 0.5
    enabled: bool = True
    mode: Mode = Mode.SAFE
    home: Path = Path(".demo")
    hosts: list[str] = []
    limits: tuple[Annotated[int, Meta(ge=0)], ...] = ()
    secret: Annotated[str | None, Meta(extra={"sensitive": True})] = None
    url: Annotated[str | None, Meta(extra={"variable": "DEMO_ADDRESS"})] = None


def refusal(env: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        load(Demo, {"STEWARD_NAME": "a", **env}, "STEWARD_")
    return str(caught.value)


def test_every_type_is_read() -> None:
    env = {
        "STEWARD_NAME": "ann",
        "STEWARD_PORT": " 9000 ",
        "STEWARD_RATIO": "0.25",
        "STEWARD_ENABLED": "off",
        "STEWARD_MODE": "fast",
        "STEWARD_HOME": "/srv/demo",
        "STEWARD_HOSTS": "a, b,,c",
        "STEWARD_LIMITS": "1,2",
        "STEWARD_SECRET": "s",
        "DEMO_ADDRESS": "http://x",
    }
    assert load(Demo, env, "STEWARD_") == Demo(
        name="ann",
        port=9000,
        ratio=0.25,
        enabled=False,
        mode=Mode.FAST,
        home=Path("/srv/demo"),
        hosts=["a", "b", "c"],
        limits=(1, 2),
        secret="s",
        url="http://x",
    )


def test_absent_and_empty_variables_give_the_defaults() -> None:
    assert load(Demo, {"STEWARD_NAME": "a", "STEWARD_PORT": "", "STEWARD_SECRET": ""}, "STEWARD_") == Demo(name="a")


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("STEWARD_PORT", "http", "a whole number from 1 up to 65535, or leave it out for 8080"),
        ("STEWARD_PORT", "70000", "a whole number from 1 up to 65535"),
        ("STEWARD_ENABLED", "perhaps", "`true` or `false`"),
        ("STEWARD_MODE", "slow", "one of `fast`, `safe`"),
        ("STEWARD_LIMITS", "1,-2", "a list, separated by commas, of a whole number from 0"),
        ("STEWARD_NAME", "much too long", "text of at most 8 characters"),
    ],
)
def test_a_wrong_value_is_refused_with_name_value_and_remedy(name: str, value: str, remedy: str) -> None:
    message = refusal({name: value})
    assert message.startswith(f"{name} is {value!r}: set it to ")
    assert remedy in message


def test_all_problems_are_reported_at_once() -> None:
    message = refusal({"STEWARD_PORT": "x", "STEWARD_RATIO": "y", "STEWARD_NAME": ""})
    assert [line.split()[0] for line in message.splitlines()] == ["STEWARD_NAME", "STEWARD_PORT", "STEWARD_RATIO"]


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from the file\n")
    env = {"STEWARD_NAME": "a", "STEWARD_SECRET_FILE": str(file)}
    assert load(Demo, env, "STEWARD_").secret == "from the file"


def test_a_secret_both_ways_is_refused(tmp_path: Path) -> None:
    assert "are both set" in refusal({"STEWARD_SECRET": "x", "STEWARD_SECRET_FILE": str(tmp_path / "f")})


def test_a_secret_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    message = refusal({"STEWARD_SECRET_FILE": str(tmp_path / "missing")})
    assert "STEWARD_SECRET_FILE" in message
    assert "No such file" in message


def test_a_wrong_secret_is_masked() -> None:
    class Secret(msgspec.Struct, frozen=True):
        pin: Annotated[int, Meta(extra={"sensitive": True})] = 0

    with pytest.raises(SettingsError) as caught:
        load(Secret, {"X_PIN": "hunter2"}, "X_")
    assert "hunter2" not in str(caught.value)
    assert "X_PIN is ***" in str(caught.value)


def test_a_misspelt_variable_is_reported_with_the_nearest_name() -> None:
    env = {"STEWARD_PROT": "1", "STEWARD_SECRET_FILE": "f", "PATH": "x", "STEWARD_QQQQ": "1"}
    problems = unknown_variables(env, describe(Demo, "STEWARD_"))
    assert [problem.variable for problem in problems] == ["STEWARD_PROT", "STEWARD_QQQQ"]
    assert "did you mean STEWARD_PORT?" in problems[0].message
    assert "configuration.md" in problems[1].message


def test_the_description_tells_type_default_and_meaning() -> None:
    port = next(variable for variable in describe(Demo, "STEWARD_") if variable.name == "STEWARD_PORT")
    assert (port.default, port.description, port.required) == ("8080", "Where.", False)
    assert port.type == "a whole number from 1 up to 65535"
