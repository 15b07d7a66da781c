"""Check the invariants of the ledger and of the uploads; name what is off. Exit code 1 when something is."""

import argparse

from office.commands.common import complain, say, set_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--fold-again",
        action="store_true",
        help="also fold the whole stream beside the books and name every row that differs; uploads wait meanwhile",
    )


def run(arguments: argparse.Namespace) -> int:
    set_up(make=False)
    from office.ledger.verify import verify_everything

    findings = list(verify_everything(fold_again=arguments.fold_again))
    for finding in findings:
        say(arguments, finding.told(), str(finding))
    if findings:
        complain(
            f"office verify: {len(findings)} findings; office rebuild mends what is derived, raw events only a backup"
        )
    else:
        say(arguments, {"ok": True}, "The books balance and every upload is whole.")
    return 1 if findings else 0
