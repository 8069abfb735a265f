"""The command ``bingcheng segment``: what its options mean. What it runs is imported when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from bingcheng.cli.help import unvalued as flag
from bingcheng.cli.options import Shared
from bingcheng.core.wording import text

FORMS = (
    "grow MM, shrink MM, smooth MM, fill-holes [in-slices], fill-slices, largest, part X,Y,Z, cut X,Y,Z normal=X,Y,Z, "
    "add-sphere|erase-sphere|add-disc|erase-disc X,Y,Z r=MM"
)


def add_segment_command(application: typer.Typer, common: Shared) -> None:
    """Add the command to the application, its help in the reader's language."""
    language = common.language
    _ = language.say

    @common.describe(
        application,
        "segment",
        _("Outline a lesion from one click, a box or its diameter, correct it by hand, and measure it."),
        epilog="\n".join(
            (
                _("Examples:"),
                f"  bingcheng segment PET/ --at 62,-8.5,804 --out a.dcm --picture a.png  ({_('one click')})",
                f"  bingcheng segment ct.nii.gz --modality CT --at 212,180,64 --voxel --out a.nii.gz  ({_('a voxel')})",
                f"  bingcheng segment MR/ --line 10,-42,30:38,-40,30 --out a.dcm  ({_('its longest diameter')})",
                f"  bingcheng segment CT/ --mask a.dcm --edit 'grow 2' --out b.dcm  ({_('corrections')})",
                f"  bingcheng segment --list --modality PT  ({_('methods, and where each goes wrong')})",
                "",
                _(text("Corrections: {forms}.", forms=FORMS)),
                "",
                _(
                    "Exit codes: 0 done; 2 wrong usage; 3 no lesion could be outlined; 4 image, mask, method or "
                    "outputs can't be used; 70 a fault of the program; 130 stopped."
                ),
            )
        ),
    )
    def segment(
        image: Annotated[
            Path | None,
            typer.Argument(
                metavar=_("IMAGE"), help=_("Folder of a DICOM series, DICOM file, NIfTI, NRRD or MetaImage file.")
            ),
        ] = None,
        at: Annotated[
            list[str] | None,
            typer.Option("--at", metavar="X,Y,Z", help=_("A click in the lesion; repeatable, a lesion each.")),
        ] = None,
        box: Annotated[
            list[str] | None,
            typer.Option("--box", metavar="X,Y,Z:X,Y,Z", help=_("Two opposite corners of a box around it.")),
        ] = None,
        line: Annotated[
            list[str] | None,
            typer.Option("--line", metavar="X,Y,Z:X,Y,Z", help=_("The two ends of its longest diameter.")),
        ] = None,
        ras: Annotated[
            bool, flag("--ras", says=_("Positions are in mm RAS, as 3D Slicer shows them; otherwise LPS, DICOM's."))
        ] = False,
        voxel: Annotated[
            bool, flag("--voxel", says=_("Positions are column, row and slice of the image, counted from 0."))
        ] = False,
        modality: Annotated[
            str | None,
            typer.Option("--modality", metavar="CT|MR|PT", help=_("What a NIfTI image is, which it does not say.")),
        ] = None,
        series: Annotated[
            str | None,
            typer.Option(
                "--series",
                metavar=_("SERIES"),
                help=_("Which image of several: its name or number, as the error says."),
            ),
        ] = None,
        method: Annotated[
            str | None,
            typer.Option("--method", metavar=_("KEY"), help=_("Method to draw with; otherwise the recommended one.")),
        ] = None,
        set_: Annotated[
            list[str] | None,
            typer.Option("--set", metavar=_("NAME=VALUE"), help=_("A parameter of the method; repeatable.")),
        ] = None,
        list_: Annotated[
            bool, flag("--list", says=_("List the methods: what each needs, is good for, and where it goes wrong."))
        ] = False,
        mask: Annotated[
            Path | None,
            typer.Option("--mask", metavar=_("FILE"), help=_("Correct this mask: SEG, RTSTRUCT or NIfTI.")),
        ] = None,
        region: Annotated[
            str | None,
            typer.Option("--region", metavar=_("LABEL"), help=_("Which region of the mask: its number or name.")),
        ] = None,
        edit: Annotated[
            list[str] | None,
            typer.Option("--edit", metavar=_("CORRECTION"), help=_("A correction, see below; in order, repeatable.")),
        ] = None,
        label: Annotated[
            str | None, typer.Option("--label", metavar=_("LABEL"), help=_("Name of the lesion, without patient data."))
        ] = None,
        out: Annotated[
            list[Path] | None,
            typer.Option(
                "--out",
                metavar=_("FILE"),
                help=_("Write a .dcm segmentation (of DICOM), .nii.gz mask or .json record; repeatable."),
            ),
        ] = None,
        picture: Annotated[
            Path | None,
            typer.Option(
                "--picture", metavar=_("FILE"), help=_("Write a .png with the outlines, to check them by eye.")
            ),
        ] = None,
        model: Annotated[
            str | None,
            typer.Option(
                "--model",
                metavar=_("PLUG-IN"),
                help=_("Draw with a network: manifest, MONAI bundle's folder, or a MONAI Label server's address."),
            ),
        ] = None,
        allow_remote: Annotated[
            bool,
            flag("--allow-remote", says=_("Allow the image around the lesion to leave this machine for that server.")),
        ] = False,
        token_file: Annotated[
            Path | None,
            typer.Option("--token-file", metavar=_("FILE"), help=_("File with the token that the server asks for.")),
        ] = None,
        json: Annotated[bool, common.as_json] = False,
    ) -> None:
        from bingcheng.cli.segment import Request, run_segment  # noqa: PLC0415 - heavy, not needed for --help

        request = Request(
            image=image,
            clicks=tuple(at or ()),
            boxes=tuple(box or ()),
            lines=tuple(line or ()),
            ras=ras,
            voxel=voxel,
            modality=modality,
            series=series,
            method=method,
            settings=tuple(set_ or ()),
            list=list_,
            mask=mask,
            region=region,
            edits=tuple(edit or ()),
            label=label,
            out=tuple(out or ()),
            picture=picture,
            model=model,
            allow_remote=allow_remote,
            token_file=token_file,
            json=json,
        )
        common.end(lambda: run_segment(request, language))
