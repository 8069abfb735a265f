"""How many links between lesions of two exams wait for a reader, counted as the page of a patient's lesions does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import Connection

from bingcheng.archive.matchings import Decision, Proposal, decisions, drawn_exams, proposals
from bingcheng.archive.waiting_links import Pair, known_pairs, save_waiting, were_counted
from bingcheng.archive.workspace import Workspace
from bingcheng.engine.follow_up.review import review
from bingcheng.engine.follow_up.shown import FollowUp

MOST_ALONE = 500
"""Exams beyond which all that there are are counted: their UIDs would stand in the queries one by one."""


def keep_waiting(connection: Connection, uids: Collection[str] | None = None) -> None:
    """Count anew what waits, and keep it.

    Parameters
    ----------
    uids : only of pairs in which one of these exams stands; None for all. All are counted the first time.
    """
    everything = uids is None or len(uids) > MOST_ALONE or not were_counted(connection)
    pairs = known_pairs(connection, None if everything else uids)
    among = None if everything else {uid for pair in pairs for uid in pair}
    drawn = {exam.uid: exam for exam in drawn_exams(connection, among)}
    proposed: dict[Pair, list[Proposal]] = defaultdict(list)
    for one in proposals(connection, among):
        proposed[one.pair.earlier_uid, one.pair.later_uid].append(one)
    decided: dict[Pair, list[Decision]] = defaultdict(list)
    for edit in decisions(connection, among):
        decided[edit.earlier_uid, edit.later_uid].append(edit)
    links: dict[Pair, int] = dict.fromkeys(pairs, 0)
    for pair in pairs:
        if pair[0] in drawn and pair[1] in drawn:
            known = FollowUp(proposed=tuple(proposed[pair]), decided=tuple(decided[pair]))
            links[pair] = sum(one.waiting for one in review([drawn[uid] for uid in pair], known))
    save_waiting(connection, links, everything=everything)


def see_to_waiting(workspace: Workspace) -> None:
    """Count what waits in a workspace of an earlier release, which kept no count."""
    with workspace.reading() as connection:
        counted = were_counted(connection)
    if not counted:
        with workspace.writing() as connection:
            keep_waiting(connection)
