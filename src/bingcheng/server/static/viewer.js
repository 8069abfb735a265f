// Has the browser compile the viewer's program while another page is read, so that the viewer opens sooner, also where
// its address is typed: who does so has signed in before, and that page does the same.
"use strict";
(() => {
  if (!("serviceWorker" in navigator)) return; // a site that is reached without encryption
  const line = navigator.connection;
  if (line && (line.saveData || /^(slow-2g|2g|3g)$/.test(line.effectiveType))) return; // 4 MB that nobody asked for
  const READ_MS = Number(document.currentScript.dataset.after); // who goes on at once needs the processor for that
  const LATEST_MS = 3000;
  const LOOKED = "bingcheng-keeper-looked-for";
  const keep = async () => {
    const keeper = await navigator.serviceWorker.register("/viewer/keeper.js");
    // By itself a browser looks for a newer one when the viewer is opened, which is too late. Once in a tab is enough.
    if (!sessionStorage.getItem(LOOKED)) await keeper.update();
    sessionStorage.setItem(LOOKED, "yes");
  };
  const tried = () => keep().catch(() => {});
  const idle = () => (window.requestIdleCallback ? requestIdleCallback(tried, { timeout: LATEST_MS }) : tried());
  addEventListener("load", () => setTimeout(idle, READ_MS));
})();
