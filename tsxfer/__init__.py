"""Does pretraining on another domain help here, by how much, how fast, and how sure are we?

``import tsxfer`` loads nothing else; each public name brings its module along when it is first
used, so that a script or notebook pays for torch only where it trains.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what types and editors see; at run time the table below stands for it
    from tsxfer.api.advice import recommend as recommend
    from tsxfer.api.ahead import load_dataset as load_dataset
    from tsxfer.api.ahead import look as look
    from tsxfer.api.ahead import plan as plan
    from tsxfer.api.keep import fit as fit
    from tsxfer.api.keep import predict as predict
    from tsxfer.api.run import run as run
    from tsxfer.api.studies import load_study as load_study
    from tsxfer.errors import TsxferError as TsxferError
    from tsxfer.estimators import TransferClassifier as TransferClassifier
    from tsxfer.estimators import TransferRegressor as TransferRegressor
    from tsxfer.exchange.comparing import compare as compare
    from tsxfer.exchange.frame import load_results as load_results
    from tsxfer.zoo.pretrained import load_pretrained as load_pretrained

__version__ = "0.1.0"

# A public name and the module that defines it: one line here and one above for each.
PUBLIC = {
    "TransferClassifier": "tsxfer.estimators",
    "TransferRegressor": "tsxfer.estimators",
    "TsxferError": "tsxfer.errors",
    "compare": "tsxfer.exchange.comparing",
    "fit": "tsxfer.api.keep",
    "load_dataset": "tsxfer.api.ahead",
    "load_pretrained": "tsxfer.zoo.pretrained",
    "load_study": "tsxfer.api.studies",
    "look": "tsxfer.api.ahead",
    "plan": "tsxfer.api.ahead",
    "predict": "tsxfer.api.keep",
    "recommend": "tsxfer.api.advice",
    "run": "tsxfer.api.run",
    "load_results": "tsxfer.exchange.frame",
}

__all__ = ["__version__", *PUBLIC]


def __getattr__(name: str) -> object:
    """Bring in a public name when it is first used (PEP 562)."""
    module = PUBLIC.get(name)
    if module is None:
        from tsxfer.errors import nearest

        raise AttributeError(f"tsxfer has no {name!r}: {nearest(name, PUBLIC)}")
    found: object = getattr(import_module(module), name)
    globals()[name] = found  # the next use finds it without asking
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *PUBLIC})
