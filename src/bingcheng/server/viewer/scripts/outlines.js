// Lays what is outlined on a series over it when it is first shown: the newest segmentation of Bingcheng's own where
// there is one, because it holds all lesions, else all segmentations and contours. Then goes to the first lesion.
const OUTLINED = ["SEG", "RTSTRUCT"];
function layOver(services, commands) {
  const {
    viewportGridService: grid,
    displaySetService: sets,
    cornerstoneViewportService: panes,
    segmentationService: segmentations,
    measurementService: measurements,
  } = services;
  const done = new Set();
  const gone = new Set();
  const asked = new URLSearchParams(window.location.search).has("initialSOPInstanceUID");
  const draw = drawReports(services, commands);

  const age = (set) => String(set.instance.ContentDate || "") + String(set.instance.ContentTime || "");
  const wanted = (shown) => {
    const about = sets
      .getActiveDisplaySets()
      .filter((set) => OUTLINED.includes(set.Modality) && set.referencedDisplaySetInstanceUID === shown);
    const ours = about.filter(
      (set) => set.Modality === "SEG" && set.instance && set.instance.ManufacturerModelName === "Bingcheng"
    );
    return ours.length ? [ours.reduce((a, b) => (age(b) > age(a) ? b : a))] : about;
  };
  const go = (viewportId, shown, tries) => {
    const line = measurements.getMeasurements().find((one) => one.displaySetInstanceUID === shown);
    if (line) {
      measurements.jumpToMeasurement(viewportId, line.uid);
      return;
    }
    const [first] = segmentations.getSegmentationRepresentations(viewportId);
    const known = first && segmentations.getSegmentation(first.segmentationId);
    const segment = known && Object.values(known.segments)[0];
    if (segment && segment.cachedStats && segment.cachedStats.center) {
      segmentations.jumpToSegmentCenter(first.segmentationId, segment.segmentIndex, viewportId, 0.9, false);
    } else if (tries > 0) {
      window.setTimeout(() => go(viewportId, shown, tries - 1), 250);
    }
  };
  const lay = ({ viewportId }) => {
    const [shown, ...over] = grid.getDisplaySetsUIDsForViewport(viewportId) || [];
    const next = wanted(shown)
      .map((set) => set.displaySetInstanceUID)
      .find((uid) => !over.includes(uid) && !done.has(viewportId + uid));
    if (next) {
      done.add(viewportId + next);
      commands.runCommand("addDisplaySetAsLayer", { viewportId, displaySetInstanceUID: next });
      return;
    }
    draw().then(() => {
      if (asked || gone.has(viewportId)) return;
      gone.add(viewportId);
      go(viewportId, shown, over.length ? 60 : 0);
    });
  };
  return [
    panes.subscribe(panes.EVENTS.VIEWPORT_DATA_CHANGED, lay),
    sets.subscribe(sets.EVENTS.DISPLAY_SETS_ADDED, draw), // a report that comes after the images
  ];
}

// Of two segmentations that come to two panes at once the viewer sometimes forgets to draw the second: it then stands
// there without its colours, black over what it outlines. What was not drawn in time is drawn again.
function drawForgotten() {
  const { eventTarget } = window.cornerstone;
  const { Enums, segmentation } = window.cornerstoneTools;
  const { SEGMENTATION_REPRESENTATION_MODIFIED: CAME, SEGMENTATION_RENDERED: DRAWN } = Enums.Events;
  const WAIT_MS = 500;
  const MOST = 20;
  const drawn = new Set();
  const awaited = new Set();
  const keyOf = ({ viewportId, segmentationId }) => viewportId + " " + segmentationId;
  const look = (one, tries) => {
    if (drawn.has(keyOf(one)) || tries === 0) return;
    segmentation.triggerSegmentationEvents.triggerSegmentationRepresentationModified(one.viewportId, one.segmentationId);
    window.setTimeout(look, WAIT_MS, one, tries - 1);
  };
  const came = ({ detail }) => {
    if (!detail.viewportId || !detail.segmentationId || awaited.has(keyOf(detail))) return;
    awaited.add(keyOf(detail));
    window.setTimeout(look, WAIT_MS, { ...detail }, MOST);
  };
  const told = ({ detail }) => drawn.add(keyOf(detail));
  eventTarget.addEventListener(CAME, came);
  eventTarget.addEventListener(DRAWN, told);
  return {
    unsubscribe: () => {
      eventTarget.removeEventListener(CAME, came);
      eventTarget.removeEventListener(DRAWN, told);
    },
  };
}
