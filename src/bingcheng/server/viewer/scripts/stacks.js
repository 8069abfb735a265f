// An MR series may hold several images of each place: one for each diffusion weighting, echo or phase. By itself the
// viewer takes such a series for a film, whose times it plays one after the other: what is outlined isn't drawn over it,
// and which weighting is shown is not said. Here each of them is a stack of its own, named by what tells it from the
// others, the lowest weighting first. Very many, as of perfusion, or those within one file, are one stack after another.
function standApart(extensionManager) {
  const MOST = 12;
  const films = extensionManager.getModuleEntry("@ohif/extension-cornerstone.utilityModule.volumeLoader");
  const stacks = extensionManager.getModuleEntry("@ohif/extension-default.sopClassHandlerModule.stack");
  if (!films || !stacks || stacks.standApart) return; // another version of the viewer shows them in its own way
  const whole = stacks.getDisplaySetsFromSeries;
  const film = films.exports.getDynamicVolumeInfo;
  const modality = (id) => (window.cornerstone.metaData.get("instance", id) || {}).Modality;
  const still = (ids) => (modality(ids[0]) === "MR" ? { isDynamicVolume: false, timePoints: [ids] } : film(ids));

  const weighted = (instances) => {
    const groups = new Map(instances.map((one) => [weighting(one), []]));
    instances.forEach((one) => groups.get(weighting(one)).push(one));
    const order = (name) => (/\d/.test(name) ? Number.parseFloat(name.replace("b = ", "")) : Infinity); // ADC is last
    return groups.has("") ? [] : [...groups].sort(([a], [b]) => order(a) - order(b));
  };
  const timed = (instances) => {
    const { timePoints } = film(instances.map(({ imageId }) => imageId));
    const byId = new Map(instances.map((one) => [one.imageId, one]));
    const groups = timePoints.map((ids) => ids.map((id) => byId.get(id)));
    const echo = ([{ EchoTime }]) => said(EchoTime, "TE ", " ms");
    const echoes = new Set(groups.map(echo)).size === groups.length;
    return groups.map((group, at) => [echoes ? echo(group) : `${at + 1}/${groups.length}`, group]);
  };
  const few = (groups) => groups.length > 1 && groups.length <= MOST;
  // Planes are cut only through what is one volume.
  const flat = (set) => {
    const ids = set.Modality === "MR" && extensionManager.getActiveDataSource()[0].getImageIdsForDisplaySet(set);
    if (ids && film(ids).timePoints.length > 1) set.setAttributes({ isReconstructable: false, countIcon: undefined });
    return set;
  };
  const apart = (instances) => {
    const single = instances.every(({ Modality, NumberOfFrames }) => Modality === "MR" && !(NumberOfFrames > 1));
    const groups = single ? [weighted, timed].map((tell) => tell(instances)).find(few) : undefined;
    if (!groups) return whole(instances).map(flat);
    return groups.flatMap(([name, group]) => {
      const sets = whole(group);
      sets.forEach((set) =>
        set.setAttributes({
          SeriesDescription: [name, set.SeriesDescription].filter(Boolean).join(" · "),
          label: `${name} · ${set.label}`,
        })
      );
      return sets;
    });
  };
  films.exports.getDynamicVolumeInfo = still;
  Object.assign(stacks, { getDisplaySetsFromSeries: apart, standApart: true });
}
