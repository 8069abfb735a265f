"""What can go wrong between two installations."""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem

WRONG_CARD = Problem(
    code="archive.wrong-pairing-card",
    says="this is no pairing card, or it is incomplete ({why})",
    remedy="Copy the whole card of the other installation once more.",
    owner=Owner.OPERATOR,
)
OWN_CARD = Problem(
    code="archive.own-pairing-card",
    says="this is the card of this installation",
    remedy="Paste the card of the other one here, and give this one to its operator.",
    owner=Owner.OPERATOR,
)
ALREADY_PAIRED = Problem(
    code="archive.already-paired",
    says="an installation with this key is paired already",
    remedy="Change it in the list; to pair again after a revocation the other side makes a new key.",
    owner=Owner.OPERATOR,
)
WRONG_PEER_ADDRESS = Problem(
    code="archive.wrong-peer-address",
    says="the address is not one that begins with https:// and names a server",
    remedy="Ask the other operator for the address by which the server is reached.",
    owner=Owner.OPERATOR,
)
WRONG_PIN = Problem(
    code="archive.wrong-pin",
    says="the certificate or its fingerprint can't be used",
    remedy="Give the authority's certificate as PEM, and the pin as 64 hexadecimal digits (SHA-256).",
    owner=Owner.OPERATOR,
)
FINGERPRINT_DIFFERS = Problem(
    code="archive.fingerprint-differs",
    says="the fingerprint is not that of the card",
    remedy="Let it be read to you once more. If it still differs, the card was exchanged on its way: don't pair.",
    owner=Owner.OPERATOR,
)
UNUSABLE_KEY = Problem(
    code="archive.unusable-pairing-key",
    says="the key of this installation can't be read",
    remedy="Restore the file {file} of the workspace from its backup, or remove it and pair anew.",
    owner=Owner.OPERATOR,
)
NOT_PAIRED = Problem(
    code="archive.not-paired",
    says="the request carries no signature of a paired installation",
    remedy="Pair the two installations, and confirm the fingerprints on both sides.",
    owner=Owner.OPERATOR,
)
CLOCKS_DIFFER = Problem(
    code="archive.clocks-differ",
    says="the clocks of the two installations differ by more than {limit_s} s",
    remedy="Set both clocks by a time server.",
    owner=Owner.OPERATOR,
)
REPLAYED = Problem(
    code="archive.replayed",
    says="this request was answered before",
    remedy="Nothing is to be done if it came by chance; see the audit trail if it comes again.",
    owner=Owner.OPERATOR,
)
WRONG_DIGEST = Problem(
    code="archive.wrong-digest",
    says="the content does not match its SHA-256 digest",
    remedy="Send it again; if it persists, something between the two changes what is sent.",
    owner=Owner.OPERATOR,
)
NOT_PERMITTED = Problem(
    code="archive.peer-not-permitted",
    says="the other installation does not allow this ({permission})",
    remedy="Ask its operator to allow it to this installation.",
    owner=Owner.OPERATOR,
)
OTHER_CONTENT = Problem(
    code="archive.other-content",
    says="another content came before under the same name",
    remedy="Nothing was changed. Publish a new version of the case, and send that.",
    owner=Owner.OPERATOR,
)
NOT_WHITELISTED = Problem(
    code="archive.not-whitelisted",
    says="something is in it that may not cross between installations ({what})",
    remedy="De-identify and publish the case anew; nothing of it was kept.",
    owner=Owner.OPERATOR,
)
TOO_MUCH = Problem(
    code="archive.too-much",
    says="the other installation has begun too many transfers, or one that is too large ({limit})",
    remedy="Finish those that were begun, or send smaller cases.",
    owner=Owner.OPERATOR,
)
NOT_COMPLETE = Problem(
    code="archive.not-complete",
    says="{count} objects of the case are not here yet",
    remedy="Send what is missing; it goes on from where it stopped.",
    owner=Owner.OPERATOR,
)
WITHDRAWN = Problem(
    code="archive.withdrawn-case",
    says="the case was withdrawn",
    remedy="Nothing is to be done: it is no longer given to anybody.",
    owner=Owner.OPERATOR,
)
OFFER_ENDED = Problem(
    code="archive.offer-ended",
    says="the case is not offered any more: it was not fetched in time",
    remedy="Ask the operator of the other installation to offer it once more.",
    owner=Owner.OPERATOR,
)
NO_CASES = Problem(
    code="archive.no-cases-here",
    says="this installation takes and gives no cases",
    remedy="Update it to a release that has cases.",
    owner=Owner.OPERATOR,
)
NO_ANSWER = Problem(
    code="archive.peer-no-answer",
    says="the other installation did not answer ({error})",
    remedy="It is tried again by itself. If it persists, check address, certificate and network.",
    owner=Owner.OPERATOR,
)
UNSIGNED_ANSWER = Problem(
    code="archive.unsigned-answer",
    says="the answer carries no valid signature of the other installation",
    remedy="Something between the two may answer in its place: check address and certificate.",
    owner=Owner.OPERATOR,
)
PEER_REFUSED = Problem(
    code="archive.peer-refused",
    says="the other installation refused it: {why} ({code})",
    remedy="Ask its operator; its audit trail says why.",
    owner=Owner.OPERATOR,
)
WRONG_CERTIFICATE = Problem(
    code="archive.wrong-peer-certificate",
    says="the certificate of the other installation is not the one that was pinned",
    remedy="Ask its operator whether it was renewed, then change the pin. Otherwise don't go on.",
    owner=Owner.OPERATOR,
)
UNTRUSTED_CERTIFICATE = Problem(
    code="archive.untrusted-peer-certificate",
    says="the certificate of the other installation is not trusted here ({why}), so nothing was sent",
    remedy="If an authority of its hospital signed it, paste that authority's certificate on the page of the pairing.",
    owner=Owner.OPERATOR,
)
CERTIFICATE_TIME = Problem(
    code="archive.peer-certificate-time",
    says="the certificate of the other installation is not valid at the time that this server's clock says, {now} UTC "
    "({why}), so nothing was sent",
    remedy="If that is not the time, set this clock by a time server. Else its operator must renew the certificate.",
    owner=Owner.OPERATOR,
)
NO_RECEIVER = Problem(
    code="archive.no-receiving-hospital",
    says="no hospital of this installation receives the cases of the other one",
    remedy="Choose the hospital on the page of the pairing.",
    owner=Owner.OPERATOR,
)
