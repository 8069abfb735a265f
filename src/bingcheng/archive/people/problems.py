"""What can be wrong with accounts, and what to do about it."""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem

WRONG_LOGIN = Problem(
    code="archive.wrong-login",
    says="the name or the password is wrong",
    remedy="Try again, or ask the administrator of your hospital for a new password.",
    owner=Owner.OPERATOR,
)
TOO_MANY_FAILURES = Problem(
    code="archive.too-many-failures",
    says="signing in failed too often; try again in {minutes} min",
    remedy="Wait, or ask the administrator of your hospital for a new password.",
    owner=Owner.OPERATOR,
)
SHORT_PASSWORD = Problem(
    code="archive.short-password",
    says="the password is shorter than {count} characters",
    remedy="Choose a longer one; several words are easy to remember.",
    owner=Owner.OPERATOR,
)
LONG_PASSWORD = Problem(
    code="archive.long-password",
    says="the password is longer than {count} characters",
    remedy="Choose a shorter one.",
    owner=Owner.OPERATOR,
)
EASY_PASSWORD = Problem(
    code="archive.easy-password",
    says="the password is easily guessed",
    remedy="Choose one without your name, without a row of keys and not among the common ones.",
    owner=Owner.OPERATOR,
)
LOGIN_TAKEN = Problem(
    code="archive.login-taken",
    says="somebody else already signs in by this name",
    remedy="Choose another name to sign in with.",
    owner=Owner.OPERATOR,
)
WRONG_LOGIN_NAME = Problem(
    code="archive.wrong-login-name",
    says="a name to sign in with has 3 to 64 letters, digits, dots, hyphens, underscores or @",
    remedy="Choose another name to sign in with.",
    owner=Owner.OPERATOR,
)
NO_NAME = Problem(
    code="archive.no-name",
    says="a name is missing, or is longer than {count} characters",
    remedy="Write a name.",
    owner=Owner.OPERATOR,
)
WRONG_CODE = Problem(
    code="archive.wrong-hospital-code",
    says="the short name of a hospital has 1 to 16 letters, digits or hyphens",
    remedy="Choose another short name.",
    owner=Owner.OPERATOR,
)
CODE_TAKEN = Problem(
    code="archive.hospital-code-taken",
    says="another hospital already has this short name",
    remedy="Choose another short name.",
    owner=Owner.OPERATOR,
)
SPELLING_TAKEN = Problem(
    code="archive.spelling-taken",
    says="exams with this hospital name already belong to {hospital}",
    remedy="Take it away from that hospital first.",
    owner=Owner.OPERATOR,
)
WRONG_ISSUER = Problem(
    code="archive.wrong-issuer",
    says="the issuer of patient numbers has more than {count} characters, or a backslash or a control character in it",
    remedy="Write it exactly as it stands in the exams that state it (Issuer of Patient ID, 0010,0021).",
    owner=Owner.OPERATOR,
)
GROUP_TAKEN = Problem(
    code="archive.group-taken",
    says="another group already has this name",
    remedy="Choose another name.",
    owner=Owner.OPERATOR,
)
WRONG_ROLES = Problem(
    code="archive.wrong-roles",
    says="these roles don't go together with this hospital",
    remedy="Give at least one role; those of the province and the operator belong to no hospital, all others to one.",
    owner=Owner.OPERATOR,
)
NO_SUCH_THING = Problem(
    code="archive.not-found",
    says="there is no such thing, or you may not see it",
    remedy="Go back and choose from the list.",
    owner=Owner.OPERATOR,
)
SPENT_INVITATION = Problem(
    code="archive.spent-invitation",
    says="this link was used already, has expired, or never was one",
    remedy="Ask for a new link.",
    owner=Owner.OPERATOR,
)
NO_SCOPES = Problem(
    code="archive.no-scopes",
    says="the token would allow nothing",
    remedy="Choose at least one right that your roles give you.",
    owner=Owner.OPERATOR,
)
WRONG_SPAN = Problem(
    code="archive.wrong-span",
    says="it must hold for at least one day and at most {count} days",
    remedy="Choose another number of days.",
    owner=Owner.OPERATOR,
)
NO_REASON = Problem(
    code="archive.no-reason",
    says="the reason is missing or too short",
    remedy="Write in a sentence why the exam must be opened now.",
    owner=Owner.RADIOLOGIST,
)
NOT_ENOUGH_KNOWN = Problem(
    code="archive.not-enough-known",
    says="that is too little to find one patient by",
    remedy="Write the patient's number with the date of birth or the name, or the accession number.",
    owner=Owner.RADIOLOGIST,
)
NO_EXAM_FITS = Problem(
    code="archive.no-exam-fits",
    says="no exam fits, or none that opens to you in an emergency",
    remedy="Compare each number and name, letter by letter, with what the other hospital wrote, or telephone it.",
    owner=Owner.RADIOLOGIST,
)
TOO_MANY_TRIES = Problem(
    code="archive.too-many-tries",
    says="you looked for exams {count} times within an hour; the next time is possible in {minutes} min",
    remedy="Telephone the hospital that has the exam, or ask a colleague.",
    owner=Owner.RADIOLOGIST,
)
TOO_MANY_OPEN = Problem(
    code="archive.too-many-open",
    says="{count} exams are open to you in an emergency already",
    remedy="Wait until one of them closes, or ask a colleague.",
    owner=Owner.RADIOLOGIST,
)
TOO_MANY_SIGN_INS = Problem(
    code="archive.too-many-sign-ins",
    says="too many people sign in at this moment",
    remedy="Try again in a few seconds.",
    owner=Owner.OPERATOR,
)
LAST_OPERATOR = Problem(
    code="archive.last-operator",
    says="nobody could manage this installation any more",
    remedy="Make somebody else its operator first.",
    owner=Owner.OPERATOR,
)
WRONG_SETUP_CODE = Problem(
    code="archive.wrong-setup-code",
    says="the code is wrong, or this installation has its first account already",
    remedy="Read the code where `bingcheng serve` was started; each start shows a new one until there is an account.",
    owner=Owner.OPERATOR,
)
