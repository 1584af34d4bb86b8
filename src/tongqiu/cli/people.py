"""Who may sign in at a node, and what their programs send: ``people`` and ``token``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from tongqiu.cli.desk import Home, open_existing
from tongqiu.cli.words import ask, console, lang, t, table
from tongqiu.record.faults import Malformed, Missing
from tongqiu.record.text import Text

if TYPE_CHECKING:
    from tongqiu.node.node import Node
    from tongqiu.store.people import Person

Who = Annotated[str, Parameter(help="A person's id or its beginning, or their name. 人员编号或其开头，或姓名。")]


def people(  # noqa: PLR0913 - one option each
    who: Who = "",
    *,
    home: Home = None,
    invite: Annotated[str, Parameter(help="The name of somebody to let in. 要邀请的人的姓名。")] = "",
    role: Annotated[str, Parameter(help="owner, issuer, reviewer, contributor or reader. 角色。")] = "",
    organisation: Annotated[
        str, Parameter(help="DID of their organisation; none: this node's. 所属机构的 DID；留空为本节点。")
    ] = "",
    group: Annotated[tuple[str, ...], Parameter(help="URN of a group they belong to. 所属群组的 URN。")] = (),
    name: Annotated[str, Parameter(help="Call them so from now on. 更改姓名。")] = "",
    link: Annotated[bool, Parameter(help="Print a link by which they sign in once. 打印一次性登录链接。")] = False,
    end: Annotated[bool, Parameter(help="End their time here, and every way in. 停用此人及其全部登录方式。")] = False,
    forget: Annotated[
        bool,
        Parameter(
            help="Forget the name of somebody who was ended; name them by id. 忘记已停用者的姓名；请用编号指明。"
        ),
    ] = False,
    yes: Annotated[bool, Parameter(help="Do not ask again. 不再确认。")] = False,
) -> int:
    """List, invite, change or end the people who may sign in. 列出、邀请、变更或停用可登录的人员。"""
    with open_existing(home) as node:
        by = node.people.owner().id
        if invite:
            made = node.people.add(invite, role or "reader", party=organisation, groups=group, by=by)
            _print_link(node, made, invitation=True)
            return 0
        if not who:
            _list(node)
            return 0
        found = _find(node, who, gone=forget)
        changes = {key: value for key, value in (("name", name), ("role", role), ("party", organisation)) if value}
        if changes:
            found = node.people.change(found.id, by=by, **changes)
        if end:
            sure = (
                yes
                or ask(t("End {name}'s time here? Type yes: ", "停用 {name}？请输入 yes：", name=found.name)) == "yes"
            )
            if not sure:
                console().print(t("Nothing was changed.", "未作任何更改。"))
                return 1
            found = node.people.end(found.id, by=by)
        if forget:
            node.people.forget(found.id, by=by)
        if link:
            _print_link(node, found, invitation=False)
        elif changes or end or forget:
            _list(node)
    return 0


def token(  # noqa: PLR0913 - one option each
    name: Annotated[str, Parameter(help="What the new token is for; none lists them. 新令牌的用途；留空则列出。")] = "",
    *,
    home: Home = None,
    person: Annotated[str, Parameter(help="Whose it is; none: the owner's. 属于谁；留空为所有者。")] = "",
    scope: Annotated[tuple[str, ...], Parameter(help="`read`, the name of a verb, or `*`. read、操作名称或 *。")] = (),
    party: Annotated[
        str, Parameter(help="DID of another party, for the node's doors. 其他参与方的 DID，用于协议门。")
    ] = "",
    group: Annotated[
        tuple[str, ...], Parameter(help="URN of a group that party belongs to. 该方所属群组的 URN。")
    ] = (),
    role: Annotated[tuple[str, ...], Parameter(help="Role of that party here. 该方在此的角色。")] = (),
    days: Annotated[int, Parameter(help="How long it works. 有效天数。")] = 90,
    end: Annotated[str, Parameter(help="The id of a token to end. 要停用的令牌编号。")] = "",
) -> int:
    """List, make or end tokens: secrets that programs send. 列出、新建或停用令牌（程序所用的密钥）。"""
    with open_existing(home) as node:
        if end:
            if not node.people.end_token(end):
                raise Missing(
                    "people.no-token",
                    Text(en="There is no such token.", zh="没有该令牌。"),
                    do=Text(en="List them with: tongqiu token", zh="请用 tongqiu token 列出。"),
                )
            console().print(t("The token no longer works.", "令牌已停用。"))
            return 0
        if not name:
            _list_tokens(node)
            return 0
        if party:
            secret, made = node.people.make_door_token(party, name, groups=group, roles=role, days=days)
        else:
            whose = _find(node, person) if person else node.people.owner()
            secret, made = node.people.make_token(whose.id, name, scopes=scope or ("read",), days=days)
        console().print(
            t(
                "Token {id}, until {until}. It is shown this one time; keep it as you keep a password:",
                "令牌 {id}，有效期至 {until}。仅此一次显示，请像密码一样保管：",
                id=made.id,
                until=made.until[:10],
            )
        )
        console().print(secret, soft_wrap=True)
    return 0


def _find(node: Node, who: str, *, gone: bool = False) -> Person:
    """Return the one active person so called, or (``gone``) who was ended. Raises Missing (``people.missing``), Malformed (``people.many``)."""
    active = [each for each in node.people.everyone() if (each.state != "active") is gone]
    wanted = who.removeprefix("urn:tongqiu:person:")
    found = [each for each in active if each.name == who] or [
        each for each in active if each.id.removeprefix("urn:tongqiu:person:").startswith(wanted)
    ]
    if len(found) > 1:
        raise Malformed(
            "people.many",
            Text(en="Several people are meant by {who}.", zh="{who} 对应多人。"),
            do=Text(en="Give more of the id.", zh="请多写几位编号。"),
            who=who[:80],
        )
    if not found:
        raise Missing(
            "people.missing",
            Text(en="There is no such person here.", zh="此处没有此人。"),
            do=Text(en="List them with: tongqiu people", zh="请用 tongqiu people 列出。"),
        )
    return found[0]


def _print_link(node: Node, person: Person, *, invitation: bool) -> None:
    from tongqiu.node.people import INVITATION, LINK
    from tongqiu.portal.site import PORT, address

    lives = INVITATION if invitation else LINK
    url = node.home.settings.url or address("127.0.0.1", PORT)
    minutes = int(lives.total_seconds() // 60)
    life = t("{n} hours", "{n} 小时", n=minutes // 60) if minutes > 60 else t("{n} minutes", "{n} 分钟", n=minutes)  # noqa: PLR2004 - an hour
    console().print(
        t(
            "Give {name} this link; it works once, within {life}:",
            "请将此链接交给 {name}；只能使用一次，{life}内有效：",
            name=person.name,
            life=life,
        )
    )
    console().print(f"{url}/sign-in/link/{node.people.link(person.id, lives=lives)}", soft_wrap=True)


def _list(node: Node) -> None:
    from tongqiu.node.people import TITLES

    rows = [
        (
            each.id.removeprefix("urn:tongqiu:person:")[:12],
            each.name or "–",
            TITLES[each.role].of(lang()),
            t("this node", "本节点") if each.party == node.me else each.party,
            t("active", "在用") if each.state == "active" else t("ended", "已停用"),
        )
        for each in node.people.everyone()
    ]
    columns = (t("Person", "人员"), t("Name", "姓名"), t("Role", "角色"), t("Organisation", "机构"), t("State", "状态"))
    console().print(table(columns, rows))


def _list_tokens(node: Node) -> None:
    names = {each.id: each.name for each in node.people.everyone()}
    rows = [
        (
            each.id,
            each.name,
            names.get(each.person, each.party),
            ", ".join(sorted(each.scopes)) or "–",
            each.until[:10],
            each.used[:10] or "–",
        )
        for each in node.people.tokens()
    ]
    columns = (
        t("Token", "令牌"),
        t("For", "用途"),
        t("Whose", "持有者"),
        t("Scopes", "范围"),
        t("Until", "有效期至"),
        t("Last used", "上次使用"),
    )
    console().print(table(columns, rows))
