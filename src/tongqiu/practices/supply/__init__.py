"""Supply: what a system is made of, under which licences, and whether its model files can be loaded safely."""

from __future__ import annotations

from tongqiu.practice import Assessor, Column, Practice, Probe, View
from tongqiu.practices.supply.kinds import BOM, LICENCES, REVIEW, WEIGHTS, ModelKeys, Pieces, Place
from tongqiu.record.text import Text

_HERE = "tongqiu.practices.supply"


_SUBJECT = Column(name="subject", title=Text(en="Subject", zh="对象"))
_NAME = Column(name="name", title=Text(en="Name", zh="名称"), searched=True)
_PATH = Column(name="path", title=Text(en="File", zh="文件"), searched=True)

PRACTICE = Practice(
    name="supply",
    title=Text(en="Supply", zh="供应链"),
    about=Text(
        en="What a system is made of, under which licences, and whether its model files can be loaded without running "
        "anything.",
        zh="系统由什么构成、适用哪些许可证，以及其模型文件能否在不执行任何代码的情况下加载。",
    ),
    kinds=(LICENCES, WEIGHTS, BOM, REVIEW),
    probes=(
        Probe(
            name="supply.licences",
            version="1",
            title=Text(en="Licences of a folder", zh="目录的许可证"),
            makes=(LICENCES.name,),
            plan=f"{_HERE}.probes:plan_licences",
            observe=f"{_HERE}.probes:observe_licences",
            needs=("tree", "progress"),
            params=Place,
        ),
        Probe(
            name="supply.weights",
            version="1",
            title=Text(en="Safety of model files", zh="模型文件的安全性"),
            makes=(WEIGHTS.name,),
            plan=f"{_HERE}.probes:plan_weights",
            observe=f"{_HERE}.probes:observe_weights",
            needs=("tree", "progress"),
            params=Place,
        ),
        Probe(
            name="supply.bom",
            version="1",
            title=Text(en="Bill of materials", zh="物料清单"),
            makes=(BOM.name,),
            plan=f"{_HERE}.probes:plan_bom",
            observe=f"{_HERE}.probes:observe_bom",
            needs=("tree", "clock", "progress"),
            params=Pieces,
        ),
    ),
    assessors=(
        Assessor(
            name="supply.review",
            version="1",
            title=Text(en="Supply review", zh="供应链审查"),
            about=("system", "model", "dataset", "software"),
            reads=(LICENCES.name, WEIGHTS.name, BOM.name),
            makes=(REVIEW.name,),
            assess=f"{_HERE}.assessors:assess",
        ),
    ),
    views=(
        View(
            name="supply.licences",
            version=1,
            title=Text(en="Licences", zh="许可证"),
            reads=(LICENCES.name,),
            columns=(
                _SUBJECT,
                _NAME,
                Column(name="type", title=Text(en="Type", zh="类型")),
                _PATH,
                Column(name="licence", title=Text(en="Licence", zh="许可证"), searched=True),
                Column(name="basis", title=Text(en="Seen in", zh="见于")),
                Column(name="score", title=Text(en="Share of the text", zh="文本占比"), type="real"),
                Column(name="state", title=Text(en="State", zh="状态")),
                Column(name="category", title=Text(en="Class", zh="类别")),
            ),
            key=("subject", "path", "licence", "basis"),
            rows=f"{_HERE}.views:licences",
        ),
        View(
            name="supply.weights",
            version=1,
            title=Text(en="Model files", zh="模型文件"),
            reads=(WEIGHTS.name,),
            columns=(
                _SUBJECT,
                _NAME,
                _PATH,
                Column(name="format", title=Text(en="Format", zh="格式")),
                Column(name="state", title=Text(en="State", zh="状态")),
                Column(name="rule", title=Text(en="Rule", zh="规则")),
                Column(name="size", title=Text(en="Bytes", zh="字节数"), type="integer"),
                Column(name="digest", title=Text(en="SHA-256", zh="SHA-256"), searched=True),
            ),
            key=("subject", "path"),
            rows=f"{_HERE}.views:weights",
        ),
        View(
            name="supply.components",
            version=1,
            title=Text(en="Components", zh="组件"),
            reads=(BOM.name,),
            columns=(
                _SUBJECT,
                _NAME,
                Column(name="type", title=Text(en="Type", zh="类型")),
                Column(name="count", title=Text(en="Count", zh="数量"), type="integer"),
                Column(name="unpinned", title=Text(en="Without exact version", zh="未锁定版本"), type="integer"),
                Column(name="bom", title=Text(en="Bill of materials", zh="物料清单")),
            ),
            key=("subject", "type"),
            rows=f"{_HERE}.views:components",
        ),
    ),
    settings={"model": ModelKeys},
)
