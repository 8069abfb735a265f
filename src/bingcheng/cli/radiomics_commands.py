"""The command ``bingcheng radiomics``: what its options mean. What it runs is imported when it runs."""

import os
from pathlib import Path
from typing import Annotated

import typer

from bingcheng.cli.help import unvalued as flag
from bingcheng.cli.options import MOST_WORKERS, Shared


def add_radiomics_command(application: typer.Typer, common: Shared) -> None:
    """Add the command to the application, its help in the reader's language."""
    language = common.language
    _ = language.say

    @common.describe(
        application,
        "radiomics",
        _("Extract radiomics features of lesions by the IBSI's definitions, each with unit and identifier."),
        epilog="\n".join(
            (
                _("Examples:"),
                f"  bingcheng radiomics lung.nii.gz lung_mask.nii.gz --modality CT  ({_('a pair of files')})",
                f"  bingcheng radiomics CT/ seg.dcm --uncertainty --out ct.csv  ({_('DICOM with SEG or RTSTRUCT')})",
                f"  bingcheng radiomics study/ --out all.parquet --wide  ({_('all exams and pairs in a folder')})",
                f"  bingcheng radiomics --write-settings pet.toml --modality PT  ({_('then --settings pet.toml')})",
                f"  bingcheng radiomics CT/ seg.dcm --map cm_contrast_3D_comb  ({_('where in the tumour')})",
                "",
                _(
                    "Exit codes: 0 done; 2 wrong usage; 3 no lesion could be measured; 4 settings or outputs can't be "
                    "used; 70 a fault of the program; 130 stopped."
                ),
            )
        ),
    )
    def radiomics(
        image: Annotated[
            Path | None,
            typer.Argument(
                metavar=_("IMAGE"),
                help=_("NIfTI, NRRD or MetaImage file, DICOM file or folder; or a folder that holds images and masks."),
            ),
        ] = None,
        mask: Annotated[
            Path | None,
            typer.Argument(metavar=_("MASK"), help=_("Label map of such a file, DICOM SEG or RTSTRUCT.")),
        ] = None,
        settings: Annotated[
            Path | None,
            typer.Option(
                "--settings",
                metavar=_("FILE"),
                help=_("Settings in the IBSI's terms (TOML, YAML, JSON), or a parameter file of pyradiomics."),
            ),
        ] = None,
        modality: Annotated[
            str | None,
            typer.Option(
                "--modality",
                metavar="CT|MR|PT",
                help=_("What the image is, where the file does not say it; PT means SUV."),
            ),
        ] = None,
        label: Annotated[
            str | None,
            typer.Option(
                "--label", metavar=_("LABEL"), help=_("Measure this region alone: its value, number or name.")
            ),
        ] = None,
        families: Annotated[
            str | None,
            typer.Option(
                "--families",
                metavar=_("NAMES"),
                help=_("Feature families with commas between, e.g. morphology,statistics; --list names them."),
            ),
        ] = None,
        out: Annotated[
            list[Path] | None,
            typer.Option("--out", metavar=_("FILE"), help=_("Write to a .csv, .parquet or .json file; repeatable.")),
        ] = None,
        wide: Annotated[
            bool, flag("--wide", says=_("One row a lesion in CSV and Parquet, a column a feature."))
        ] = False,
        json: Annotated[bool, common.as_json] = False,
        uncertainty: Annotated[
            bool,
            flag(
                "--uncertainty/--no-uncertainty",
                says=_("Also tell how sure each value is: outline, noise, voxels and bins are perturbed."),
            ),
        ] = False,
        workers: Annotated[
            int,
            typer.Option("--workers", min=1, metavar=_("NUMBER"), help=_("How many lesions to measure at a time.")),
        ] = min(os.cpu_count() or 1, MOST_WORKERS),
        map: Annotated[  # noqa: A002 - the option's name
            str | None,
            typer.Option(
                "--map",
                metavar=_("TAG|FILTER"),
                help=_(
                    "Also map a feature (cm_contrast_3D_comb) or a filter (laplacian_of_gaussian:sigma_mm=3) over "
                    "each lesion."
                ),
            ),
        ] = None,
        map_out: Annotated[
            Path,
            typer.Option(
                "--map-out", metavar=_("FOLDER"), help=_("Where maps go: NIfTI, picture, of DICOM a parametric map.")
            ),
        ] = Path("maps"),
        map_radius: Annotated[
            int,
            typer.Option(
                "--map-radius", min=1, metavar=_("NUMBER"), help=_("Voxels around each one, for maps of features.")
            ),
        ] = 3,
        list_: Annotated[bool, flag("--list", says=_("List all features with tag, identifier and unit."))] = False,
        write_settings: Annotated[
            Path | None,
            typer.Option(
                "--write-settings",
                metavar=_("FILE"),
                help=_("Write a commented settings file for the modality, to begin with."),
            ),
        ] = None,
    ) -> None:
        from bingcheng.cli.radiomics import Request, run_radiomics  # noqa: PLC0415 - heavy, not needed for --help

        request = Request(
            image=image,
            mask=mask,
            settings=settings,
            modality=modality,
            label=label,
            families=families,
            out=tuple(out or ()),
            wide=wide,
            json=json,
            workers=workers,
            uncertainty=uncertainty,
            map=map,
            map_out=map_out,
            map_radius=map_radius,
            list=list_,
            write_settings=write_settings,
        )
        common.end(lambda: run_radiomics(request, language))
