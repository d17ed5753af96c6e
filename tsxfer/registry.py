"""One generic registry: a folder of files, one thing a file, named as the file; entry points beside it."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tsxfer.errors import SpecError, nearest


@dataclass(frozen=True, slots=True)
class Registry:
    """Names found without importing; a thing is loaded when asked for.

    Attributes:
        noun: What is registered, for messages: ``data set``, ``model``.
        folder: Every ``NAME.py`` in it defines the thing NAME; names with a leading underscore
            and those in `hidden` are not things.
        group: Entry-point group through which other packages register theirs.
        package: Dotted package that the folder is, or "" where it is none (files by path).
        hidden: File stems in the folder that are not things.
    """

    noun: str
    folder: Path
    group: str
    package: str = ""
    hidden: tuple[str, ...] = ()

    def names(self) -> list[str]:
        """All registered names, sorted."""
        return sorted({*self._files(), *self._entry_points()})

    def summary(self, name: str) -> str:
        """First line of the file's docstring, read without importing it."""
        if name not in self._files():
            return "(from another package)"
        tree = ast.parse(self._files()[name].read_text(encoding="utf-8"))
        return (ast.get_docstring(tree) or "").split("\n")[0]

    def load(self, name: str) -> ModuleType | Any:
        """The module that defines `name`, or the object of an entry point.

        Raises:
            SpecError: If nothing has that name; near ones are suggested.
        """
        if name in self._files():
            return self._module(name, self._files()[name])
        if name in self._entry_points():
            return self._entry_points()[name].load()
        raise SpecError(f"unknown {self.noun} {name!r}", mend=nearest(name, self.names()))

    def _files(self) -> dict[str, Path]:
        return {
            path.stem: path
            for path in sorted(self.folder.glob("*.py"))
            if not path.stem.startswith("_") and path.stem not in self.hidden
        }

    def _entry_points(self) -> dict[str, importlib.metadata.EntryPoint]:
        return {entry.name: entry for entry in importlib.metadata.entry_points(group=self.group)}

    def _module(self, name: str, path: Path) -> ModuleType:
        if self.package:
            return importlib.import_module(f"{self.package}.{name}")
        dotted = f"tsxfer_{self.group.rsplit('.', 1)[-1]}_{name}"
        if dotted not in sys.modules:
            found = importlib.util.spec_from_file_location(dotted, path)
            if found is None or found.loader is None:
                raise SpecError(f"{path} cannot be loaded as Python", where=str(path))
            module = importlib.util.module_from_spec(found)
            sys.modules[dotted] = module
            try:
                found.loader.exec_module(module)
            except BaseException:
                del sys.modules[dotted]
                raise
        return sys.modules[dotted]
