"""Languages: told when they can be told, ``und`` when not. Sentences: article 1 of the Universal Declaration."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.scan.languages import LANGUAGES, identify, scripts

SENTENCES: dict[str, tuple[str, str]] = {
    "en": (
        "Latn",
        "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience and should act towards one another in a spirit of brotherhood.",
    ),
    "zh": ("Hani", "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。"),
    "ja": ("Jpan", "すべての人間は、生れながらにして自由であり、かつ、尊厳と権利とについて平等である。"),
    "ko": ("Hang", "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다."),
    "fr": (
        "Latn",
        "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison et de conscience et doivent agir les uns envers les autres dans un esprit de fraternité.",
    ),
    "de": (
        "Latn",
        "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt und sollen einander im Geiste der Brüderlichkeit begegnen.",
    ),
    "es": (
        "Latn",
        "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de razón y conciencia, deben comportarse fraternalmente los unos con los otros.",
    ),
    "pt": (
        "Latn",
        "Todos os seres humanos nascem livres e iguais em dignidade e em direitos. Dotados de razão e de consciência, devem agir uns para com os outros em espírito de fraternidade.",
    ),
    "it": (
        "Latn",
        "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti. Essi sono dotati di ragione e di coscienza e devono agire gli uni verso gli altri in spirito di fratellanza.",
    ),
    "ru": (
        "Cyrl",
        "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью и должны поступать в отношении друг друга в духе братства.",
    ),
    "uk": (
        "Cyrl",
        "Всі люди народжуються вільними і рівними у своїй гідності та правах. Вони наділені розумом і совістю і повинні діяти у відношенні один до одного в дусі братерства.",
    ),
    "ar": (
        "Arab",
        "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق. وقد وهبوا عقلا وضميرا وعليهم أن يعامل بعضهم بعضا بروح الإخاء في كل ما بينهم.",
    ),
    "fa": (
        "Arab",
        "تمام افراد بشر آزاد به دنیا می\u200cآیند و از لحاظ حیثیت و حقوق با هم برابرند. همه دارای عقل و وجدان هستند و باید نسبت به یکدیگر با روح برادری رفتار کنند.",
    ),
    "hi": (
        "Deva",
        "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। उन्हें बुद्धि और अन्तरात्मा की देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव करना चाहिए।",
    ),
    "tr": (
        "Latn",
        "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Akıl ve vicdana sahiptirler ve birbirlerine karşı kardeşlik zihniyeti ile hareket etmelidirler. Bu bir haktır.",
    ),
    "id": (
        "Latn",
        "Semua orang dilahirkan merdeka dan mempunyai martabat dan hak-hak yang sama. Mereka dikaruniai akal dan hati nurani dan hendaknya bergaul satu sama lain dalam semangat persaudaraan.",
    ),
    "vi": (
        "Latn",
        "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi. Mọi con người đều được tạo hóa ban cho lý trí và lương tâm và cần phải đối xử với nhau trong tình anh em.",
    ),
    "th": ("Thai", "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ"),
    "el": ("Grek", "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι"),
    "pl": (
        "Latn",
        "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni obdarzeni rozumem i sumieniem i powinni postępować wobec innych w duchu braterstwa. To jest prawo, które się nie zmienia.",
    ),
    "nl": (
        "Latn",
        "Alle mensen worden vrij en gelijk in waardigheid en rechten geboren. Zij zijn begiftigd met verstand en geweten, en behoren zich jegens elkander in een geest van broederschap te gedragen.",
    ),
    "sv": (
        "Latn",
        "Alla människor är födda fria och lika i värde och rättigheter. De har utrustats med förnuft och samvete och bör handla gentemot varandra i en anda av broderskap.",
    ),
    "sw": (
        "Latn",
        "Watu wote wamezaliwa huru, hadhi na haki zao ni sawa. Wote wamejaliwa akili na dhamiri, hivyo yapasa watendeane kindugu. Hii ni haki ya watu wa nchi na kwa kila mtu katika dunia.",
    ),
}


@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_languages_are_told(language: str) -> None:
    script, text = SENTENCES[language]
    told = identify(text)
    assert (told.language, told.script) == (language, script)
    assert told.share > 0.95
    assert language in LANGUAGES
    assert identify(text * 200).language == language


@pytest.mark.parametrize("text", ["", "12345 67", "yes", "中", "qwert zxcv asdf lorem ipsum dolor", "ok ok ok", "🙂🙂"])
def test_what_cannot_be_told_is_undetermined(text: str) -> None:
    assert identify(text).language == "und"


def test_a_language_that_is_not_known_is_not_called_another() -> None:
    welsh = (
        "Genir pawb yn rhydd ac yn gydradd â'i gilydd mewn urddas a hawliau. Fe'u cynysgaeddir â rheswm a chydwybod."
    )
    assert identify(welsh).language == "und"


def test_mixed_text_goes_with_most_of_its_letters() -> None:
    assert identify("使用 Python 的 API 时，请先阅读文档，然后再运行示例程序，最后查看结果。").language == "zh"
    counts = scripts("abc 中文 かな")
    assert counts == {"Latn": 3, "Hani": 2, "Kana": 2}


@given(st.text(max_size=300))
def test_any_text_has_an_answer(text: str) -> None:
    told = identify(text)
    assert told.language in {*LANGUAGES, "und"}
    assert 0 <= told.share <= 1
    assert sum(scripts(text).values()) <= len(text)
