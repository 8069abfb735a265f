// Leafing through a series of the quick look: wheel, drag, keys, slider; the next images are asked for ahead.
"use strict";
const AHEAD = 4;
const NOTCH_PX = 50; // a wheel turns in notches of 100 pixels or more, the fingers on a pad in single ones
const LINE_PX = 33;

function leaf(stack) {
  const { study, series } = stack.dataset;
  const count = Number(stack.dataset.count);
  const image = stack.querySelector("[data-image]");
  const slide = stack.querySelector("[data-slide]");
  const place = stack.querySelector("[data-place]");
  const windowed = stack.querySelector("[data-window]");
  const outlined = stack.querySelector("[data-outline]");
  const missing = stack.querySelector("[data-missing]");
  const held = new Map();
  let at = Number(slide.value);
  let direction = 1;
  let turned = 0;
  let coming = false;

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
  // The number under the picture is that of the picture: both change together, and neither without the other.
  const put = (index, one) => {
    const said = stack.dataset.words.replace("%n", String(index + 1));
    if (one) image.src = one.src;
    image.alt = said;
    image.classList.toggle("gone", !one);
    missing.hidden = Boolean(one);
    place.textContent = String(index + 1);
    slide.setAttribute("aria-valuetext", said);
    stack.dispatchEvent(new CustomEvent("leafed", { detail: index }));
  };
  // One picture is under way at a time. Who leafs faster than they come sees every one that came, and ends at the last.
  const show = async () => {
    slide.value = String(at);
    if (coming) return;
    coming = true;
    for (let shown = ""; shown !== address(at);) {
      const wanted = at;
      shown = address(wanted);
      const one = fetched(wanted);
      const came = await one.decode().then(() => true, () => false);
      if (!came) held.delete(shown); // the next time it is asked for anew
      if (came || wanted === at) put(wanted, came && one);
    }
    coming = false;
    for (let n = 1; n <= AHEAD; n++) {
      const next = at + n * direction;
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
    const by = event.deltaMode ? event.deltaY * LINE_PX : event.deltaY;
    turned = Math.abs(by) < NOTCH_PX && by * turned >= 0 ? turned + by : by;
    if (Math.abs(turned) < NOTCH_PX) return;
    go(at + Math.sign(turned));
    turned = 0;
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

// Of many series, or lesions, the one that is shown is in sight without the page moving.
for (const one of document.querySelectorAll(".strip [aria-current]")) {
  const strip = one.parentElement;
  strip.scrollTop += one.getBoundingClientRect().top - strip.getBoundingClientRect().top - (strip.clientHeight - one.offsetHeight) / 2;
  strip.scrollLeft += one.getBoundingClientRect().left - strip.getBoundingClientRect().left - (strip.clientWidth - one.offsetWidth) / 2;
}
