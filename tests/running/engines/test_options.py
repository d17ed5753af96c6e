"""What the command line may say of an engine."""

import pytest

from tsxfer.api.engine import How
from tsxfer.errors import SpecError
from tsxfer.running.engines import EngineName
from tsxfer.running.engines.options import RayOptions, SlurmOptions, read


def test_texts_become_typed_options() -> None:
    """Numbers are numbers, texts stay texts, the rest holds its default."""
    assert read(RayOptions, ["threads=2", "gpus=0.5"]) == RayOptions(threads=2, gpus=0.5)
    assert read(RayOptions, ["address=head:6379"]).address == "head:6379"
    found = read(SlurmOptions, ["partition=gpu", "minutes=30", "account=12"])
    assert found == SlurmOptions(partition="gpu", minutes=30, account="12")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("partion=gpu", "did you mean partition"),
        ("minutes=soon", "minutes = 'soon' is not int"),
        ("minutes=0", "not above 0"),
        ("minutes", "has no ="),
        ("cluster=locale", "did you mean local"),
    ],
)
def test_a_wrong_option_is_said(text: str, said: str) -> None:
    """Unknown names, wrong kinds and senseless numbers give what mends them."""
    with pytest.raises(SpecError) as caught:
        read(SlurmOptions, [text])
    assert said in str(caught.value)


def test_options_without_an_engine_are_refused() -> None:
    """They would be ignored in silence otherwise."""
    with pytest.raises(SpecError, match="without an engine"):
        How(options=("threads=2",))
    assert How(engine=EngineName.RAY, options=("threads=2",)).options
