"""The words of the data set practice, in Chinese and English."""

from __future__ import annotations

from tongqiu.record.text import Text

NAMES: dict[str, Text] = {
    "rows": Text(en="Rows", zh="行数"),
    "columns": Text(en="Columns", zh="列数"),
    "rows-lost": Text(en="Rows that could not be read", zh="无法读取的行数"),
    "missing-share": Text(en="Share of absent values", zh="缺失值占比"),
    "repeated-rows": Text(en="Share of rows that repeat an earlier row exactly", zh="与前文完全重复的行占比"),
    "repeated-texts": Text(en="Share of texts that repeat an earlier text exactly", zh="与前文完全重复的文本占比"),
    "personal-identifiers": Text(en="Identifiers of people found", zh="发现的个人标识"),
    "secrets": Text(en="Keys and passwords found", zh="发现的密钥与口令"),
    "languages": Text(en="Languages present", zh="出现的语言数"),
    "group-rows": Text(en="Rows of a group", zh="群体行数"),
}
"""What each measure is called."""

SORT_NAMES: dict[str, Text] = {
    "e-mail": Text(en="e-mail address", zh="电子邮箱"),
    "phone": Text(en="telephone number", zh="电话号码"),
    "ip-address": Text(en="IP address", zh="IP 地址"),
    "payment-card": Text(en="payment card number", zh="支付卡号"),
    "bank-account": Text(en="bank account number", zh="银行账号"),
    "national-identity": Text(en="national identity number", zh="身份证件号码"),
    "tax-number": Text(en="tax number of a person", zh="个人税号"),
    "social-insurance": Text(en="social insurance number", zh="社会保险号码"),
    "health-number": Text(en="health service number", zh="医疗服务号码"),
    "passport": Text(en="passport number", zh="护照号码"),
    "person-name": Text(en="name of a person", zh="人名"),
    "device": Text(en="number of a device", zh="设备号码"),
    "professional": Text(en="number of a member of a profession", zh="职业登记号码"),
    "driving-licence": Text(en="driving licence number", zh="驾驶证号码"),
}
"""What each sort of identifier is called inside a sentence (the sorts of :mod:`tongqiu.scan.identifiers`; a test keeps
both lists the same)."""


FIGURE_NAMES: dict[str, Text] = {
    "bytes": Text(en="Bytes", zh="字节数"),
    "characters": Text(en="Characters", zh="字符数"),
    "words": Text(en="Words", zh="词数"),
    "lines": Text(en="Lines", zh="行数"),
    "repeated_grams": Text(en="Words in repeated five-word sequences", zh="重复五词序列中的词数"),
    "word_length": Text(en="Mean length of words, in hundredths of a letter", zh="平均词长（百分之一字母）"),
    "letters_share": Text(en="Letters among visible characters, in thousandths", zh="可见字符中字母的占比（千分之一）"),
    "repeated_share": Text(
        en="Words in repeated five-word sequences, in thousandths of all", zh="重复五词序列中的词的占比（千分之一）"
    ),
}
"""What each figure is called whose spread over documents is shown (:data:`tongqiu.practices.dataset.corpus.summary.SPREADS`)."""


def sort_name(sort: str) -> Text:
    """Return what a sort of identifier is called; the code itself for one that is not known here."""
    return SORT_NAMES.get(sort, Text(en=sort, zh=sort))
