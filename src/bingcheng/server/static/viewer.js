// Has the browser compile the viewer's program while a page with images is read, so that the viewer opens sooner.
"use strict";
(() => {
  if (!("serviceWorker" in navigator)) return; // a site that is reached without encryption
  const READ_MS = 1500; // who goes on to the viewer at once needs the processor for that
  const keep = () => navigator.serviceWorker.register("/viewer/keeper.js").catch(() => {});
  addEventListener("load", () => setTimeout(keep, READ_MS));
})();
