"use strict";
// Key images and charts, wherever they stand: outlines on and off, images enlarged, marks explained.
(() => {
  const root = document.documentElement;
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

  const contours = $("#contours");
  const toggleContours = () => {
    const hidden = root.classList.toggle("no-contours");
    contours.setAttribute("aria-pressed", String(!hidden));
  };
  if (contours) contours.addEventListener("click", toggleContours); // a page without pictures has none

  // Images are enlarged, close up or as the whole field.
  const viewer = $("#viewer"), field = $("#field");
  let close = "";
  const enlarge = (button) => {
    const slice = $("svg.slice", button);
    if (!slice) return;
    const copy = slice.cloneNode(true);
    close = copy.getAttribute("viewBox");
    const figure = button.closest("figure, .shot");
    const caption = figure && $("figcaption, .shot-caption", figure);
    $(".stage", viewer).replaceChildren(copy);
    $(".viewer-caption", viewer).textContent = caption ? caption.innerText.replace(/\n+/g, " · ") : "";
    field.parentElement.hidden = close === copy.dataset.whole;
    field.textContent = field.dataset.whole;
    viewer.showModal();
  };
  field.addEventListener("click", () => {
    const slice = $("svg.slice", viewer);
    const whole = !slice.classList.contains("whole");
    slice.setAttribute("viewBox", whole ? slice.dataset.whole : close);
    slice.classList.toggle("whole", whole);
    field.textContent = whole ? field.dataset.close : field.dataset.whole;
  });
  for (const button of $$(".enlarge")) button.addEventListener("click", () => enlarge(button));
  for (const dialog of $$("dialog")) dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

  // What a mark in a chart means.
  const tip = $("#tip");
  const tell = (event) => {
    const mark = event.target.closest && event.target.closest("[data-tip]");
    tip.hidden = !mark;
    if (!mark) return;
    tip.textContent = mark.dataset.tip;
    const place = mark.getBoundingClientRect(), size = tip.getBoundingClientRect();
    const left = Math.min(Math.max(place.left + place.width / 2 - size.width / 2, 8), innerWidth - size.width - 8);
    const above = place.top - size.height - 8;
    tip.style.left = `${left}px`;
    tip.style.top = `${above > 4 ? above : place.bottom + 8}px`;
  };
  document.addEventListener("pointerover", tell);
  document.addEventListener("focusin", tell);
  document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true, capture: true });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") tip.hidden = true;
    if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    if (event.target.matches("input, select, textarea")) return;
    if (contours && event.key === "c") { event.preventDefault(); toggleContours(); }
  });
})();
