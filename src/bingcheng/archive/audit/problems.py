"""What can be wrong with the audit trail."""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem

BROKEN_CHAIN = Problem(
    code="archive.broken-audit",
    says="the audit trail was changed or damaged at event {number}",
    remedy="Compare it with the last export, and restore the database from its backup.",
    owner=Owner.OPERATOR,
)
