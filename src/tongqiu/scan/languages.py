"""Telling the script and, where it can be told honestly, the language of a text, with no model and no download.

Script is counted from Unicode ranges. Where a script stands for one language (Thai, Greek, Korean, …) that is the
answer; Chinese and Japanese are told apart by kana; Latin, Cyrillic and Arabic texts by a vote of their commonest words.
The vote knows some twenty languages: a text in another one is ``und`` (undetermined), and so is a text that is too
short. It is a screen for what languages are present, not a classifier of single sentences.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import NamedTuple

METHOD = "scan.languages@1"
"""Name and version of the method, for evidence."""

UNDETERMINED = "und"
"""What is answered when it cannot be told (RFC 5646)."""


class Tongue(NamedTuple):
    """Language (RFC 5646, ``und`` when unsure), script (ISO 15924, ``Zyyy`` when there are no letters), and the share
    of the text's letters that are in that script (0 to 1).
    """

    language: str
    script: str
    share: float


_RANGES: tuple[tuple[str, str], ...] = (
    ("Latn", "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"),
    ("Hani", "\u2e80-\u2fdf\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"),
    ("Kana", "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"),
    ("Hang", "\u1100-\u11ff\u3131-\u318e\ua960-\ua97c\uac00-\ud7fb"),
    ("Cyrl", "\u0400-\u052f\u1c80-\u1c88\u2de0-\u2dff\ua640-\ua69f"),
    ("Arab", "\u0620-\u064a\u066e-\u06d3\u06d5\u06fa-\u06ff\u0750-\u077f\u08a0-\u08c9\ufb50-\ufdfb\ufe70-\ufefc"),
    ("Deva", "\u0900-\u0963\u0970-\u097f\ua8e0-\ua8ff"),
    ("Grek", "\u0370-\u03ff\u1f00-\u1fff"),
    ("Hebr", "\u0591-\u05f4\ufb1d-\ufb4f"),
    ("Thai", "\u0e01-\u0e4e"),
    ("Beng", "\u0980-\u09e3"),
    ("Taml", "\u0b80-\u0bd7"),
    ("Telu", "\u0c00-\u0c63"),
    ("Gujr", "\u0a81-\u0ae3"),
    ("Guru", "\u0a01-\u0a5e\u0a70-\u0a75"),
    ("Knda", "\u0c80-\u0ce3"),
    ("Mlym", "\u0d00-\u0d63"),
    ("Sinh", "\u0d81-\u0df3"),
    ("Khmr", "\u1780-\u17d3"),
    ("Laoo", "\u0e81-\u0ecd"),
    ("Mymr", "\u1000-\u103f\u1050-\u109d"),
    ("Tibt", "\u0f40-\u0fbc"),
    ("Ethi", "\u1200-\u135a"),
    ("Geor", "\u10a0-\u10ff\u1c90-\u1cbf"),
    ("Armn", "\u0531-\u0587"),
    ("Mong", "\u1820-\u1878"),
)
"""Letters of a script by code point (Unicode 15 Scripts.txt, shortened to the blocks that text uses)."""

_LATIN = re.compile("[A-Za-z]")
_TESTS = tuple((script, re.compile(f"[{letters}]").match) for script, letters in _RANGES)

ONE_LANGUAGE = {
    "Hang": "ko", "Grek": "el", "Hebr": "he", "Thai": "th", "Taml": "ta", "Telu": "te", "Gujr": "gu", "Guru": "pa",
    "Knda": "kn", "Mlym": "ml", "Sinh": "si", "Khmr": "km", "Laoo": "lo", "Mymr": "my", "Tibt": "bo", "Geor": "ka",
    "Armn": "hy",
}  # fmt: skip
"""Scripts that in practice carry one language; Devanagari, Bengali, Ethiopic and Mongolian carry several."""

_COMMON: dict[str, str] = {
    "en": "the of and to in is that it for was with as be on not this are by from have which or an at you",
    "fr": "le la les de des et est que dans pour une un du qui pas sur avec ce il elle nous vous au plus sont",
    "de": "der die das und ist nicht ein eine zu den von mit für auf sich des dem auch wird sind im werden oder als",
    "es": "el la los las de que y en un una es por con para del se no su al como más pero sus este está",
    "pt": "o a os as de que e em um uma é por com para do da não se mais no na dos das ao como são você",
    "it": "il lo la gli le di che e un una è per con del della non si sono in da come anche più al dei questo",
    "nl": "de het een en van is dat niet op te voor met zijn aan er ook als bij door worden naar deze wordt om",
    "sv": "och att det som en är på av för med den inte till ett om har de kan var eller från du",
    "da": "og at det som en er på af for med den ikke til et om har de kan var eller fra jeg du blev",
    "nb": "og å det som en er på av for med den ikke til et om har de kan var eller fra jeg du ble også",
    "pl": "i w na z do się nie że jest to o jak za po przez od są dla oraz lub być ale który tym może",
    "cs": "a v na se je že s z do o jako pro by to které nebo jsou od po být ale jeho který však při",
    "ro": "și în de la cu pe nu este din un o care să pentru mai al sau ca sunt au fi prin dar acest",
    "hu": "a az és hogy nem egy is van meg ez de csak vagy ha mint el már lehet kell még volt minden",
    "fi": "ja on ei että se oli hän mutta myös kun ovat joka tai sen voi niin kuin mukaan ole tämä",
    "tr": "ve bir bu için ile da de olarak çok daha olan ne var gibi ama en kadar değil sonra ya veya",
    "vi": "và của là có không được trong cho các một những này với người đã để khi từ về như đến",
    "id": "yang dan di dari untuk dengan tidak ini itu dalam pada adalah akan ke oleh atau juga sebagai dapat",
    "sw": "na ya wa kwa ni katika za la kuwa hii au kama lakini yake hiyo cha watu hii sana ambayo",
    "ru": "и в не на что с по как это к из у за от для о же его но так все или было при только",
    "uk": "і в не на що з по як це до із у за від для про та його але так або було при є якщо",
    "bg": "и в не на че с по как това към от за е да се са или при като ще но който са си",
    "ar": "في من على أن إلى هذا التي عن مع هذه كان ما لا أو بين كل قد ذلك بعد هو هي لم الذي",
    "fa": "و در به از که این است را با برای آن یک خود تا بر می هم نیز شده اما یا ها بود",
    "ur": "کے کی میں ہے کا اور سے کو نے پر یہ ہیں کہ اس ایک بھی لیے نہیں تھا ہو گیا جو",
    "hi": "के की में है का और से को ने पर यह हैं कि इस एक भी लिए नहीं था हो गया जो",
    "mr": "आणि आहे या मध्ये हे ते की एक नाही होते साठी तर होता आहेत करून ही त्या",
    "bn": "এবং এই ও করে থেকে জন্য একটি না হয় তার এর যে সঙ্গে হয়েছে বা করা",
}
_LETTERS_OF = {
    "Latn": [
        "en",
        "fr",
        "de",
        "es",
        "pt",
        "it",
        "nl",
        "sv",
        "da",
        "nb",
        "pl",
        "cs",
        "ro",
        "hu",
        "fi",
        "tr",
        "vi",
        "id",
        "sw",
    ],
    "Cyrl": ["ru", "uk", "bg"],
    "Arab": ["ar", "fa", "ur"],
    "Deva": ["hi", "mr"],
    "Beng": ["bn"],
}
_WORD = re.compile(r"[^\W\d_]+(?:[\u0900-\u0903\u093a-\u094f\u0962\u0963\u0981-\u0983\u09bc-\u09d7]+[^\W\d_]*)*")
_WINDOW = 2000
_ENOUGH = 2
_MARK = {
    "uk": re.compile("[іїєґ]"),
    "ru": re.compile("[ыэё]"),
    "fa": re.compile("[پچژگ]"),
    "ur": re.compile("[ٹڈڑںے]"),
    "vi": re.compile("[\u1ea0-\u1ef9ơư]"),
}


def _index() -> dict[str, dict[str, tuple[str, ...]]]:
    """Return, for each script, each common word with the languages in which it is common."""
    tables: dict[str, dict[str, tuple[str, ...]]] = {}
    for script, languages in _LETTERS_OF.items():
        table: dict[str, tuple[str, ...]] = {}
        for language in languages:
            for word in set(_COMMON[language].split()):
                table[word] = (*table.get(word, ()), language)
        tables[script] = table
    return tables


_VOTES = _index()
LANGUAGES = tuple(sorted({*_COMMON, *ONE_LANGUAGE.values(), "zh", "ja"}))
"""Every language that can be the answer."""


def scripts(text: str) -> dict[str, int]:
    """Return how many letters of ``text`` are in each script (ISO 15924 codes; scripts that do not occur are absent)."""
    if text.isascii():
        count = len(_LATIN.findall(text))
        return {"Latn": count} if count else {}
    found: dict[str, int] = {}
    for char, count in Counter(text).items():
        script = _script(char)
        if script:
            found[script] = found.get(script, 0) + count
    return found


@lru_cache(maxsize=65_536)
def _script(char: str) -> str:
    """Return the script of one letter, empty for anything else."""
    return next((script for script, matches in _TESTS if matches(char) is not None), "")


def identify(text: str) -> Tongue:
    """Return the language and script of ``text``, judged by its first, middle and last stretches when it is long."""
    sample = text if len(text) <= 3 * _WINDOW else _stretches(text)
    counts = scripts(sample)
    total = sum(counts.values())
    if not total:
        return Tongue(UNDETERMINED, "Zyyy", 0.0)
    kana, han = counts.get("Kana", 0), counts.get("Hani", 0)
    if kana and (kana + han) * 2 > total and kana * 20 > han:
        return Tongue("ja", "Jpan", (kana + han) / total)
    # One Han character says about as much as three letters of an alphabet.
    weigh = {script: count * (3 if script in {"Hani", "Hang", "Kana"} else 1) for script, count in counts.items()}
    script = max(sorted(weigh), key=weigh.__getitem__)
    share = counts[script] / total
    if script == "Hani":
        return Tongue("zh" if han >= _ENOUGH else UNDETERMINED, script, share)
    if script in ONE_LANGUAGE:
        return Tongue(ONE_LANGUAGE[script], script, share)
    return Tongue(_vote(sample, script), script, share)


def _stretches(text: str) -> str:
    middle = len(text) // 2 - _WINDOW // 2
    return "\n".join((text[:_WINDOW], text[middle : middle + _WINDOW], text[-_WINDOW:]))


def _vote(text: str, script: str) -> str:
    """Return the language whose commonest words make up most of the text; ``und`` without a clear lead."""
    table = _VOTES.get(script)
    if table is None:
        return UNDETERMINED
    words = _WORD.findall(text.lower())
    votes: dict[str, float] = {}
    for word, count in Counter(words).items():
        for language in table.get(word, ()):
            votes[language] = votes.get(language, 0.0) + count
    for language, mark in _MARK.items():
        if language in _LETTERS_OF.get(script, ()) and mark.search(text):
            votes[language] = votes.get(language, 0.0) * 1.5 + 1.0
    if not votes:
        return UNDETERMINED
    ordered = sorted(votes.items(), key=lambda item: (-item[1], item[0]))
    best, first = ordered[0]
    second = ordered[1][1] if len(ordered) > 1 else 0.0
    # At least two words of which one in twelve is common, and a lead of a tenth over the next language.
    if first < _ENOUGH or first * 12 < len(words) or first < second * 1.1:
        return UNDETERMINED
    return best
