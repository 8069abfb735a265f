// Lists by keyboard, and the progress of an exam that is being assessed; every page works without it.
"use strict";
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

  const box = document.querySelector("[data-progress]");
  if (!box) return;
  const bar = box.querySelector("[data-bar]");
  const look = async () => {
    try {
      const answer = await fetch(box.dataset.progress, { headers: { accept: "application/json" } });
      if (!answer.ok) return;
      const told = await answer.json();
      if (!told.open) { location.reload(); return; }
      box.querySelector("[data-says]").textContent = told.says;
      box.querySelector("[data-step]").textContent = told.step;
      if (told.total) { bar.max = told.total; bar.value = told.done; } else bar.removeAttribute("value");
    } catch { /* the server is away for a moment: look again */ }
    setTimeout(look, 1500);
  };
  setTimeout(look, 1500);
})();
