"""Exams made from published settings in each vendor's way of writing headers, with what each series truly is.

`made()` gives the same exams for the same seed. Every series has the names of its own setting; `without_names` and
`misnamed` take them away or deal them out anew among all series, so that nearly all are wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from tests.protocol.recognition import vendors
from tests.protocol.recognition.published import SETTINGS
from tests.protocol.recognition.scanner import START, MadeExam, Maker, Sample
from tests.protocol.recognition.vendors import Dice

from bingcheng.dicom.acquisition import AnyAcquisition, CtAcquisition, Device, MrAcquisition, PetAcquisition


def derived_of(maker: Maker, parent: Sample, table: dict[str, tuple[str, ...]], content: str, called: str) -> Sample:
    """Something made of a series: ADC map, subtraction, projection, perfusion map, computed b-value."""
    kind = table[maker.vendor]
    facts: dict[str, object] = {"image_type": kind, "series_uid": maker.uid(), "series_description": called}
    if content == "adc_map":
        facts |= {"b_values_s_per_mm2": ()} if maker.vendor != "GE" else {}
    if content == "synthetic_diffusion":
        facts |= {"b_values_s_per_mm2": (1500.0,), "synthetic_b": True}
    acquisition = replace(parent.acquisition, **facts, volume_count=1, volume_times_s=())  # type: ignore[arg-type]
    truth = parent.truth | {"derived.content": content}
    for key in ("derived.is_dynamic", "derived.contrast_times", "derived.sequence"):
        truth.pop(key, None)
    return Sample(acquisition, f"{parent.setting} {content}", truth)


def single_series(maker: Maker) -> Iterator[MadeExam]:
    """Every setting that the vendor has, each twice, eight to an exam."""
    names = [s.name for s in SETTINGS if maker.vendor in s.vendors] * 2
    maker.rng.shuffle(names)
    for k in range(0, len(names), 8):
        yield MadeExam("singles", [maker.series(name) for name in names[k : k + 8]])


def diffusion(maker: Maker) -> Iterator[MadeExam]:
    for name in ("prostate dwi", "brain dwi", "liver dwi"):
        dwi = maker.series(name)
        samples = [dwi, derived_of(maker, dwi, vendors.ADC, "adc_map", "ADC")]
        samples.append(derived_of(maker, dwi, vendors.COMPUTED_B, "synthetic_diffusion", "cDWI b1500"))
        yield MadeExam("diffusion", samples)


def scout(maker: Maker) -> MadeExam:
    thickness = maker.rng.choice((6.0, 8.0, 10.0))
    loc = maker.series(
        "liver trufi",
        plane="coronal",
        slice_count=maker.rng.choice((1, 3, 5, 7)),
        slice_thickness_mm=thickness,
        reconstruction_interval_mm=thickness * maker.rng.uniform(1.6, 3.0),
        image_type=vendors.LOCALISER[maker.vendor],
        series_description="localizer",
    )
    loc.truth["derived.content"] = "localiser"
    return MadeExam("scout", [loc, maker.series("prostate t2", plane="sagittal")])


def dixon(maker: Maker) -> Iterator[MadeExam]:
    """Water, fat, in and opposed phase as four series; and a 2D dual echo whose header names nothing."""
    first = maker.series("whole body dixon")
    contents = {"WATER": "dixon_water", "FAT": "dixon_fat", "IN_PHASE": "in_phase", "OPPOSED_PHASE": "opposed_phase"}
    samples = []
    for word, content in contents.items():
        acquisition = replace(
            first.acquisition, series_uid=maker.uid(), dixon=(word,), series_description=f"dixon_{word[0]}"
        )
        truth = first.truth | {"derived.content": content, "derived.fat_suppressed": word == "WATER"}
        samples.append(Sample(acquisition, f"dixon {content}", truth))
    yield MadeExam("dixon", samples)
    opposed = maker.series("liver dual echo")
    te = 2 * opposed.acquisition.echo_times_ms[0]
    both = replace(opposed.acquisition, series_uid=maker.uid(), echo_times_ms=(te,))
    in_phase = Sample(both, "liver dual echo in", opposed.truth | {"derived.content": "in_phase"}, dict(opposed.untold))
    opposed.truth["derived.content"] = "opposed_phase"
    yield MadeExam("dual echo", [opposed, in_phase])
    one = maker.series("liver dual echo")
    te = one.acquisition.echo_times_ms[0]
    one.acquisition = replace(one.acquisition, echo_times_ms=(te, 2 * te), volume_count=2)
    one.truth["derived.content"] = "dixon_set"
    yield MadeExam("dual echo in one", [one])


Injector = Callable[[Sample, datetime, bool], None]


def by_time(sample: Sample, injected: datetime, after: bool) -> None:
    """The header tells when it was injected."""
    sample.acquisition = replace(sample.acquisition, contrast_started_at=injected, contrast_agent="Gadovist")


def by_agent(sample: Sample, injected: datetime, after: bool) -> None:
    """Only series after the injection name the agent."""
    sample.acquisition = replace(sample.acquisition, contrast_agent="Dotarem" if after else None)


def everywhere(sample: Sample, injected: datetime, after: bool) -> None:
    """The agent was entered for the whole exam, and no time: the header does not tell."""
    sample.acquisition = replace(sample.acquisition, contrast_agent="GADOTERATE")
    _untold(sample, "derived.contrast_times", "derived.after_contrast")


def nowhere(sample: Sample, injected: datetime, after: bool) -> None:
    """Nothing says that an agent was given."""
    _untold(sample, "derived.contrast_times", "derived.after_contrast")


INJECTORS: tuple[Injector, ...] = (by_time, by_agent, everywhere, nowhere)


def _untold(sample: Sample, *keys: str) -> None:
    sample.untold |= {key: sample.truth.pop(key) for key in keys if key in sample.truth}


def _times(sample: Sample, *words: str) -> None:
    sample.truth["derived.contrast_times"] = words
    sample.truth["derived.after_contrast"] = words != ("before",)


def brain(maker: Maker, injector: Injector) -> MadeExam:
    """T1 before, FLAIR and diffusion, injection, T2 in the wait, T1 as before, T1 spin echo."""
    volume = {"SIEMENS": "mprage siemens", "CANON": "mprage siemens", "GE": "bravo ge"}.get(maker.vendor, "tfe philips")
    before = maker.series(volume)
    flair, dwi = maker.series("brain flair"), maker.series("brain dwi", plane="axial")
    injected = maker.clock + timedelta(seconds=300)
    maker.clock = injected
    t2 = maker.series("brain t2")
    maker.clock += timedelta(seconds=240)
    after = Sample(
        replace(before.acquisition, series_uid=maker.uid(), started_at=maker.clock),
        before.setting,
        dict(before.truth),
        dict(before.untold),
    )
    if after.acquisition.series_description:
        after.acquisition = replace(after.acquisition, series_description=f"{after.acquisition.series_description} +C")
    spin = maker.series("brain t1 se")
    exam = MadeExam("brain", [before, flair, dwi, t2, after, spin])
    for sample in exam.samples:
        late = sample.acquisition.started_at >= injected
        _times(sample, "first_after" if late else "before")
        injector(sample, injected, late)
    return exam


def dynamic(maker: Maker, name: str, injector: Injector, *, step_s: float, count: int, separate: bool) -> MadeExam:
    """A dynamic: one series, or a series a phase as Siemens writes it; the injection follows the first volume."""
    first = maker.series(name)
    begun = first.acquisition.started_at
    pause = 20.0 if separate else 0.0
    starts = [0.0] + [k * step_s + pause for k in range(1, count)]
    injected = (
        begun + timedelta(seconds=starts[1] - 0.5 * step_s) if not separate else begun + timedelta(seconds=step_s + 5)
    )
    first.truth["derived.is_dynamic"] = True
    exam = MadeExam(f"dynamic {name}")
    if not separate:
        first.acquisition = replace(
            first.acquisition, volume_times_s=tuple(starts), volume_count=count, temporal_resolution_s=step_s
        )
        _times(first, "before", "first_after", "later_after")
        exam.samples.append(first)
        injector(first, injected, True)
        if injector is by_agent:
            _untold(first, "derived.contrast_times")
    else:
        for k, at in enumerate(starts):
            acquisition = replace(first.acquisition, series_uid=maker.uid(), started_at=begun + timedelta(seconds=at))
            one = Sample(acquisition, name, dict(first.truth), dict(first.untold))
            _times(one, "before" if k == 0 else "first_after" if k == 1 else "later_after")
            injector(one, injected, k > 0)
            exam.samples.append(one)
    if separate:
        exam.samples.append(derived_of(maker, exam.samples[-1], vendors.SUBTRACTION, "subtraction", "SUB"))
        exam.samples.append(derived_of(maker, exam.samples[-2], vendors.MIP, "mip", "MIP"))
    maker.clock = begun + timedelta(seconds=starts[-1] + 120)
    exam.samples.append(maker.series("prostate t2"))
    for sample in exam.samples:
        if "derived.is_dynamic" not in sample.truth or sample.setting == "prostate t2":
            _times(sample, "first_after") if sample.setting == "prostate t2" else None
            told = injector is by_time
            sample.truth["derived.after_contrast"] = True
            if sample.setting == "prostate t2":
                injector(sample, injected, True)
            if not told:
                _untold(sample, "derived.contrast_times", "derived.after_contrast")
    return exam


def liver(maker: Maker, agent: str) -> MadeExam:
    """T1 before, 18 s, 65 s, 180 s, and 20 min after the start of injection."""
    first = maker.series("liver t1 3d", plane="axial")
    injected = first.acquisition.started_at + timedelta(seconds=60)
    exam = MadeExam("liver")
    phases = (
        (-60, "precontrast"),
        (30, "late_arterial"),
        (65, "portal_venous"),
        (180, "delayed"),
        (1200, "hepatobiliary"),
    )
    for delay, phase in phases:
        acquisition = replace(
            first.acquisition,
            series_uid=maker.uid(),
            started_at=injected + timedelta(seconds=delay),
            contrast_agent=agent if delay > 0 else None,
            contrast_started_at=injected if delay > 0 else None,
        )
        late = phase == "hepatobiliary"
        eob = "EOB" in agent or agent in {"Primovist", "普美显"}
        truth = first.truth | {"derived.is_dynamic": not late, "derived.hepatobiliary": late and eob}
        truth["derived.contrast_phase"] = phase if not late or eob else None
        word = "before" if delay < 0 else "first_after" if delay == 30 else "later_after"
        sample = Sample(acquisition, "liver t1 3d", truth, dict(first.untold))
        _times(sample, word)
        if truth["derived.contrast_phase"] is None:
            del truth["derived.contrast_phase"]
        exam.samples.append(sample)
    return exam


def perfusion(maker: Maker) -> MadeExam:
    dsc = maker.series("brain dsc")
    dsc.acquisition = replace(
        dsc.acquisition, volume_times_s=tuple(1.5 * k for k in range(50)), volume_count=50, temporal_resolution_s=1.5
    )
    dsc.truth["derived.is_dynamic"] = True
    return MadeExam("perfusion", [dsc, derived_of(maker, dsc, vendors.RCBV, "perfusion_map", "rCBV")])


CT_PHASES = (
    ("precontrast", -120, -30),
    ("early_arterial", 18, 22),
    ("late_arterial", 28, 42),
    ("portal_venous", 60, 85),
    ("delayed", 150, 420),
)


def ct_exam(vendor: str, rng: Dice, number: int) -> MadeExam:
    """Phases of one body CT, its scout, bolus tracking and reformations."""
    device = Device(vendor=vendor, model="CT", serial_number=str(rng.randint(100, 999)))
    injected = START + timedelta(minutes=5)
    exam = MadeExam("ct")

    def add(
        name: str, kind: tuple[str, ...], content: str, normal: tuple[float, float, float], plane: str, **facts: object
    ) -> Sample:
        made: dict[str, object] = {
            "modality": "CT",
            "device": device,
            "series_uid": f"1.3.{number}.{len(exam.samples)}",
            "image_type": kind,
            "slice_thickness_mm": 2.0,
            "reconstruction_interval_mm": 2.0,
            "slice_count": rng.randint(80, 400),
            "rows": 512,
            "columns": 512,
            "slice_normal": normal,
            "convolution_kernel": "Br40",
            "kvp_kv": 120.0,
            "volume_count": 1,
            "series_description": name,
        }
        acquisition = CtAcquisition(**{**made, **facts})  # type: ignore[arg-type]
        sample = Sample(acquisition, name, {"derived.content": content, "derived.plane": plane})
        exam.samples.append(sample)
        return sample

    axial, original = (0.0, 0.0, 1.0), ("ORIGINAL", "PRIMARY", "AXIAL")
    add("Topogram", ("ORIGINAL", "PRIMARY", "LOCALIZER"), "localiser", (0.0, 1.0, 0.0), "coronal", slice_count=1)
    add("Monitoring", original, "bolus_tracking", axial, "axial", slice_count=1, volume_count=15)
    for phase, low, high in CT_PHASES:
        at = injected + timedelta(seconds=rng.randint(low, high))
        sample = add(
            phase.replace("_", " "), original, "image", axial, "axial", started_at=at, contrast_started_at=injected
        )
        sample.truth["derived.contrast_phase"] = phase
    for plane, normal in (("coronal", (0.0, 1.0, 0.0)), ("sagittal", (1.0, 0.0, 0.0))):
        add(f"MPR {plane}", vendors.MPR[vendor], "mpr", normal, plane)
    add("MIP", vendors.MIP[vendor], "mip", axial, "axial")
    return exam


def pet_exam(vendor: str, rng: Dice, number: int) -> MadeExam:
    """A PET with and without attenuation correction, and its projection."""
    device = Device(vendor=vendor, model="PET", serial_number=str(rng.randint(100, 999)))
    exam = MadeExam("pet")
    for k, (kind, content, corrections) in enumerate(
        (
            (("ORIGINAL", "PRIMARY"), "image", ("ATTN", "SCAT", "DECY")),
            (("ORIGINAL", "PRIMARY"), "image", ("DECY",)),
            (("DERIVED", "SECONDARY", "REPROJECTION" if vendor == "SIEMENS" else "MIP"), "mip", ("ATTN", "DECY")),
        )
    ):
        acquisition = PetAcquisition(
            modality="PT",
            device=device,
            series_uid=f"1.4.{number}.{k}",
            image_type=kind,
            corrections=corrections,
            slice_normal=(0.0, 0.0, 1.0),
            slice_count=rng.randint(200, 400),
            volume_count=1,
            series_description=("PET AC", "PET NAC", "MIP")[k],
        )
        truth = {
            "derived.content": content,
            "derived.plane": "axial",
            "derived.attenuation_corrected": "ATTN" in corrections,
        }
        exam.samples.append(Sample(acquisition, f"pet {k}", truth))
    return exam


def made(seed: int = 20261124) -> list[MadeExam]:
    """All exams: five vendors at two field strengths, CT, PET."""
    rng = Dice(seed)
    exams: list[MadeExam] = []
    for vendor in vendors.ORIGINAL:
        for field_t in (1.5, 3.0):
            maker = Maker(vendor, field_t, rng)
            exams += single_series(maker)
            exams += diffusion(maker)
            exams += dixon(maker)
            exams += [scout(maker), perfusion(maker)]
            exams += [brain(maker, injector) for injector in INJECTORS]
            separate = vendor in {"SIEMENS", "UIH"}
            for injector in INJECTORS:
                exams.append(
                    dynamic(
                        maker, "breast dynamic fs", injector, step_s=rng.uniform(60, 100), count=6, separate=separate
                    )
                )
                exams.append(
                    dynamic(maker, "breast dynamic", injector, step_s=rng.uniform(60, 110), count=6, separate=True)
                )
                exams.append(
                    dynamic(maker, "liver t1 3d", injector, step_s=rng.uniform(5, 15), count=20, separate=False)
                )
            exams += [liver(maker, agent) for agent in ("Primovist", "Gd-EOB-DTPA", "Gadovist", "普美显")]
        exams += [ct_exam(vendor, rng, len(exams)), pet_exam(vendor, rng, len(exams))]
    return exams


def without_names(exams: list[MadeExam]) -> list[MadeExam]:
    """The same with every free-text name taken away."""
    return [_renamed(exam, lambda _: (None, None, None)) for exam in exams]


def misnamed(exams: list[MadeExam], seed: int = 7) -> list[MadeExam]:
    """The same with the names dealt out anew among all series of a modality."""
    rng = Dice(seed)
    dealt = [_names(a) for exam in exams for a in exam.acquisitions]
    rng.shuffle(dealt)
    left = iter(dealt)
    return [_renamed(exam, lambda _: next(left)) for exam in exams]


Names = tuple[str | None, str | None, str | None]


def _names(a: AnyAcquisition) -> Names:
    return a.series_description, a.protocol_name, a.sequence_name if isinstance(a, MrAcquisition) else None


def _renamed(exam: MadeExam, names: Callable[[Sample], Names]) -> MadeExam:
    samples = []
    for sample in exam.samples:
        description, protocol, sequence = names(sample)
        facts: dict[str, object] = {"series_description": description, "protocol_name": protocol}
        if isinstance(sample.acquisition, MrAcquisition):
            facts["sequence_name"] = sequence
        samples.append(replace(sample, acquisition=replace(sample.acquisition, **facts)))  # type: ignore[arg-type]
    return MadeExam(exam.kind, samples)
