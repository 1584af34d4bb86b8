"""The file with which a ministry begins its own pack: short, with remarks in two languages, and working as it is.

Nothing in it is law: every word says that it is an example, so that nobody can take it for one.
"""

from __future__ import annotations

import re
import string

from tongqiu.record.faults import Malformed
from tongqiu.record.text import Text

_ID = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*\Z")
_PLACE = re.compile(r"([A-Z]{2}|international)\Z")
_MOST = 80

_STARTER = string.Template(
    """\
# A pack of law or standards. Change every line that says "example", then: tongqiu norms check $id.toml
# 规范包。请改写每一处“示例”，然后运行：tongqiu norms check $id.toml
# Format 格式: docs/spec/norm-pack.md · JSON Schema: tongqiu norms schema

format = 1
id = "$id"                # never changes 永不改变
version = "1"             # raise it with every edition 每版递增
title = { en = "Example act on automated decisions", zh = "自动化决定法（示例）" }
publisher = "Example Ministry"
licence = "CC0-1.0"       # of your words in this file 本文件文字的许可
wording = "own"           # "verbatim" where you quote 引用原文时写 "verbatim"
known_at = $today     # how far you looked 资料截止日
jurisdiction = "$place"   # ISO 3166-1, EU, or international
nature = "law"            # law framework standard plan taxonomy

# The documents it rests on 所依据的文件
[[source]]
id = "act"
document = "Example Act 1/2026"      # an identifier, never a web address 文号，不是网址
title = { en = "Example Act 1/2026", zh = "示例法 2026 年第 1 号" }
force = "binding"                    # binding delegated guidance standard voluntary
licence = "CC0-1.0"                  # of the document's text 文件文本的许可
published = 2026-01-15
in_force_from = 2026-07-01

# The classes, lightest first 等级，由轻到重
[[scale]]
id = "class"
title = { en = "Class of system", zh = "系统等级" }
default = "ordinary"                 # when no rule holds 无规则成立时
grades = [
  { id = "ordinary", title = { en = "Ordinary", zh = "一般" }, meaning = { en = "Nothing is asked.", zh = "无要求。" } },
  { id = "high", title = { en = "High", zh = "高" }, meaning = { en = "A person must be able to step in.", zh = "须能由人介入。" } },
]

# The questions; keys are yours alone 问题；键名须独有
[[fact]]
key = "$key.decides"
type = "bool"                        # bool choice date number text signal
question = { en = "Does it decide about people?", zh = "它是否对人作出决定？" }

[[fact]]
key = "$key.people"
type = "number"                      # rules see the band, not the number 规则只看区间
unit = "1"
question = { en = "About how many people does it decide each year?", zh = "每年约对多少人作出决定？" }
bands = [
  { value = "few", below = 10000, title = { en = "Fewer than 10,000", zh = "不足一万" } },
  { value = "many", title = { en = "10,000 or more", zh = "一万及以上" } },
]

# What leads to a class, with the clause 何者导致某等级，附条款
[[rule]]
id = "s3"
scale = "class"
grade = "high"
when = "$key.decides && $key.people == 'many'"
title = { en = "Decisions about many people", zh = "涉及多人的决定" }
reason = { en = "It decides about many people each year.", zh = "它每年对许多人作出决定。" }
cite = [{ source = "act", article = "Section 3", clause = "(1)" }]

# What is asked, of whom, and what answers it 要求什么、对谁、由何回应
[[requirement]]
id = "s4"                            # never changes 永不改变
title = { en = "A person can step in", zh = "可由人介入" }
text = { en = "A person must be able to change each decision.", zh = "每项决定都须能由人更改。" }
cite = [{ source = "act", article = "Section 4" }]
scale = "class"
grades = ["high"]
answered_by = []                     # findings: tongqiu areas  判定见 tongqiu areas
by_hand = { en = "The procedure for changing a decision.", zh = "更改决定的程序文件。" }
# When you compared the row with the law 与法律原文核对后填写:
# checked_by = "…"   checked_on = 2026-11-23   checked_against = "…"
"""
)


def starter(name: str, *, today: str, jurisdiction: str = "international") -> str:
    """Return a starter file for the pack ``name``: one source, one scale, two facts, one rule, one requirement.

    ``today`` is a date ``YYYY-MM-DD``. Raises Malformed (``norms.draft.id``, ``norms.draft.jurisdiction``).
    """
    if len(name) > _MOST or not _ID.match(name):
        raise Malformed(
            "norms.draft.id",
            Text(en="A pack cannot be called {name}.", zh="规范包不能叫作 {name}。"),
            do=Text(
                en="Use lower-case words joined by - or ., such as xx-ai-act.",
                zh="请用小写词，以 - 或 . 连接，如 xx-ai-act。",
            ),
            name=name[:80],
        )
    if not _PLACE.match(jurisdiction):
        raise Malformed(
            "norms.draft.jurisdiction",
            Text(en="{place} names no jurisdiction.", zh="{place} 不是法域代码。"),
            do=Text(
                en="Give two capital letters (ISO 3166-1), EU, or international.",
                zh="请给出两个大写字母（ISO 3166-1）、EU 或 international。",
            ),
            place=jurisdiction[:40],
        )
    key = re.sub(r"[^a-z0-9]+", "_", name).strip("_")
    return _STARTER.substitute(id=name, today=today, place=jurisdiction, key=key if key[0].isalpha() else f"p{key}")
