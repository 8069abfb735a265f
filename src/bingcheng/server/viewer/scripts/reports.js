// Draws the measurements that the shown studies hold as reports, ours and what people saved, of each series the newest.
// A report that somebody saved holds all lines that were on the images then: those that are drawn already are left out.
const NEAR_MM = 0.1;
function drawReports(services, commands) {
  const { displaySetService: sets, viewportGridService: grid, measurementService: measurements } = services;
  const done = new Set();
  const tracked = new Map();
  const stored = /^wadors:/; // as the server gave it; what was just saved here is on the image already

  const shownStudies = () =>
    new Set(
      [...grid.getState().viewports.values()]
        .flatMap((pane) => pane.displaySetInstanceUIDs || [])
        .map((uid) => (sets.getDisplaySetByUID(uid) || {}).StudyInstanceUID)
    );
  const when = (set) => String(set.instance.ContentDate || "") + String(set.instance.ContentTime || "");
  const waiting = () => {
    const studies = shownStudies();
    return sets
      .getActiveDisplaySets()
      .filter((set) => set.Modality === "SR" && set.load && set.instance && studies.has(set.StudyInstanceUID))
      .filter((set) => !set.isHydrated && !done.has(set.displaySetInstanceUID))
      .filter((set) => stored.test(set.predecessorImageId || ""))
      .sort((a, b) => (when(a) < when(b) ? -1 : 1));
  };
  const same = (a, b) =>
    a.toolName === b.toolName &&
    a.displaySetInstanceUID === b.displaySetInstanceUID &&
    (a.points || []).length === (b.points || []).length &&
    (a.points || []).every((point, n) => Math.hypot(...point.map((part, axis) => part - b.points[n][axis])) < NEAR_MM);
  const drawn = async (set) => {
    await set.load();
    if (!set.isRehydratable || set.isHydrated) return;
    const before = [...measurements.getMeasurements()];
    const { StudyInstanceUID: study, SeriesInstanceUIDs: series } = commands.runCommand("hydrateStructuredReport", {
      displaySetInstanceUID: set.displaySetInstanceUID,
    });
    measurements
      .getMeasurements()
      .filter((one) => !before.some((other) => other.uid === one.uid) && before.some((other) => same(one, other)))
      .forEach((one) => measurements.remove(one.uid));
    tracked.set(study, new Set([...(tracked.get(study) || []), ...series]));
    commands.runCommand("restoreTrackedSeries", {
      StudyInstanceUID: study,
      SeriesInstanceUIDs: [...tracked.get(study)],
    });
  };
  return async () => {
    for (const set of waiting()) {
      done.add(set.displaySetInstanceUID);
      try {
        await drawn(set);
      } catch (failed) {
        console.warn("a report could not be drawn", failed); // it can still be opened by hand
      }
    }
  };
}
