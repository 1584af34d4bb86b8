"""What tables add to the area of data sets: kinds, a check, registries and an activity, named for the node."""

from __future__ import annotations

from tongqiu.practice import Activity, Field, Probe, View
from tongqiu.practices.dataset.tabular.kinds import RELEASE, TABLE
from tongqiu.practices.dataset.tabular.params import ReleaseParams, TableParams
from tongqiu.practices.dataset.tabular.views import RELEASE_COLUMNS, TABLE_COLUMNS
from tongqiu.record.text import Text

_HERE = "tongqiu.practices.dataset.tabular"

KINDS = (TABLE, RELEASE)
PROBES = (
    Probe(
        name="dataset.table",
        version="1",
        title=Text(en="Check of a table", zh="表格检查"),
        makes=(TABLE.name,),
        plan=f"{_HERE}.probes:plan",
        observe=f"{_HERE}.probes:observe",
        needs=("tree", "progress"),
        params=TableParams,
    ),
)
VIEWS = (
    View(
        name="dataset.tables",
        version=2,
        title=Text(en="Tables", zh="表格名录"),
        reads=(TABLE.name,),
        columns=TABLE_COLUMNS,
        key=("entry",),
        rows=f"{_HERE}.views:tables",
    ),
    View(
        name="dataset.releases",
        version=1,
        title=Text(en="Differentially private releases", zh="差分隐私发布名录"),
        reads=(RELEASE.name,),
        columns=RELEASE_COLUMNS,
        key=("entry",),
        rows=f"{_HERE}.views:releases",
    ),
)
ACTIVITIES = (
    Activity(
        name="dataset.release",
        version="1",
        title=Text(en="Release summaries of a table", zh="发布表格统计量"),
        about=Text(
            en="Writes counts, histograms and means of a table with noise that hides every single row (differential "
            "privacy), and a record of what that cost. The true numbers are written nowhere.",
            zh="写出表格的计数、直方图与均值，加入足以掩盖任何单行的噪声（差分隐私），并记录所用预算。真实数值不写入任何地方。",
        ),
        params=ReleaseParams,
        fields={
            "epsilon": Field(
                title=Text(en="Privacy budget", zh="隐私预算"),
                help=Text(
                    en="Epsilon for all summaries together; 1 or less hides well.",
                    zh="全部统计量共用的 ε；不超过 1 为宜。",
                ),
                kind="number",
            ),
            "most": Field(
                title=Text(en="Budget in all", zh="预算总额"),
                help=Text(
                    en="The largest sum over all releases of this data set; further ones are refused.",
                    zh="该数据集历次发布的 ε 总和上限；超出则拒绝。",
                ),
                kind="number",
            ),
            "count": Field(
                title=Text(en="Counts", zh="计数"),
                help=Text(
                    en="column=a,b,c: rows in each category that you name beforehand.",
                    zh="列=甲,乙,丙：事先列出的各类别的行数。",
                ),
                kind="many",
            ),
            "histogram": Field(
                title=Text(en="Histograms", zh="直方图"),
                help=Text(
                    en="column=0,20,40: rows between each two edges, the lower one included.",
                    zh="列=0,20,40：相邻两个边界之间的行数，含下界。",
                ),
                kind="many",
            ),
            "mean": Field(
                title=Text(en="Means", zh="均值"),
                help=Text(
                    en="column=low,high: the mean of its numbers, cut to these bounds.",
                    zh="列=下限,上限：截断到该范围后的均值。",
                ),
                kind="many",
            ),
            "table": Field(
                title=Text(en="Table of a database", zh="数据库中的表"),
                help=Text(
                    en="Which table, where the file is an SQLite database.", zh="文件为 SQLite 数据库时指明哪张表。"
                ),
            ),
        },
        makes=(RELEASE.name,),
        perform=f"{_HERE}.release:perform",
        needs=("target", "tree", "product", "progress", "ask"),
        reads=(RELEASE.name,),
    ),
)
