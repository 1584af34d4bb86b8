"""The sentences of the supply review, in English and Chinese: what each rule asks, each reason, and how to mend it."""

from __future__ import annotations

from tongqiu.record.text import Text

TITLES = {
    "licence-known": Text(en="The licence is known", zh="许可证明确"),
    "licence-agreement": Text(en="Declared and found licences agree", zh="声明的与发现的许可证一致"),
    "licence-text": Text(en="The text of each declared licence is there", zh="附有所声明的每个许可证的文本"),
    "licence-whole": Text(en="Licence texts are unaltered and recognised", zh="许可证文本未经改动且可识别"),
    "licence-open": Text(en="Licence terms are those of an open licence", zh="许可条款属于开放许可证"),
    "licence-headers": Text(en="Licence headers are valid", zh="许可证标头有效"),
    "weights-safe": Text(en="Model files can be loaded without running code", zh="模型文件加载时不会执行代码"),
    "weights-template": Text(en="Model files carry no programs", zh="模型文件不含程序"),
    "bom-complete": Text(en="The bill of materials reads every lock file", zh="物料清单读取了所有锁定文件"),
    "bom-pinned": Text(en="Dependencies have exact versions", zh="依赖均锁定确切版本"),
}

REASONS = {
    "licence-known": Text(en="Found or declared: {ids}.", zh="已发现或已声明：{ids}。"),
    "licence-unclear": Text(
        en="The licence is given as “{says}”, which names no single known licence.",
        zh="许可证写作“{says}”，无法对应到唯一的已知许可证。",
    ),
    "licence-none": Text(
        en="No licence was found (files looked at: {files}): no known text, no header, no declaration. Without one, nobody "
        "else may rely on being allowed to use it.",
        zh="在 {files} 个文件中未发现许可证：没有已知文本、标头或声明。没有许可证，他人无法确信自己获准使用。",
    ),
    "declared-twice": Text(
        en="{first_path} says {first}, but {second_path} says {second}.",
        zh="{first_path} 写的是 {first}，而 {second_path} 写的是 {second}。",
    ),
    "text-differs": Text(
        en="Declared is {declared}, but the licence text that is there is {found} ({places}).",
        zh="声明为 {declared}，但实际附带的许可证文本是 {found}（{places}）。",
    ),
    "text-besides": Text(
        en="Beside the declared {declared} there are texts of {found} ({places}); it is not clear what they cover.",
        zh="除声明的 {declared} 外，还附有 {found} 的文本（{places}），其适用范围不明。",
    ),
    "agreed": Text(
        en="The texts found are those of the declared {declared}.", zh="发现的文本与声明的 {declared} 一致。"
    ),
    "text-missing": Text(en="No text was found of: {ids}.", zh="未找到下列许可证的文本：{ids}。"),
    "text-present": Text(en="Each declared licence has its text.", zh="每个声明的许可证都附有文本。"),
    "text-altered": Text(
        en="{path} is close to {id} ({percent} % of it is there) but not the same; an altered licence is another one.",
        zh="{path} 与 {id} 相近（含其 {percent}%）但并不相同；改动过的许可证是另一个许可证。",
    ),
    "text-added": Text(
        en="{percent} % of {path} is text that belongs to no licence known here; it may add terms.",
        zh="{path} 中有 {percent}% 的文字不属于任何已知许可证，可能附加了条款。",
    ),
    "text-unknown": Text(
        en="Named like licences, but holding no text known here: {count} ({places}).",
        zh="有 {count} 个文件以许可证命名，但其内容不是此处已知的文本：{places}。",
    ),
    "terms-restricted": Text(
        en="{path} holds {name} ({id}), classed “{category}” by the ScanCode licence data: its terms go beyond those of "
        "an open licence and need to be read.",
        zh="{path} 含有 {name}（{id}），ScanCode 许可证数据将其归为“{category}”：其条款超出开放许可证，需要逐条阅读。",
    ),
    "bad-headers": Text(
        en="Licence headers or package descriptions that cannot be read: {count} ({places}).",
        zh="有 {count} 处许可证标头或包描述无法读取：{places}。",
    ),
    "headers": Text(
        en="{headed} of {sources} program files carry a valid SPDX header; none is invalid.",
        zh="{sources} 个程序文件中有 {headed} 个带有效的 SPDX 标头，没有无效标头。",
    ),
    "weights-refused": Text(en="{path} may not be loaded. {why}", zh="不得加载 {path}。{why}"),
    "weights-malformed": Text(
        en="{path} may not be loaded: it is damaged or made to mislead. {why}",
        zh="不得加载 {path}：文件已损坏或意在误导。{why}",
    ),
    "weights-more": Text(en="Further files that may not be loaded: {count}.", zh="另有 {count} 个文件不得加载。"),
    "weights-unknown": Text(
        en="Of a format not known here, so nothing is said about them: {count} ({places}).",
        zh="有 {count} 个文件格式未知，不作判断：{places}。",
    ),
    "weights-allowed": Text(
        en="Every model file ({count}) was read to the last field and holds only numbers and notes.",
        zh="全部 {count} 个模型文件均已逐字段读完，只含数值和说明。",
    ),
    "no-weights": Text(en="No model file was found.", zh="未发现模型文件。"),
    "chat-template": Text(
        en="{places} carries a chat template, a small program that a chat program may run; it was not read.",
        zh="{places} 带有对话模板，即对话程序可能运行的小程序；此处未检查其内容。",
    ),
    "unread": Text(
        en="Lock files that cannot be read: {count} ({places}).", zh="有 {count} 个锁定文件无法读取：{places}。"
    ),
    "unpinned": Text(
        en="Required packages without an exact version: {count} (of {total} named). What will be installed can change.",
        zh="必需的包中有 {count} 个未锁定确切版本（共列出 {total} 个），实际安装的内容可能变化。",
    ),
    "pinned": Text(
        en="Every required package has an exact version ({total} named).",
        zh="所有必需的包都锁定了确切版本（共列出 {total} 个）。",
    ),
    "no-dependencies": Text(
        en="No list of dependencies was found, or it names none.", zh="未发现依赖列表，或列表为空。"
    ),
}

MENDS = {
    "licence-unclear": Text(
        en="Write an SPDX expression such as Apache-2.0 or MIT.", zh="请写 SPDX 表达式，例如 Apache-2.0 或 MIT。"
    ),
    "licence-none": Text(
        en="Choose a licence, put its text in a file LICENSE and name it in the manifest.",
        zh="请选定许可证，将其文本放入 LICENSE 文件，并在清单中写明。",
    ),
    "declared-twice": Text(en="Say the same in both places.", zh="请使两处一致。"),
    "text-differs": Text(
        en="Correct the declaration, or put the right text there.", zh="请更正声明，或换上正确的文本。"
    ),
    "text-besides": Text(
        en="Say which files each licence covers, for example with SPDX headers.",
        zh="请说明各许可证覆盖哪些文件，例如使用 SPDX 标头。",
    ),
    "text-missing": Text(en="Add the text as a file in the folder.", zh="请在目录中加入该文本。"),
    "text-altered": Text(
        en="Use the text unaltered, or have a lawyer read what was changed.",
        zh="请使用未改动的文本，或请法律人员审读改动之处。",
    ),
    "text-added": Text(en="Read the added text.", zh="请阅读附加的文字。"),
    "text-unknown": Text(en="Read the file; this software does not know it.", zh="请阅读该文件；本软件不认识它。"),
    "terms-restricted": Text(
        en="Read the licence for limits on use, users, places and naming before you rely on it.",
        zh="使用前请阅读许可证，注意对用途、用户、地域和署名的限制。",
    ),
    "bad-headers": Text(
        en="Mend the named lines; write an SPDX expression after the tag.",
        zh="请修正所列各行，在标签后写 SPDX 表达式。",
    ),
    "weights-refused": Text(
        en="Convert the weights to safetensors, GGUF or ONNX on a machine you trust, and ship that file.",
        zh="请在可信的机器上将权重转换为 safetensors、GGUF 或 ONNX，并以该文件交付。",
    ),
    "weights-malformed": Text(en="Get the file again from its source.", zh="请从来源重新获取该文件。"),
    "chat-template": Text(en="Read the template before you use the model for chat.", zh="用于对话前请先阅读该模板。"),
    "unread": Text(en="Mend the files, or remove those that nothing uses.", zh="请修正这些文件，或删除无用者。"),
    "unpinned": Text(en="Add a lock file with exact versions and digests.", zh="请加入含确切版本与摘要的锁定文件。"),
}
