// Leafing through a series of the quick look: wheel, drag, keys, slider; the next images are asked for ahead.
"use strict";
const AHEAD = 4;

function leaf(stack) {
  const { study, series } = stack.dataset;
  const count = Number(stack.dataset.count);
  const image = stack.querySelector("[data-image]");
  const slide = stack.querySelector("[data-slide]");
  const place = stack.querySelector("[data-place]");
  const windowed = stack.querySelector("[data-window]");
  const outlined = stack.querySelector("[data-outline]");
  const held = new Map();
  let at = Number(slide.value);
  let direction = 1;

  const address = (index) => {
    const asked = new URLSearchParams();
    if (windowed) asked.set("window", windowed.value);
    if (!outlined.checked) asked.set("outline", "false");
    const words = asked.toString();
    return `/quicklook/${study}/${series}/${index}.webp${words ? "?" + words : ""}`;
  };
  const fetched = (index) => {
    const from = address(index);
    if (!held.has(from)) {
      const one = new Image();
      one.src = from;
      held.set(from, one);
      if (held.size > 400) held.delete(held.keys().next().value);
    }
    return held.get(from);
  };
  const show = async () => {
    const wanted = at;
    slide.value = String(wanted);
    place.textContent = String(wanted + 1);
    const one = fetched(wanted);
    try {
      await one.decode();
    } catch (broken) {
      return; // the last image stays
    }
    if (wanted !== at) return;
    image.src = one.src;
    stack.dispatchEvent(new CustomEvent("leafed", { detail: wanted }));
    for (let n = 1; n <= AHEAD; n++) {
      const next = wanted + n * direction;
      if (next >= 0 && next < count) fetched(next);
    }
  };
  const go = (index) => {
    const to = Math.max(0, Math.min(count - 1, index));
    if (to === at) return;
    direction = to > at ? 1 : -1;
    at = to;
    show();
  };

  slide.addEventListener("input", () => go(Number(slide.value)));
  if (windowed) windowed.addEventListener("change", show);
  outlined.addEventListener("change", show);
  image.addEventListener("wheel", (event) => {
    event.preventDefault();
    go(at + Math.sign(event.deltaY));
  }, { passive: false });
  image.addEventListener("dragstart", (event) => event.preventDefault());
  image.addEventListener("pointermove", (event) => {
    if (event.buttons & 1) go(at + Math.sign(event.movementY));
  });
  const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, PageDown: 10, PageUp: -10, Home: -count, End: count };
  stack.addEventListener("keydown", (event) => {
    if (event.target.matches("select, input")) return;
    if (event.key in steps) {
      event.preventDefault();
      go(at + steps[event.key]);
    } else if (event.key === "o") {
      outlined.checked = !outlined.checked;
      show();
    }
  });
  for (const link of document.querySelectorAll("[data-go]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      go(Number(link.dataset.go));
      stack.focus();
    });
  }
}

for (const stack of document.querySelectorAll("[data-stack]")) leaf(stack);
