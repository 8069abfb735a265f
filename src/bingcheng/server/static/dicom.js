// How far the sending of an exam is; the page works without it.
"use strict";
/* global attended */
(() => {
  const box = document.querySelector("[data-sendings]");
  if (!box) return;
  const look = async () => {
    let pause = 1500;
    if (!attended()) { setTimeout(look, pause); return; }
    try {
      const answer = await fetch(box.dataset.sendings, { headers: { accept: "application/json" } });
      if (!answer.ok) return;
      const told = await answer.json();
      if (!told.some((one) => one.open)) { location.reload(); return; }
      for (const one of told) {
        const shown = box.querySelector(`[data-sending="${one.number}"]`);
        if (!shown) continue;
        // Why it has to be tried again, and when, stands on the page.
        if (one.later !== ("later" in shown.dataset)) { location.reload(); return; }
        shown.querySelector("[data-says]").textContent = one.says;
        const bar = shown.querySelector("[data-bar]");
        if (bar && one.total) { bar.max = one.total; bar.value = one.done; }
      }
      if (!told.some((one) => one.open && !one.later)) pause = 15000;
    } catch { /* the server is away for a moment: look again */ }
    setTimeout(look, pause);
  };
  setTimeout(look, 1500);
})();
