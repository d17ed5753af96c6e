"""What has a name, found without running it: files that define it, and entry points.

A data set or a model is a file with its name. Of what is smaller (methods, metrics and the other
doors of `tsxfer.core.doors`) a file may define several, each named by its own definition.

A user's folder (`tsxfer.core.plugins`) is read in the same way as the package's own.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tsxfer.core.declared import Option, of_node
from tsxfer.core.plugins import hint, plugin_folders
from tsxfer.errors import SpecError, nearest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


@lru_cache
def _installed(group: str, path: tuple[str, ...]) -> dict[str, EntryPoint]:
    """Entry points of a group."""
    return {entry.name: entry for entry in _all_installed(path).select(group=group)}


@lru_cache
def _all_installed(_path: tuple[str, ...]) -> Any:
    """All entry points: looking through all packages takes 20 ms, too long for each group."""
    from importlib import metadata  # takes as long as all of this module's others

    return metadata.entry_points()


@dataclass(frozen=True, slots=True)
class Registry:
    """Names found without importing; what they name is loaded when asked for.

    Attributes:
        noun: Name of what is registered, for messages: ``data set``, ``model``.
        folder: Its files ``NAME.py`` define what is called NAME; or one file that defines several.
        group: Entry-point group through which other packages register theirs.
        mark: By which a file is recognised: a decorator of a function, or the base of a class.
        package: Dotted package that the folder is, or "" where it is none (files by path).
        each: Every definition has a name of its own, so that a file may hold several; else the file
            names the one that it holds.
    """

    noun: str
    folder: Path
    group: str
    mark: tuple[str, ...]
    package: str = ""
    each: bool = False

    def names(self) -> list[str]:
        """All registered names, sorted."""
        return sorted({*self._files(), *self._entry_points()})

    def summary(self, name: str) -> str:
        """First line of the file's docstring, read without importing it."""
        if name not in self._files():
            return "(from another package)"
        path = self._files()[name]
        text = self._told(name, path).split("\n")[0]
        return text if self._ours(path) else f"{text or 'yours'} ({path})"

    def _told(self, name: str, path: Path) -> str:
        found = self.definition(name)
        return found.doc if self.each and found else _parsed(path)[1]

    def _ours(self, path: Path) -> bool:
        return self.folder in (path, path.parent)

    def definition(self, name: str) -> Definition | None:
        """Where and how a file defines a name; None of an entry point or nothing."""
        path = self._files().get(name)
        if path is None:
            return None
        marked = [one for one in _parsed(path)[0] if one.mark in self.mark]
        return next((one for one in marked if one.name == name or not self.each), None)

    def own_names(self) -> list[str]:
        """Names that the package itself defines, in the order of its file."""
        return [n for n, path in self._files().items() if self._ours(path)]

    def own(self, name: str) -> bool:
        """Whether the package itself defines a name; quick, since each trial asks it."""
        return name in self._defines(self.folder) if self.each else name in self.own_names()

    def get(self, name: str) -> Any:
        """The object of that name; see `load` for what it raises."""
        loaded = self.load(name)
        definition = self.definition(name)
        return getattr(loaded, definition.symbol) if definition else loaded

    def place(self, name: str) -> str:
        """File and line of a definition, for messages."""
        found = self.definition(name)
        return f"{found.path}, line {found.line}" if found else f"entry point {self.group}: {name}"

    def load(self, name: str) -> ModuleType | Any:
        """The module that defines `name`, or the object of an entry point.

        Raises:
            SpecError: If nothing has that name (near ones are suggested), or its code fails.
        """
        files, entries = self._files(), self._entry_points()
        if name in files:
            return self._module(name, files[name])
        if name in entries:
            return _entry(entries[name])
        self.refuse_unknown(name)
        raise AssertionError("a known name is a file's or an entry point's")

    def refuse_unknown(self, name: str) -> None:
        """Refuse what nothing has as its name; a file that is no Python says so first.

        Raises:
            SpecError: With near names.
        """
        known = self.names()
        if name in known:
            return
        refuse_damaged(name)
        raise SpecError(f"unknown {self.noun} {name!r}", mend=nearest(name, known) + hint())

    def load_file(self, path: Path) -> ModuleType:
        """The module of a file that need not be registered.

        Raises:
            SpecError: If its code fails; the line is named.
        """
        refuse_bad_syntax(path)
        # An edited file is another module: a notebook goes on with what the file says now.
        digest = _hash(str(path.resolve()).encode() + path.read_bytes())
        return _executed(f"tsxfer_plugin_{path.stem}_{digest}", path)

    def defined_in(self, path: Path) -> bool:
        """Whether a file defines one of these, without running it."""
        return any(one.mark in self.mark for one in _parsed(path)[0])

    def plugin_digest(self, name: str) -> str:
        """Hash of the code of a user's file; "" for the package's own.

        Another package stands for its version where it defines what goes through a door; its data
        sets have a version of their own, and rows of its models were always kept.
        """
        if not name or self.own(name):
            return ""
        path = self._files().get(name)
        if path is not None:
            return "" if self._ours(path) else _hash(path.read_bytes())
        entry = self._entry_points().get(name) if self.each else None
        return _hash(f"{entry.value} {entry.dist and entry.dist.version}".encode()) if entry else ""

    def _files(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for place in (self.folder, *plugin_folders()):
            for path in _python_in(place):
                for name in self._defines(path):
                    if found.setdefault(name, path) != path:
                        raise SpecError(
                            f"two files define the {self.noun} {name}",
                            where=f"{found[name]} and {path}",
                            mend="rename one of them, and what it defines",
                        )
        return found

    def defined_names(self, path: Path) -> list[str]:
        """What a file defines of these, without running it."""
        return self._defines(path)

    def _defines(self, path: Path) -> list[str]:
        marked = [one.name for one in _parsed(path)[0] if one.mark in self.mark]
        return marked if self.each else [path.stem] * bool(marked)

    def _entry_points(self) -> dict[str, EntryPoint]:
        return _installed(self.group, tuple(sys.path))

    def _module(self, name: str, path: Path) -> ModuleType:
        if not self._ours(path):
            return self.load_file(path)
        if self.folder == path:
            return importlib.import_module(self.package)
        if self.package:
            return importlib.import_module(f"{self.package}.{name}")
        return _executed(f"tsxfer_{self.group.rsplit('.', 1)[-1]}_{name}", path)


def _entry(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except Exception as error:
        raise SpecError(
            f"entry point {entry.name} fails when it is loaded: {type(error).__name__}: {error}",
            where=f"{entry.group}: {entry.value}",
            mend="update or remove the package that declares it",
        ) from error


def _executed(dotted: str, path: Path) -> ModuleType:
    if dotted in sys.modules:
        return sys.modules[dotted]
    found = importlib.util.spec_from_file_location(dotted, path)
    if found is None or found.loader is None:
        raise SpecError(f"{path} cannot be loaded as Python", where=str(path))
    module = importlib.util.module_from_spec(found)
    sys.modules[dotted] = module
    try:
        found.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[dotted]
        if isinstance(error, Exception):
            raise SpecError(
                f"{path.name} fails when it is loaded: {type(error).__name__}: {error}",
                where=f"{path}, line {_line(error, path)}",
                mend="correct that line, then `tsxfer check` the file",
            ) from error
        raise
    return module


def _line(error: Exception, path: Path) -> int:
    """The last line of a file that an error passed through."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def refuse_bad_syntax(path: Path) -> None:
    """Refuse a file that Python cannot parse; one that is not there is none.

    Raises:
        SpecError: With the line.
    """
    if not path.is_file():
        return
    try:
        ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise SpecError(
            f"{path.name} is not Python: {getattr(error, 'msg', error)}",
            where=f"{path}, line {line}" if line else str(path),
            mend="correct that line",
        ) from None


def refuse_damaged(name: str) -> None:
    """Refuse a file of the user's own that Python cannot parse, before a name is called unknown.

    The file of that name comes first; any other may define it.

    Raises:
        SpecError: With the line.
    """
    files = [file for place in plugin_folders() for file in _python_in(place)]
    for path in sorted(files, key=lambda file: file.stem != name):
        refuse_bad_syntax(path)


def _python_in(place: Path) -> list[Path]:
    found = sorted(place.glob("*.py")) if place.is_dir() else [place]
    return [path for path in found if not path.stem.startswith("_")]


@dataclass(frozen=True, slots=True)
class Definition:
    """A marked definition at the top of a file, as it is written there.

    Attributes:
        mark: Its decorator, or the base of its class.
        symbol: Name of the function or class.
        name: What it registers: said first in the decorator, else the symbol in small letters.
        facts: What the decorator says in keywords, as far as it says it literally.
        doc: Its docstring.
        path: The file.
        line: Where it begins.
        options: What may be said beside its name.
    """

    mark: str
    symbol: str
    name: str
    facts: dict[str, Any]
    doc: str
    path: Path
    line: int
    options: tuple[Option, ...] = ()


def _hash(code: bytes) -> str:
    return hashlib.sha256(code).hexdigest()[:16]


def _parsed(path: Path) -> tuple[tuple[Definition, ...], str]:
    """Marked definitions at the top of a file, and its docstring."""
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1024)
def _read(path: Path, changed: int) -> tuple[tuple[Definition, ...], str]:
    del changed  # only a part of the cache's key
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return (), ""
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    found = [one for node in tree.body for one in _definitions(node, path, classes)]
    return tuple(found), ast.get_docstring(tree) or ""


def _definitions(
    node: ast.stmt, path: Path, classes: dict[str, ast.ClassDef]
) -> Iterator[Definition]:
    if not isinstance(node, ast.FunctionDef | ast.ClassDef):
        return
    bases = node.bases if isinstance(node, ast.ClassDef) else []
    marks = (*node.decorator_list, *bases)
    options = of_node(node, classes) if marks else ()  # most functions of a file are its helpers
    for mark in marks:
        said = mark.args if isinstance(mark, ast.Call) else []
        words = mark.keywords if isinstance(mark, ast.Call) else []
        given = [v for v in map(_literal, said[:1]) if isinstance(v, str)]
        yield Definition(
            mark=_name(mark),
            symbol=node.name,
            name=given[0] if given else node.name.lower(),
            facts={word.arg: _literal(word.value) for word in words if word.arg},
            doc=ast.get_docstring(node) or "",
            path=path,
            line=node.lineno,
            options=options,
        )


def _literal(node: ast.expr) -> Any:
    """The value of a literal; None of anything else."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _name(node: ast.expr) -> str:
    """``dataset`` of ``@dataset``, ``@dataset(...)`` and ``@data.dataset(...)``."""
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
