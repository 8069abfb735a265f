// After a report is saved the lines stay on the image: by itself the viewer takes them off and reads the report anew.
// What was changed of ours is saved as a series of the person's own, of a person's as the next of that series.
function keepLines(services) {
  const { customizationService: customizations, measurementService: measurements, displaySetService: sets } = services;
  const name = "measurement.promptSaveReport";
  const ask = customizations.getCustomization(name);
  if (!ask || ask.bingcheng) return;
  const ours = () =>
    new Set(
      sets
        .getActiveDisplaySets()
        .filter((set) => set.Modality === "SR" && set.instance && set.instance.ManufacturerModelName === "Bingcheng")
        .map((set) => set.instance.imageId)
    );
  const kept = async (managers, context, event) => {
    const made = ours();
    measurements.getMeasurements().forEach((one) => {
      if (made.has(one.predecessorImageId)) one.predecessorImageId = undefined;
    });
    const said = await ask(managers, context, event);
    return said && { ...said, userResponse: 0, isBackupSave: true };
  };
  kept.bingcheng = true;
  customizations.setCustomizations({ [name]: { $set: kept } });
}

// What is drawn and saved goes to the exam that it was drawn on, as its own route takes it, in the name of who is
// signed in. The server is asked first: what it would refuse is refused in words, before anything is sent.
const kept = new WeakSet();
function keepDrawn(extensions) {
  const [source] = extensions.getActiveDataSource();
  if (!source || kept.has(source)) return;
  kept.add(source);
  const send = source.store.dicom;
  const words = (said) => [said.says, said.remedy].filter(Boolean).join(". ") || own.notKept;
  const read = (text) => {
    try {
      return JSON.parse(text);
    } catch (none) {
      return {};
    }
  };
  source.store.dicom = async (dataset, request, described) => {
    const place = own.exams + dataset.StudyInstanceUID + "/drawn";
    const may = await window.fetch(place, { headers: { accept: "application/json" } });
    const said = read(await may.text());
    if (!may.ok) throw new Error(words(said));
    const sending = new XMLHttpRequest();
    const open = sending.open.bind(sending);
    sending.open = (method) => {
      open(method, place, true);
      sending.setRequestHeader("accept", "application/json");
      sending.setRequestHeader("x-csrf-token", said.token);
    };
    try {
      await send(dataset, sending, described);
    } catch (failed) {
      throw new Error(words(read(sending.responseText)));
    }
  };
}
