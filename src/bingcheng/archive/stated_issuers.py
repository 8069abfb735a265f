"""Who issued the patient numbers of a hospital, by what the headers of its exams say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import Connection, case, func, select

from bingcheng.archive import schema
from bingcheng.archive.assumed_issuer import assumed_issuer
from bingcheng.archive.ownership import owned_by


def stated_issuers(connection: Connection, hospital: int) -> Mapping[str, int]:
    """How many assessed exams of a hospital state each issuer; under the empty name, how many state none."""
    exam, assumed = schema.exam.c, assumed_issuer.c.exam_uid
    stated = case((assumed.is_not(None), ""), else_=func.coalesce(schema.identity.c.issuer, "")).label("stated")
    query = (
        select(stated, func.count())
        .join_from(schema.exam, schema.identity, schema.identity.c.patient == exam.patient)
        .outerjoin(assumed_issuer, assumed == exam.uid)
        .where(owned_by(connection, hospital))
        .group_by(stated)
    )
    return Counter({issuer: int(count) for issuer, count in connection.execute(query)})
