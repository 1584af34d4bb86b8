"""Turning the conditions of a pack into truth tables, once, with the Common Expression Language (CEL).

A rule reads few questions, each with few answers, so its condition is worked out for every combination of answers when
the pack is loaded. Grading then needs no expression engine at all, and a condition that fails on any combination is a
defect of the pack that shows at once, not on the day somebody gives that answer.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from tongqiu.norms.pack import Fact, Pack

MAX_FACTS = 12
"""Most facts that one condition may depend on."""

MAX_TABLE = 4096
"""Most combinations of answers that one condition may have."""

_OPERATORS = {"!_", "_&&_", "_||_", "_==_", "_!=_", "@in", "_?_:_"}
_STRING = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'")
_MACRO = re.compile(r"\b(has|all|exists|exists_one|map|filter)\s*\(")
_PATH = re.compile(r"[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*")
_WORDS = {"true", "false", "in"}


class Table(NamedTuple):
    """A condition worked out: ``facts`` it depends on, ``sizes`` of their answers, and one byte a combination.

    The combination is counted in mixed radix, the last fact fastest, in the order of ``facts``.
    """

    facts: tuple[str, ...]
    sizes: tuple[int, ...]
    cells: bytes

    def given(self, fact: str, value: int) -> Table:
        """Return the table that is left when ``fact`` is answered by its ``value``-th answer."""
        place = self.facts.index(fact)
        size, step = self.sizes[place], 1
        for each in self.sizes[place + 1 :]:
            step *= each
        cells = b"".join(
            self.cells[start + value * step : start + (value + 1) * step]
            for start in range(0, len(self.cells), size * step)
        )
        return Table(self.facts[:place] + self.facts[place + 1 :], self.sizes[:place] + self.sizes[place + 1 :], cells)

    @property
    def settled(self) -> bool | None:
        """Return True or False where every combination agrees, else None."""
        if 0 not in self.cells:
            return True
        return None if 1 in self.cells else False


def paths(condition: str, *, where: str = "", rule: str = "") -> tuple[str, ...]:
    """Return the dotted names that ``condition`` reads, sorted.

    Only comparison, ``in``, ``&&``, ``||``, ``!`` and ``?:`` are allowed: no functions, and no ``has``, which would let
    a missing answer pass for a no. Raises Malformed (``norms.rule.*``).
    """
    bare = _STRING.sub("''", condition)
    macro = _MACRO.search(bare)
    if macro is not None:
        raise _bad(
            "norms.rule.macro",
            Text(
                en="Rule {rule} uses {name}(), which a pack may not.", zh="规则 {rule} 使用了规范包不允许的 {name}()。"
            ),
            where,
            rule,
            do=Text(
                en="Compare facts with ==, !=, in, &&, || and !; an unknown answer is handled for you.",
                zh="请只用 ==、!=、in、&&、|| 和 ! 比较事实；未知答案由系统处理。",
            ),
            name=macro[1],
        )
    functions = set(_program(condition, where, rule).functions()) - _OPERATORS
    if functions:
        raise _bad(
            "norms.rule.function",
            Text(en="Rule {rule} uses {name}, which a pack may not.", zh="规则 {rule} 使用了规范包不允许的 {name}。"),
            where,
            rule,
            name=min(functions),
        )
    names = {re.sub(r"\s", "", each) for each in _PATH.findall(bare)} - _WORDS
    return tuple(sorted(names))


def tabulate(pack: Pack, rule: str, when: str, *, where: str = "") -> Table:
    """Return the truth table of the condition ``when`` of ``rule``; a wider question answered no answers every one within.

    Raises Malformed (``norms.rule.error``, ``norms.rule.not-bool``, ``norms.rule.wide``) for a defect of the pack.
    """
    facts = {each.key: each for each in pack.facts}
    read = paths(when, where=where, rule=rule)
    used = tuple(sorted({wider for key in read for wider in _chain(facts[key], facts)}))
    answers = [facts[key].values for key in used]
    count = 1
    for each in answers:
        count *= len(each)
    if len(used) > MAX_FACTS or count > MAX_TABLE:
        raise _bad(
            "norms.rule.wide",
            Text(
                en="Rule {rule} depends on {facts} facts with {count} combinations; {most} facts and {table} may be.",
                zh="规则 {rule} 依赖 {facts} 项事实、{count} 种组合；上限为 {most} 项、{table} 种。",
            ),
            where,
            rule,
            do=Text(en="Split the rule.", zh="请拆分该规则。"),
            facts=len(used),
            count=count,
            most=MAX_FACTS,
            table=MAX_TABLE,
        )
    program = _program(when, where, rule)
    cells = bytearray()
    worked: dict[tuple[bool | str, ...], bool] = {}
    for combination in itertools.product(*answers):
        given = dict(zip(used, combination, strict=True))
        effective = {
            key: all(given[wider] for wider in _chain(facts[key], facts))
            if facts[key].type in {"bool", "signal"}
            else given[key]
            for key in read
        }
        answer = tuple(effective.values())
        if answer not in worked:
            worked[answer] = _holds(program, effective, where, rule)
        cells.append(worked[answer])
    return Table(used, tuple(len(each) for each in answers), bytes(cells))


def _chain(fact: Fact, facts: dict[str, Fact]) -> tuple[str, ...]:
    """Return the key of ``fact`` and of every wider question around it."""
    keys = [fact.key]
    while fact.within is not None:
        keys.append(fact.within)
        fact = facts[fact.within]
    return tuple(keys)


def _holds(program: Any, values: dict[str, bool | str], where: str, rule: str) -> bool:  # noqa: ANN401 - untyped engine
    tree: dict[str, Any] = {}
    for key, value in values.items():
        *branch, leaf = key.split(".")
        node = tree
        for part in branch:
            node = node.setdefault(part, {})
        node[leaf] = value
    try:
        result = program.execute(tree)
    except (ValueError, TypeError, KeyError, RuntimeError) as error:
        raise _bad(
            "norms.rule.error",
            Text(en="Rule {rule} fails for some answers: {why}.", zh="规则 {rule} 对某些答案出错：{why}。"),
            where,
            rule,
            why=str(error)[:200],
        ) from error
    if not isinstance(result, bool):
        raise _bad(
            "norms.rule.not-bool",
            Text(en="Rule {rule} is neither true nor false: {got}.", zh="规则 {rule} 的结果既非真也非假：{got}。"),
            where,
            rule,
            got=str(result)[:80],
        )
    return result


def _program(condition: str, where: str, rule: str) -> Any:  # noqa: ANN401 - untyped engine
    import cel

    try:
        return cel.compile(condition)
    except ValueError as error:
        raise _bad(
            "norms.rule.syntax",
            Text(en="Rule {rule} is not an expression: {why}.", zh="规则 {rule} 不是合法表达式：{why}。"),
            where,
            rule,
            why=str(error).splitlines()[0][:200],
        ) from error


def _bad(code: str, what: Text, where: str, rule: str, *, do: Text | None = None, **values: object) -> Malformed:
    return Malformed(
        code,
        what,
        do=do or Text(en="Mend the rule's condition.", zh="请修正该规则的条件。"),
        where=where,
        rule=rule,
        **values,
    )
