"""Contracts for import-linter that its own types cannot state without lists of exceptions; used by `.importlinter`.

All look at direct imports only, because each import on a longer way is judged at its own place.
"""

import abc
import fnmatch
from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class Import(NamedTuple):
    importer: str
    imported: str


class DirectImports(Contract):
    """A contract that names the direct imports that break it."""

    @abc.abstractmethod
    def broken(self, graph: ImportGraph) -> Iterator[Import]:
        """The imports that must not be."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: FBT001 the shape import-linter calls
        found = sorted(self.broken(graph))
        output.verbose_print(verbose, f"{self.name}: {len(found)} imports break it.")
        lines = [f"{each.importer} must not import {each.imported} ({_place(graph, each)})" for each in found]
        return ContractCheck(kept=not found, metadata={"lines": lines})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["lines"]:
            output.print_error(line, bold=False)
        output.new_line()


class ServicesImportOnlyApi(DirectImports):
    """A service imports of another service its module `api` and nothing else.

    Options: `services`, the package whose children are the services; `api`, the name of the module.
    """

    services = fields.StringField()
    api = fields.StringField()

    def broken(self, graph: ImportGraph) -> Iterator[Import]:
        root = _word(self.services) + "."
        for importer in graph.find_descendants(_word(self.services)):
            own = importer.removeprefix(root).split(".")[0]
            for imported in graph.find_modules_directly_imported_by(importer):
                other, _, module = imported.removeprefix(root).partition(".")
                if imported.startswith(root) and own != other and module.split(".")[0] != _word(self.api):
                    yield Import(importer, imported)


class HandlersUseContracts(DirectImports):
    """The edge modules of a service depend on its contract, not on what implements it.

    Options: `services` as above; `handlers`, the names of the edge modules; `allowed`, what else of their service they
    may import.
    """

    services = fields.StringField()
    handlers = fields.ListField(subfield=fields.StringField())
    allowed = fields.ListField(subfield=fields.StringField())

    def broken(self, graph: ImportGraph) -> Iterator[Import]:
        root = _word(self.services) + "."
        handlers = _words(self.handlers)
        for importer in graph.find_descendants(_word(self.services)):
            service, _, module = importer.removeprefix(root).partition(".")
            handler = module.split(".")[0]
            if handler not in handlers:
                continue
            for imported in graph.find_modules_directly_imported_by(importer):
                inner = imported.removeprefix(f"{root}{service}.")
                if inner != imported and inner.split(".")[0] not in {handler, *_words(self.allowed)}:
                    yield Import(importer, imported)


class OnlyImportedBy(DirectImports):
    """Packages, of the project or not, that only modules of certain names import; absent ones are no error.

    Options: `packages`, and `importers`, patterns of module names in which `*` stands for anything, dots included.
    """

    packages = fields.ListField(subfield=fields.StringField())
    importers = fields.ListField(subfield=fields.StringField())

    def broken(self, graph: ImportGraph) -> Iterator[Import]:
        for module in graph.modules:
            if self._is_kept_for_some(module):
                for importer in graph.find_modules_that_directly_import(module):
                    if not self._is_kept_for_some(importer) and not self._may_import(importer):
                        yield Import(importer, module)

    def _is_kept_for_some(self, module: str) -> bool:
        return any(module == package or module.startswith(package + ".") for package in _words(self.packages))

    def _may_import(self, importer: str) -> bool:
        return any(fnmatch.fnmatchcase(importer, pattern) for pattern in _words(self.importers))


def _word(value: object) -> str:
    """The value of an option: import-linter puts it in the place of the field, which the types do not say."""
    return str(value)


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in cast("Iterable[object]", value))


def _place(graph: ImportGraph, found: Import) -> str:
    details = graph.get_import_details(importer=found.importer, imported=found.imported)
    return ", ".join(f"l. {detail['line_number']}" for detail in details)
