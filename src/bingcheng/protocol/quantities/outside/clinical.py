"""Quantities that the clinic or the technologist knows."""

from __future__ import annotations

from bingcheng.core.errors import Owner
from bingcheng.core.wording import Text, text
from bingcheng.protocol.attributes import Attribute, outside
from bingcheng.protocol.values import Kind

ASK_CLINIC = text("Ask the referring clinic or the technologist and enter the answer.")


def _clinical(key: str, label: Text, *, unit: str = "1", kind: Kind = Kind.WORD) -> Attribute:
    why = text("no header holds this: {what}", what=label)
    return outside(key, label=label, kind=kind, unit=unit, why=why, supply=ASK_CLINIC, owner=Owner.RADIOLOGIST)


DIAGNOSTIC_CT = _clinical(
    "clinical.diagnostic_ct_in_petct",
    text("CT of the PET/CT is of diagnostic quality with intravenous and oral contrast"),
    kind=Kind.FLAG,
)
TUMOUR = _clinical("clinical.tumour", text("kind of tumour"))
LOCOREGIONAL_THERAPY = _clinical(
    "clinical.after_locoregional_therapy", text("after local treatment of the liver"), kind=Kind.FLAG
)
SALINE = _clinical("clinical.saline_ml", text("volume of the saline chaser"), unit="ml", kind=Kind.NUMBER)
ANTIPERISTALTIC = _clinical("clinical.antiperistaltic_given", text("antiperistaltic agent given"), kind=Kind.FLAG)
LOW_RECTAL = _clinical("clinical.low_rectal_tumour", text("tumour in the lower third of the rectum"), kind=Kind.FLAG)
TREATMENT_INSIDE = _clinical(
    "clinical.days_since_intravesical_treatment",
    text("days since treatment inside the bladder"),
    unit="d",
    kind=Kind.NUMBER,
)
CATHETER = _clinical(
    "clinical.days_since_catheter_or_cystoscopy", text("days since catheter or cystoscopy"), unit="d", kind=Kind.NUMBER
)
INJECTION_TIME = outside(
    "clinical.injection_time",
    label=text("time of day at which the contrast injection began"),
    kind=Kind.WORD,
    why=text("nobody has told when the contrast injection began"),
    supply=text(
        "Read it from the injector's log, then state it: "
        "`bingcheng protocol answer clinical.injection_time=10:23:45 --exam …`."
    ),
    owner=Owner.TECHNOLOGIST,
    form=r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?",
    of_one_exam=True,
)
"""By the scanner's clock. It counts where no header says it (see `quantities.contrast.injection_start`)."""
TRIGGER_DELAY = _clinical(
    "clinical.delay_after_trigger_s", text("delay after the bolus reached the aorta"), unit="s", kind=Kind.NUMBER
)
