// How an image was made stands in its corner, in the units of the standard: an image is compared with another only as far
// as both were made alike. What the headers do not say is left out, save the diffusion weighting, which an image can't be
// read without.
function sayHowMade({ customizationService: customizations, cornerstoneViewportService: panes }) {
  const CORNER = "viewportOverlay.topRight";
  const FIRST = "bingcheng-thickness";
  if ((customizations.getCustomization(CORNER) || []).some(({ id }) => id === FIRST)) return;

  const one = (value) => (Array.isArray(value) ? value[0] : value);
  const said = (value, before, after) =>
    Number.isFinite(one(value)) ? before + Number(one(value).toPrecision(4)) + after : "";
  const weighting = (image) => {
    const kinds = [].concat(image.ImageType || []).map(String);
    if (kinds.some((kind) => kind.includes("ADC"))) return "ADC";
    const given = one(image.DiffusionBValue) ?? (one(image.MRDiffusionSequence) || {}).DiffusionBValue;
    if (given === undefined) return kinds.includes("DIFFUSION") ? "b = ? s/mm²" : "";
    return said(given, "b = ", " s/mm²");
  };
  const lines = {
    thickness: (image) => said(image.SliceThickness, "", " mm"),
    kernel: (image) => (image.Modality === "CT" && one(image.ConvolutionKernel)) || "",
    voltage: (image) => said(image.KVP, "", " kV"),
    weighting: (image) => (image.Modality === "MR" ? weighting(image) : ""),
    repetition: (image) => said(image.RepetitionTime, "TR ", " ms"),
    echo: (image) => said(image.EchoTime, "TE ", " ms"),
    field: (image) => said(image.MagneticFieldStrength, "", " T"),
  };

  // The slice that is shown: of a diffusion series each may have a weighting of its own.
  const shown = ({ viewportId, referenceInstance }) => {
    const pane = panes.getCornerstoneViewport(viewportId);
    const image = pane && pane.getCurrentImageId && pane.getCurrentImageId();
    return (image && window.cornerstone.metaData.get("instance", image)) || referenceInstance;
  };
  const items = Object.entries(lines).map(([name, line]) => ({
    id: "bingcheng-" + name,
    inheritsFrom: "ohif.overlayItem",
    label: "",
    title: "",
    condition: (pane) => Boolean(shown(pane) && line(shown(pane))),
    contentF: (pane) => line(shown(pane)),
  }));
  customizations.setCustomizations({ [CORNER]: { $push: items } });
}
