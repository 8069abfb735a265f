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
