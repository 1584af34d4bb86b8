"""One of several processes that race: ``python -m tests.rehearsal.race HOME WHO`` tries to agree on every thread it is told.

Reads ``go N`` from standard input, then tries threads 0 to N - 1 in order and prints one line each: ``won`` or a code.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.rehearsal import exchange
from tongqiu.record.faults import Refused
from tongqiu.record.statement import Attachment, Said
from tongqiu.record.subject import Subject
from tongqiu.testing import paper_node

ASSET = Subject("dataset", "urn:tongqiu:test:asset", None, "Asset")
CONSUMER = "did:key:z6MkconsumerParty"


def thread(number: int) -> str:
    return f"urn:tongqiu:test:negotiation:{number}"


def main() -> None:
    with paper_node(Path(sys.argv[1]), exchange.PRACTICE) as node:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        for number in range(int(sys.stdin.readline().split()[1])):
            step = exchange.Step("agreed", node.me, CONSUMER, node.me)
            terms = Attachment("terms.txt", "text/plain", f"{sys.argv[2]} {number}".encode())
            said = [
                Said(exchange.STEP.name, ASSET, step, thread=thread(number), files=(terms,)),
                Said("core.composition/1", ASSET, {"parts": [], "purpose": sys.argv[2]}),
            ]
            try:
                node.publish(said)
            except Refused as fault:
                sys.stdout.write(fault.code + "\n")
            else:
                sys.stdout.write("won\n")


if __name__ == "__main__":
    main()
