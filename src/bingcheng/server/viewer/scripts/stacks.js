// A series of MR or CT may hold several images of each place: one for each diffusion weighting, echo or phase. By itself
// the viewer takes it for a film, whose times it plays one after the other: what is outlined isn't drawn over it, and
// which weighting is shown is not said. Here each of them is a stack of its own, named by what tells it from the others,
// the lowest weighting first. Very many, as of perfusion, or those within one file, follow one another in one stack.
function standApart(extensionManager) {
  const MOST = 12;
  const FEWEST_PLACES = 3;
  const KINDS = ["MR", "CT"];
  const ORDER = ["TemporalPositionIdentifier", "EchoTime", "TriggerTime", "AcquisitionNumber", "InstanceNumber"];
  const films = extensionManager.getModuleEntry("@ohif/extension-cornerstone.utilityModule.volumeLoader");
  const stacks = extensionManager.getModuleEntry("@ohif/extension-default.sopClassHandlerModule.stack");
  if (!films || !stacks || stacks.standApart) return; // another version of the viewer shows them in its own way
  const whole = stacks.getDisplaySetsFromSeries;
  const film = films.exports.getDynamicVolumeInfo;
  const modality = (id) => (window.cornerstone.metaData.get("instance", id) || {}).Modality;
  const still = (ids) => (KINDS.includes(modality(ids[0])) ? { isDynamicVolume: false, timePoints: [ids] } : film(ids));

  const weighted = (instances) => {
    const groups = new Map(instances.map((one) => [weighting(one), []]));
    instances.forEach((one) => groups.get(weighting(one)).push(one));
    const order = (name) => (/\d/.test(name) ? Number.parseFloat(name.replace("b = ", "")) : Infinity); // ADC is last
    return groups.has("") ? [] : [...groups].sort(([a], [b]) => order(a) - order(b));
  };
  const repeated = (instances) => {
    const places = new Map();
    instances.forEach((one) => {
      const place = JSON.stringify([one.ImagePositionPatient, one.ImageOrientationPatient]);
      places.set(place, [...(places.get(place) || []), one]);
    });
    const [first, ...others] = [...places.values()];
    if (!first[0].ImagePositionPatient || others.some(({ length }) => length !== first.length)) return [];
    if (places.size < FEWEST_PLACES) return []; // contrast that is watched arriving
    const earlier = (a, b) => ORDER.map((key) => (one(a[key]) || 0) - (one(b[key]) || 0)).find(Boolean) || 0;
    places.forEach((place) => place.sort(earlier));
    const groups = first.map((_, at) => [...places.values()].map((place) => place[at]));
    const tell = [
      ([{ EchoTime }]) => said(EchoTime, "TE ", " ms"),
      ([{ ImageType }]) => [].concat(ImageType || []).slice(2).join(" "), // water, fat, in phase, ...
    ].find((tells) => new Set(groups.map(tells)).size === groups.length);
    return groups.map((group, at) => [tell ? tell(group) : `${at + 1}/${groups.length}`, group]);
  };
  const few = (groups) => groups.length > 1 && groups.length <= MOST;
  // Planes are cut only through what is one volume.
  const flat = (set) => {
    const ids = KINDS.includes(set.Modality) && extensionManager.getActiveDataSource()[0].getImageIdsForDisplaySet(set);
    if (ids && film(ids).timePoints.length > 1) set.setAttributes({ isReconstructable: false, countIcon: undefined });
    return set;
  };
  const apart = (instances) => {
    const single = instances.every(({ Modality, NumberOfFrames }) => KINDS.includes(Modality) && !(NumberOfFrames > 1));
    const groups = single ? [weighted, repeated].map((tell) => tell(instances)).find(few) : undefined;
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
