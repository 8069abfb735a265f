"""Makes, or compares with what is kept, the tables that de-identification reads.

    python tools/deidentification_tables.py --attributes FILE.json [--later FILE.py] --private FILE.csv
        --validator FOLDER --objects FOLDER [--write]

Sources:

- PS3.15 Table E.1-1 as JSON, as innolitics/dicom-standard parses it (MIT);
- for rows of a later edition, the lists of tags by action of dicom-anonymizer (BSD-3-Clause), of which only the facts
  (tag, action) are taken; their option columns follow from the kind of the attribute, and are marked so;
- TCIA's knowledge base of private elements, of which the elements known to be safe are taken;
- the types of attributes in information object definitions, from the JSON of PS3.3 that highdicom carries;
- the defined terms and enumerated values of code strings (PS3.3), from the tables of dicom3tools (libsrc/standard) and
  from PS3.3 of 2016 as posdaJS parses it (lib/json/iod); of both only the facts (attribute, terms). `ADDED_TERMS` holds
  those of later editions.
"""

from __future__ import annotations

import argparse
import ast
import csv
import io
import json
import pkgutil
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydicom.datadict import dictionary_description, dictionary_VR, tag_for_keyword

FOLDER = Path(__file__).parents[1] / "src" / "bingcheng" / "archive" / "deidentify"
OPTIONS = {
    "rtnSafePrivOpt": "safe_private",
    "rtnUIDsOpt": "uids",
    "rtnDevIdOpt": "device",
    "rtnInstIdOpt": "institution",
    "rtnPatCharsOpt": "patient",
    "rtnLongFullDatesOpt": "full_dates",
    "rtnLongModifDatesOpt": "modified_dates",
    "cleanDescOpt": "descriptors",
    "cleanStructContOpt": "structured",
    "cleanGraphOpt": "graphics",
}
LISTS = {
    "D_TAGS": "D",
    "Z_TAGS": "Z",
    "X_TAGS": "X",
    "U_TAGS": "U",
    "Z_D_TAGS": "Z/D",
    "X_Z_TAGS": "X/Z",
    "X_D_TAGS": "X/D",
    "X_Z_D_TAGS": "X/Z/D",
    "X_Z_U_STAR_TAGS": "X/Z/U*",
}
TEXTS = frozenset(("LO", "LT", "SH", "ST", "UC", "UT"))
KINDS = ("ct-image", "enhanced-ct-image", "mr-image", "enhanced-mr-image", "positron-emission-tomography-image")
MORE_KINDS = (
    *("enhanced-pet-image", "secondary-capture-image", "ultrasound-image", "segmentation", "parametric-map"),
    *("rt-structure-set", "rt-dose", "rt-plan", "comprehensive-sr", "enhanced-sr", "comprehensive-3d-sr"),
    *(
        "computed-radiography-image",
        "digital-x-ray-image",
        "digital-mammography-x-ray-image",
        "x-ray-angiographic-image",
    ),
    *(
        "nuclear-medicine-image",
        "ultrasound-multi-frame-image",
        "x-ray-radiation-dose-sr",
        "breast-tomosynthesis-image",
    ),
    *("grayscale-softcopy-presentation-state", "key-object-selection-document", "real-world-value-mapping"),
)

CODE_STRING = re.compile(r"[A-Z0-9_](?:[A-Z0-9 _]{0,14}[A-Z0-9_])?")
ADDED_TERMS = {
    "LossyImageCompressionMethod": ("ISO_15444_15", "ISO_18181_1"),
    "Modality": (
        *(
            "ANN",
            "ASMT",
            "CFM",
            "CTPROTOCOL",
            "DMS",
            "EEG",
            "EMG",
            "EOG",
            "IVUS",
            "M3D",
            "OPTBSV",
            "OPTENF",
            "PA",
            "PLAN",
        ),
        *(
            "POS",
            "RESP",
            "RTINTENT",
            "RTRAD",
            "RTSEGANN",
            "RWV",
            "SEG",
            "SMR",
            "SR",
            "SRF",
            "STAIN",
            "TEXTUREMAP",
            "TG",
        ),
        *("US", "VA", "XA", "XAPROTOCOL", "XC"),
    ),
    "PatientPosition": ("AFDL", "AFDR", "AFP", "AFS", "LFP", "LFS", "PFDL", "PFDR", "PFP", "PFS", "RFP", "RFS"),
    "PhotometricInterpretation": ("XYB", "YBR_ICT", "YBR_RCT"),
    "StudyPriorityID": ("HIGH", "LOW", "MED"),
    "StudyStatusID": ("ARRIVED", "COMPLETED", "CREATED", "READ", "SCHEDULED", "STARTED", "VERIFIED"),
    "SegmentationType": ("BINARY", "FRACTIONAL", "LABELMAP"),
}


def attribute_rows(standard: Path, later: Path | None) -> list[dict[str, str]]:
    """The rows of Table E.1-1, sorted by tag."""
    rows = {}
    for one in json.loads(standard.read_text(encoding="utf-8")):
        tag = "private" if "WHERE" in one["tag"].upper() else re.sub(r"[(),]", "", one["tag"]).lower()
        row = {"tag": tag, "name": one["name"], "basic": one["basicProfile"]}
        rows[tag] = row | {ours: one.get(theirs, "") for theirs, ours in OPTIONS.items()} | {"edition": "2025"}
    for tag, basic in _later(later) if later else ():
        if tag not in rows:
            rows[tag] = _later_row(tag, basic)
        elif rows[tag]["basic"] != basic:
            print(f"{tag}: {rows[tag]['basic']} became {basic}", file=sys.stderr)
            rows[tag] |= {"basic": basic, "edition": "2026c"}
    return [rows[tag] for tag in sorted(rows)]


def _later(path: Path) -> Iterable[tuple[str, str]]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in LISTS:
            for tag in ast.literal_eval(node.value):
                if len(tag) == 2:  # longer ones are ranges, which the standard's own parse has
                    yield f"{tag[0]:04x}{tag[1]:04x}", LISTS[node.targets[0].id]


def _later_row(tag: str, basic: str) -> dict[str, str]:
    """A row of which only the action is known; its options follow from what the attribute is."""
    try:
        vr, name = dictionary_VR(int(tag, 16)), dictionary_description(int(tag, 16))
    except KeyError:
        vr, name = "", ""
    row = {"tag": tag, "name": name, "basic": basic} | dict.fromkeys(OPTIONS.values(), "") | {"edition": "2026c"}
    if vr in ("DA", "DT", "TM"):
        row |= {"full_dates": "K", "modified_dates": "C"}
    elif vr == "UI":
        row |= {"uids": "K"}
    elif vr in TEXTS:
        row |= {"descriptors": "C"}
    return row


def private_rows(path: Path) -> list[dict[str, str]]:
    """The safe private elements, each by group, creator, element and VR, wherever they stand."""
    pattern = re.compile(r'\(([0-9a-fA-F]{4}),"?([^"]*)"?,([0-9a-fA-Fc]{2})\)$')
    verdicts: dict[tuple[str, str, str], set[str]] = {}
    vrs: dict[tuple[str, str, str], str] = {}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream):
            found = pattern.search(row["element_sig_pattern"].strip())
            if found is None or int(found[1], 16) % 2 == 0:
                continue
            key = (found[1].lower(), found[2].strip(), found[3].lower())
            verdicts.setdefault(key, set()).add((row["private_disposition"] or "").strip().lower())
            if row["vr"]:
                vrs[key] = row["vr"].strip()
    # What is safe in one place and not in another isn't safe.
    safe = [key for key, said in verdicts.items() if said == {"k"}]
    names = ("group", "creator", "element")
    return [dict(zip(names, key, strict=True)) | {"vr": vrs.get(key, "")} for key in sorted(safe)]


def type_rows(wanted: Iterable[str]) -> list[dict[str, str]]:
    """The type of each attribute of `wanted` at the top of the objects of each SOP class (PS3.3)."""
    classes, modules, attributes = (
        _standard(name) for name in ("sop_class_iod_map", "iod_module_map", "module_attribute_map")
    )
    tags, rows = set(wanted), {}
    for uid, kind in classes.items():
        if kind not in (*KINDS, *MORE_KINDS):
            continue
        for module in modules[kind]:
            for one in attributes.get(module["key"], ()):
                tag = _tag(one["keyword"]) if not one["path"] else None
                if tag in tags:
                    key = (uid, tag)
                    rows[key] = min(rows.get(key, "9"), one["type"])
    return [{"sop_class": uid, "tag": str(tag), "type": rows[uid, tag]} for uid, tag in sorted(rows)]


def term_rows(validator: Path, objects: Path) -> list[dict[str, str]]:
    """The terms of each code string attribute, whichever module, condition and value of several they are for."""
    found: dict[int, set[str]] = defaultdict(set)
    for keyword, terms in (*_terms_of_validator(validator), *ADDED_TERMS.items()):
        tag = tag_for_keyword(keyword)
        if tag is not None:
            found[tag].update(terms)
    for tag, term in _terms_of_objects(objects):
        found[tag].add(term)
    rows = []
    for tag in sorted(found):
        codes = sorted(one for one in found[tag] if CODE_STRING.fullmatch(one))
        if codes and _vr(tag) == "CS":
            rows.append({"tag": f"{tag:08x}", "terms": "|".join(codes)})
    return rows


def _vr(tag: int) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return ""


def _terms_of_validator(folder: Path) -> Iterator[tuple[str, Iterable[str]]]:
    lists: dict[str, list[str]] = {}
    for path in sorted((folder / "strval").glob("*.tpl")):
        uncommented = re.sub("#.*", "", path.read_text(encoding="latin-1"))
        for name, body in re.findall(r'StringValues="(\w+)"\s*\{(.*?)\}', uncommented, re.DOTALL):
            lists[name] = [part.partition("=")[0].strip(' \t\n"') for part in body.split(",")]
    for path in sorted((folder / "module").glob("*.tpl")):
        for line in re.sub("#.*", "", path.read_text(encoding="latin-1")).splitlines():
            attribute = re.search(r'(?:Name|Verify)="(\w+)"', line)
            if attribute is not None:
                named = re.findall(r'String(?:EnumValues|DefinedTerms)="(\w+)"', line)
                yield from ((attribute[1], lists[name]) for name in named)


def _terms_of_objects(folder: Path) -> Iterator[tuple[int, str]]:
    for path in sorted(folder.glob("*.js")):
        text = path.read_text(encoding="utf-8")
        for place, described in json.loads(text[text.index("{") : text.rindex("}") + 1])["tags"].items():
            tags = re.findall(r"\(([0-9a-fA-F]{4}),([0-9a-fA-F]{4})\)", place)
            if tags:
                yield from ((int("".join(tags[-1]), 16), term) for term in _listed(described))


def _listed(described: Any) -> Iterator[str]:
    """The terms of every list within a description."""
    if isinstance(described, dict):
        if described.get("type") == "variablelist":
            yield from (row[0].strip() for row in described["list"] if isinstance(row[0], str))
        described = list(described.values())
    if isinstance(described, list):
        for one in described:
            yield from _listed(one)


def _tag(keyword: str) -> str | None:
    tag = tag_for_keyword(keyword)
    return None if tag is None else f"{tag:08x}"


def _standard(name: str) -> Mapping[str, Any]:
    data = pkgutil.get_data("highdicom", f"_standard/{name}.json")
    if data is None:
        raise FileNotFoundError(name)
    loaded: Mapping[str, Any] = json.loads(data)
    return loaded


def written(rows: list[dict[str, str]], source: str) -> str:
    """The rows as CSV, with a first line that says where they are from."""
    stream = io.StringIO()
    stream.write(f"# {source}\n")
    writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def main() -> int:
    """Write the tables, or say which differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attributes", type=Path, required=True)
    parser.add_argument("--later", type=Path)
    parser.add_argument("--private", type=Path, required=True)
    parser.add_argument("--validator", type=Path, required=True)
    parser.add_argument("--objects", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    attributes = attribute_rows(asked.attributes, asked.later)
    conditional = [row["tag"] for row in attributes if "/" in row["basic"]]
    edition = "2026c" if asked.later else "2025"
    made = {
        "attributes.csv": written(
            attributes, f"DICOM PS3.15 {edition} Table E.1-1, see tools/deidentification_tables.py"
        ),
        "types.csv": written(type_rows(conditional), "DICOM PS3.3: types of the attributes whose action depends on it"),
        "private.csv": written(
            private_rows(asked.private), "TCIA private tag knowledge base 2024-02-01: safe elements"
        ),
        "code_strings.csv": written(
            term_rows(asked.validator, asked.objects),
            "DICOM PS3.3: defined terms and enumerated values of code strings",
        ),
    }
    differ = [name for name, text in made.items() if not _same(FOLDER / name, text)]
    if asked.write:
        for name in differ:
            (FOLDER / name).write_text(made[name], encoding="utf-8")
    print(f"{len(attributes)} attributes; differ: {', '.join(differ) or 'none'}")
    return 0 if asked.write or not differ else 1


def _same(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
