"use strict";

window.config = CONFIGURATION;

(function (config) {
  const own = config.bingcheng;

  try {
    window.localStorage.setItem("i18nextLng", own.language);
  } catch (refused) {
    // Without storage the viewer takes the browser's language.
  }

  // The one mode that the address names: each that is loaded is waited for before anything is shown.
  const mode = own.modes[window.location.pathname.split("/").pop()];
  config.modes = mode ? [mode] : Object.values(own.modes);

  // Back to Bingcheng, in place of the viewer's own name.
  config.whiteLabeling = {
    createLogoComponentFn: (React) =>
      React.createElement(
        "a",
        { href: own.home, title: own.back, className: "text-foreground mx-2 whitespace-nowrap text-base" },
        window.innerWidth < 700 ? "←" : own.back
      ),
  };

  // Signed out meanwhile: sign in again, and come back here.
  config.httpErrorHandler = (error) => {
    if (error && error.status === 401) {
      window.location.assign(own.signIn + encodeURIComponent(window.location.pathname + window.location.search));
    }
  };

  // An image that can't be shown is told in words, once a study; by itself the viewer says that something went wrong,
  // and to try again. Whoever was signed out meanwhile signs in again.
  const ofAnImage = /\/frames\/\d+|decodeTask/;
  const words = (error) => String((error && error.message) || error);
  window.addEventListener("unhandledrejection", (event) => {
    if (!ofAnImage.test(words(event.reason))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  });
  function tellOfImages({ uiNotificationService: notices }) {
    const { eventTarget, Enums } = window.cornerstone;
    let told = false;
    const tell = ({ detail }) => {
      if (/ status 401\b/.test(words(detail.error))) config.httpErrorHandler({ status: 401 });
      if (told) return;
      told = true;
      notices.show({ title: own.notShown, message: own.whyNotShown, type: "warning", duration: 15000 });
    };
    const events = [Enums.Events.IMAGE_LOAD_FAILED, Enums.Events.IMAGE_LOAD_ERROR];
    events.forEach((name) => eventTarget.addEventListener(name, tell));
    return { unsubscribe: () => events.forEach((name) => eventTarget.removeEventListener(name, tell)) };
  }

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

  // Once an image is seen the browser compiles the program for the next time, and keeps it. (Not where the site is
  // reached without encryption: there browsers have no such keeper.)
  function keepProgram({ cornerstoneViewportService: panes }) {
    const LOOKED_MS = 500;
    const seen = panes.subscribe(panes.EVENTS.VIEWPORT_DATA_CHANGED, () => {
      seen.unsubscribe();
      if (!("serviceWorker" in navigator)) return;
      window.setTimeout(() => navigator.serviceWorker.register(own.keeper).catch(() => {}), LOOKED_MS);
    });
    return seen;
  }

  // On a telephone the image gets the room; the series are one tap away.
  function makeRoom({ panelService: panels, cornerstoneViewportService: panes }) {
    const first = panes.subscribe(panes.EVENTS.VIEWPORT_DATA_CHANGED, () => {
      first.unsubscribe();
      panels._broadcastEvent(panels.EVENTS.PANELS_CHANGED, { options: { leftPanelClosed: true } });
    });
    return first;
  }

  let subscriptions = [];
  config.extensions.push({
    id: "bingcheng",
    preRegistration: () => {
      const cornerstone = window.cornerstone;
      const now = cornerstone.getConfiguration();
      // Each drawing context takes a fifth of a second to make where there is no graphics processor.
      const slow = cornerstone.getRenderingCapabilities && cornerstone.getRenderingCapabilities().softwareRasterizer;
      cornerstone.setConfiguration({
        ...now,
        rendering: { ...now.rendering, webGlContextCount: slow ? 1 : own.contexts },
      });
    },
    onModeEnter: ({ servicesManager, commandsManager, extensionManager }) => {
      keepDrawn(extensionManager);
      keepLines(servicesManager.services);
      const fused = window.location.pathname.endsWith("/tmtv"); // there lesions are outlined anew
      if (!fused) subscriptions = layOver(servicesManager.services, commandsManager);
      subscriptions.push(tellOfImages(servicesManager.services), keepProgram(servicesManager.services), drawForgotten());
      if (window.innerWidth < 700) subscriptions.push(makeRoom(servicesManager.services));
    },
    onModeExit: () => {
      subscriptions.forEach(({ unsubscribe }) => unsubscribe());
      subscriptions = [];
    },
  });
})(window.config);
