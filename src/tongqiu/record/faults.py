"""What can go wrong, named by what to do next, in words a person can act on.

The whole tree::

    Fault
    ├── Malformed      mend the input and try again
    ├── Missing        what was named does not exist: name something else, or supply it
    ├── Refused        not allowed, and by which rule: ask someone entitled, or change what the rule looks at
    ├── Unproven       trust nothing: a signature, digest, proof or time does not hold
    └── Unreachable    try again later: a disk, a network, another party did not answer

Every fault carries a stable code, the place where it was met, what is wrong and what to do, in Chinese and English.
The exit codes of commands and the problem types of HTTP answers are read from :data:`TABLE`, and only from there.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from tongqiu.record.text import Text


class Fault(Exception):
    """Anything this software refuses to go on with; raise one of its five children, never this class."""

    action: ClassVar[Text] = Text(en="Stop.", zh="请停止。")

    def __init__(
        self,
        code: str,
        what: Text,
        *,
        do: Text,
        where: str = "",
        **values: object,
    ) -> None:
        """Make a fault.

        ``code`` is a stable dotted name such as ``manifest.unknown-key``; ``what`` says what is wrong and ``do`` what
        to do about it, both with ``{name}`` places filled from ``values``; ``where`` is a path, ``file:line`` or
        record id. Values must never hold secrets or personal data: faults are logged and shown.
        """
        self.code = code
        self.where = where
        self.values = {key: str(value) for key, value in values.items()}
        self.what = what.fill(where=where, **values)
        self.do = do.fill(where=where, **values)
        super().__init__(self.line())

    def __reduce__(self) -> tuple[object, ...]:
        """Let a fault cross a process boundary unchanged (child processes hand theirs to the parent)."""
        return (_revive, (type(self), self.code, self.what, self.do, self.where, self.values))

    def line(self) -> str:
        """Return the fault in one line of English, as logs show it."""
        return f"{self.code}: {self.what.en}" + (f" ({self.where})" if self.where else "")

    def explain(self, language: str) -> str:
        """Return two or three lines for a person: what is wrong, where, and what to do, in ``language``."""
        lines = [self.what.of(language)]
        if self.where and self.where not in lines[0]:
            lines.append({"zh": "位置：", "en": "Where: "}["zh" if language.startswith("zh") else "en"] + self.where)
        lines.append(self.do.of(language))
        return "\n".join(line for line in lines if line)


class Malformed(Fault):
    """The input is not of the form it must have."""

    action = Text(en="Mend the input and try again.", zh="请修正输入后重试。")


class Missing(Fault):
    """What was named does not exist here."""

    action = Text(en="Name something that exists, or supply it.", zh="请改用存在的对象，或先补上它。")


class Refused(Fault):
    """A rule does not allow it; the fault names the rule."""

    action = Text(en="Ask someone entitled, or change what the rule looks at.", zh="请由有权者操作，或先满足该规则。")


class Unproven(Fault):
    """A proof does not hold, so nothing that rests on it may be trusted."""

    action = Text(
        en="Trust nothing in it; get it again from its source.", zh="请勿信任其中任何内容；请从来源重新获取。"
    )


class Unreachable(Fault):
    """The world did not answer: a full disk, a lost network, a busy neighbour."""

    action = Text(en="Try again later.", zh="请稍后重试。")


class Row(NamedTuple):
    """How one branch of the tree leaves the house."""

    exit_code: int
    http_status: int
    problem: str


TABLE: dict[type[Fault], Row] = {
    Malformed: Row(2, 400, "urn:tongqiu:problem:malformed"),
    Missing: Row(3, 404, "urn:tongqiu:problem:missing"),
    Refused: Row(4, 403, "urn:tongqiu:problem:refused"),
    Unproven: Row(5, 422, "urn:tongqiu:problem:unproven"),
    Unreachable: Row(6, 503, "urn:tongqiu:problem:unreachable"),
}
"""Exit code, HTTP status and RFC 9457 problem type of each branch."""


def row(fault: Fault) -> Row:
    """Return the table row of the branch that ``fault`` belongs to."""
    return next(TABLE[cls] for cls in type(fault).__mro__ if cls in TABLE)


def _revive(cls: type[Fault], *state: object) -> Fault:
    """Make the same fault again from its finished words; filling them twice would read values as places."""
    fault = cls.__new__(cls)
    fault.code, fault.what, fault.do, fault.where, fault.values = state  # type: ignore[assignment]
    Exception.__init__(fault, fault.line())
    return fault
