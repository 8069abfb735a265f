"use strict";

window.config = CONFIGURATION;

(function (config) {
  const own = config.bingcheng;

  try {
    window.localStorage.setItem("i18nextLng", own.language);
  } catch (refused) {
    // Without storage the viewer takes the browser's language.
  }

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

  // Lays the segmentations of a series over it when it is first shown: the newest of Bingcheng's own where there is
  // one, because it holds all lesions, else all there are. Then goes to the first lesion.
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

    const age = (set) => String(set.instance.ContentDate || "") + String(set.instance.ContentTime || "");
    const wanted = (shown) => {
      const about = sets
        .getActiveDisplaySets()
        .filter((set) => set.Modality === "SEG" && set.referencedDisplaySetInstanceUID === shown);
      const ours = about.filter((set) => set.instance && set.instance.ManufacturerModelName === "Bingcheng");
      return ours.length ? [ours.reduce((a, b) => (age(b) > age(a) ? b : a))] : about;
    };
    const go = (viewportId, tries) => {
      if (measurements.getMeasurements().length) return; // the reader is where they are drawn
      const [first] = segmentations.getSegmentationRepresentations(viewportId);
      const known = first && segmentations.getSegmentation(first.segmentationId);
      const segment = known && Object.values(known.segments)[0];
      if (segment && segment.cachedStats && segment.cachedStats.center) {
        segmentations.jumpToSegmentCenter(first.segmentationId, segment.segmentIndex, viewportId, 0.9, false);
      } else if (tries > 0) {
        window.setTimeout(() => go(viewportId, tries - 1), 250);
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
      } else if (over.length && !asked && !gone.has(viewportId)) {
        gone.add(viewportId);
        go(viewportId, 60);
      }
    };
    return [panes.subscribe(panes.EVENTS.VIEWPORT_DATA_CHANGED, lay)];
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
    onModeEnter: ({ servicesManager, commandsManager }) => {
      const fused = window.location.pathname.endsWith("/tmtv"); // there lesions are outlined anew
      if (!fused) subscriptions = layOver(servicesManager.services, commandsManager);
      if (window.innerWidth < 700) subscriptions.push(makeRoom(servicesManager.services));
    },
    onModeExit: () => {
      subscriptions.forEach(({ unsubscribe }) => unsubscribe());
      subscriptions = [];
    },
  });
})(window.config);
