// Lists by keyboard, and the progress of an exam that is being assessed; every page works without it.
"use strict";
/* global attended */
(() => {
  const rows = [...document.querySelectorAll("[data-rows] [data-row]")];
  const search = document.querySelector("[data-search]");
  const move = (by) => {
    const at = rows.indexOf(document.activeElement);
    const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1)];
    if (next) next.focus();
  };
  const follow = (rel) => { const link = document.querySelector(`a[rel="${rel}"]`); if (link) link.click(); };
  const keys = {
    j: () => move(1), k: () => move(-1), ArrowLeft: () => follow("prev"), ArrowRight: () => follow("next"),
    "/": () => { if (search) { search.focus(); search.select(); } },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.matches("input, select, textarea")) return;
    const act = Object.hasOwn(keys, event.key) && keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });

  // Asks again and again, less often the longer nothing moves.
  const watch = (address, heard) => {
    let wait = 1500, last = "";
    const look = async () => {
      if (!attended()) { setTimeout(look, wait); return; }
      try {
        const answer = await fetch(address, { headers: { accept: "application/json" } });
        if (!answer.ok) return;
        const words = await answer.text();
        wait = words === last ? Math.min(wait * 1.3, 15000) : 1500;
        last = words;
        if (!heard(JSON.parse(words))) return;
      } catch { /* the server is away for a moment: look again */ }
      setTimeout(look, wait);
    };
    setTimeout(look, wait);
  };

  const box = document.querySelector("[data-progress]");
  if (box) {
    const bar = box.querySelector("[data-bar]"), says = box.querySelector("[data-says]");
    const images = box.querySelector("[data-images]");
    watch(box.dataset.progress, (told) => {
      if (!told.open) { location.reload(); return false; }
      if (says.textContent !== told.says) says.textContent = told.says;
      box.querySelector("[data-step]").textContent = told.step;
      if (images) images.textContent = told.images;
      for (const one of box.querySelectorAll("[data-stage]")) {
        if (one.dataset.stage === told.stage) one.setAttribute("aria-current", "step"); else one.removeAttribute("aria-current");
      }
      if (told.total) { bar.max = told.total; bar.value = told.done; } else bar.removeAttribute("value");
      return true;
    });
  }

  // The list says when it is no longer what is shown; it is not changed under the reader's hand.
  const busy = document.querySelector("[data-busy]");
  if (busy) {
    const shown = busy.dataset.state;
    watch(busy.dataset.busy, (told) => {
      busy.querySelector("[data-says]").textContent = told.says;
      busy.hidden = !told.says && told.state === shown;
      busy.querySelector("[data-again]").hidden = told.state === shown;
      return true;
    });
  }
})();
