"""Opening the doors: ``serve`` shows the pages, takes what the log's doors take, and lets the owner in."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from tongqiu.cli.desk import Home, open_existing
from tongqiu.cli.words import console, lang, t, within


def serve(
    *,
    home: Home = None,
    host: Annotated[str, Parameter(help="Address to listen on. 监听地址。")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="Port to listen on. 监听端口。")] = 8470,
) -> int:
    """Open the pages, forms and doors of a node, and print a link by which its owner signs in. 打开节点的页面、表单与协议门。"""
    from tongqiu.node.duties import Duties
    from tongqiu.node.lend import open_doors
    from tongqiu.node.work import Supervisor
    from tongqiu.portal.results import PROCESS
    from tongqiu.portal.site import address
    from tongqiu.portal.site import serve as run

    within("--port", port, 0, 65_535)
    with open_existing(home) as node:
        url = node.home.settings.url or address(host, port)
        link = node.people.link(node.people.owner().id)
        duties = Duties(node)
        duties.keep()
        supervisor = Supervisor(node.home.path, node.store.jobs, PROCESS, width=node.home.settings.assess.at_once)
        supervisor.keep()
        console().print(
            t("Open {url}/ in a browser; Ctrl-C stops.", "请在浏览器中打开 {url}/ ；Ctrl-C 停止。", url=url)
        )
        console().print(
            t(
                "To sign in as the owner, open this link; it works once, for 15 minutes:",
                "以所有者身份登录，请打开以下链接；只能使用一次，15 分钟内有效：",
            )
        )
        console().print(f"{url}/sign-in/link/{link}", soft_wrap=True)
        try:
            run(
                node,
                host=host,
                port=port,
                url=url,
                language=lang(),
                doors=lambda pages: open_doors(node, pages, url=url),
            )
        finally:
            duties.rest()
            supervisor.rest()
    return 0
