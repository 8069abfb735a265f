// What an image's headers say of how it was made, in the units of the standard; nothing where they don't.
const one = (value) => (Array.isArray(value) ? value[0] : value);
const said = (value, before, after, least = Number.MIN_VALUE) =>
  Number.isFinite(one(value)) && one(value) >= least ? before + Number(one(value).toPrecision(4)) + after : "";

// Most vendors keep the b-value in a group of their own, in the block that they reserved (PS3.5 7.8.1). Some systems pass
// it on as bytes, because they don't know its type.
const B_VALUES = [
  { group: "0019", creator: "SIEMENS MR HEADER", element: "0C" },
  { group: "0043", creator: "GEMS_PARM_01", element: "39" },
  { group: "2001", creator: "Philips Imaging DD 001", element: "03", binary: "getFloat32" },
  { group: "0065", creator: "Image Private Header", element: "09", binary: "getFloat64" },
];
const GE_OFFSET = 1e9; // added by GE, with counts in the digits above 1e5
const unpacked = (value, binary) => {
  if (!value || value.InlineBinary === undefined) return value;
  const bytes = window.atob(String(one(value.InlineBinary)));
  if (!binary) return bytes.split("\\")[0].trim();
  return new DataView(Uint8Array.from(bytes, (letter) => letter.charCodeAt(0)).buffer)[binary](0, true);
};
const privately = (image) => {
  for (const { group, creator, element, binary } of B_VALUES) {
    const reserved = Object.keys(image).find((key) => key.startsWith(group + "00") && image[key] === creator);
    const value = reserved && one(unpacked(image[group + reserved.slice(6) + element], binary));
    const number = ["", undefined, null].includes(value) ? NaN : Number(value);
    if (number >= 0) return number >= GE_OFFSET ? number % 1e5 : number;
  }
  return undefined;
};
const weighting = (image) => {
  const kinds = [].concat(image.ImageType || []).map(String);
  if (kinds.some((kind) => kind.includes("ADC"))) return "ADC";
  const publicly = one(image.DiffusionBValue) ?? (one(image.MRDiffusionSequence) || {}).DiffusionBValue;
  const given = publicly ?? privately(image);
  if (given === undefined) return kinds.includes("DIFFUSION") ? "b = ? s/mm²" : "";
  return said(given, "b = ", " s/mm²", 0);
};

// How an image was made stands in its corner, in the units of the standard: an image is compared with another only as far
// as both were made alike. What the headers do not say is left out, save the diffusion weighting, which an image can't be
// read without.
function sayHowMade({ customizationService: customizations, cornerstoneViewportService: panes }) {
  const CORNER = "viewportOverlay.topRight";
  const FIRST = "bingcheng-thickness";
  if ((customizations.getCustomization(CORNER) || []).some(({ id }) => id === FIRST)) return;

  const GAUSS = 100; // some older scanners tell the field in gauss
  const lines = {
    thickness: (image) => said(image.SliceThickness, "", " mm"),
    kernel: (image) => (image.Modality === "CT" && one(image.ConvolutionKernel)) || "",
    voltage: (image) => said(image.KVP, "", " kV"),
    weighting: (image) => (image.Modality === "MR" ? weighting(image) : ""),
    phase: (image) =>
      image.NumberOfTemporalPositions > 1 && image.TemporalPositionIdentifier > 0
        ? `${image.TemporalPositionIdentifier}/${image.NumberOfTemporalPositions}`
        : "",
    repetition: (image) => said(image.RepetitionTime, "TR ", " ms"),
    echo: (image) => said(image.EchoTime, "TE ", " ms"),
    field: ({ MagneticFieldStrength: given }) => said(given >= GAUSS ? given / 1e4 : given, "", " T"),
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
