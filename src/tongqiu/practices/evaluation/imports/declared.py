"""What an owner may declare of results that another tool gave, and what one reading of them is asked to do."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tongqiu.practices.evaluation import declared

Path = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
Paths = Annotated[tuple[Path, ...], msgspec.Meta(max_length=1000)]


class ResultKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be said of a system as a whole: files or folders in which other tools wrote how it did.

    ``attach_results`` lets a small file go into the record itself; otherwise its digest alone does.
    """

    results: Paths = ()
    attach_results: bool = False


class ModelKeys(declared.ModelKeys, frozen=True, forbid_unknown_fields=True):
    """What may be said of a model, with the results that other tools gave of it."""

    results: Paths = ()
    attach_results: bool = False


class ServiceKeys(declared.ServiceKeys, frozen=True, forbid_unknown_fields=True):
    """What may be said of a service, with the results that other tools gave of it."""

    results: Paths = ()
    attach_results: bool = False


class ImportParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One file or folder to be read."""

    path: Path
    attach: bool = False


__all__ = ["ImportParams", "ModelKeys", "ResultKeys", "ServiceKeys"]
