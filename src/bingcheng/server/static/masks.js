"use strict";
// Regions drawn on a picture instead of being written as numbers. The numbers stay what is sent: each change writes them,
// and what is written there is drawn.
(() => {
  const EDGES = [["left", "top"], ["right", "top"], ["right", "bottom"], ["left", "bottom"]];
  const CLICK_PX = 4, HUNDREDTH = 0.01, FINEST = 1, MOST_LARGE = 8, LEAF_MS = 80;
  const keep = `masks ${document.body.dataset.person} ${location.pathname}`; // the next person at this window sees none of it
  // What was drawn and not yet decided, until the tab is closed: numbers of pixels, by how the picture stood.
  const drafts = (() => { try { return JSON.parse(sessionStorage.getItem(keep)) || {}; } catch { return {}; } })();
  const standings = new Set([...document.querySelectorAll("[data-masking]")].map((one) => one.dataset.standing));
  for (const one of Object.keys(drafts)) if (!standings.has(one)) delete drafts[one];
  const keepDrafts = () => { try { sessionStorage.setItem(keep, JSON.stringify(drafts)); } catch { /* it is not kept then */ } };

  const read = (words) => words.split(/[\n;]/).map((line) => /^[\s,，]*(\d{1,6})[\s,，]+(\d{1,6})[\s,，]+(\d{1,6})[\s,，]+(\d{1,6})[\s,，]*$/.exec(line))
    .filter(Boolean).map((found) => found.slice(1).map(Number)).filter((one) => one[2] && one[3]).map(([x, y, width, height]) => ({ x, y, width, height }));
  const written = (masks) => masks.map((one) => `${one.x}, ${one.y}, ${one.width}, ${one.height}`).join("\n");
  const between = (low, value, high) => Math.max(low, Math.min(high, value));

  for (const box of document.querySelectorAll("[data-masking]")) {
    const of = (name) => box.querySelector(`[data-${name}]`);
    const area = box.closest(".picture").querySelector("[data-regions]");
    const room = of("room"), plate = of("plate"), image = of("frame"), said = of("said");
    const { standing, regionWords, newWords, goneWords, fullWords } = box.dataset;
    let larger = 1;

    // Frames, and how large they are shown.
    const slide = of("frame-slide"), frameWords = of("frame-words");
    let leafing = 0;
    const leaf = () => {
      const at = Number(slide.value);
      frameWords.textContent = at > 0 ? frameWords.dataset.oneWords.replace("%n", at) : at ? frameWords.dataset.darkWords : frameWords.dataset.allWords;
      for (const one of box.querySelectorAll("[data-step]")) one.disabled = at === Number(Number(one.dataset.step) < 0 ? slide.min : slide.max);
      clearTimeout(leafing);
      leafing = setTimeout(() => { image.src = box.dataset.masking + (at > 0 ? at : at ? "darkest" : "all"); }, LEAF_MS);
    };
    const step = (by) => { if (slide) { slide.value = Number(slide.value) + by; leaf(); } };
    slide?.addEventListener("input", leaf);
    for (const one of box.querySelectorAll("[data-step]")) one.addEventListener("click", () => step(Number(one.dataset.step)));
    const seen = (whether) => { of("unseen").hidden = whether; box.classList.toggle("unseen", !whether); };
    image.addEventListener("error", () => seen(false));
    image.addEventListener("load", () => seen(true));
    if (image.complete && !image.naturalWidth) image.src = image.getAttribute("src"); // it failed before anybody listened
    const enlarge = (by) => {
      const middle = [(room.scrollLeft + room.clientWidth / 2) / room.scrollWidth, (room.scrollTop + room.clientHeight / 2) / room.scrollHeight];
      larger = between(1, larger * by, MOST_LARGE);
      plate.style.width = `${100 * larger}%`;
      room.scrollTo(middle[0] * room.scrollWidth - room.clientWidth / 2, middle[1] * room.scrollHeight - room.clientHeight / 2);
      of("smaller").disabled = larger === 1;
      of("larger").disabled = larger === MOST_LARGE;
    };
    of("larger").addEventListener("click", () => enlarge(2));
    of("smaller").addEventListener("click", () => enlarge(0.5));
    room.addEventListener("keydown", (event) => {
      if (event.key !== "PageUp" && event.key !== "PageDown") return;
      event.preventDefault();
      step(event.key === "PageUp" ? -1 : 1);
    });
    if (!area) continue;

    // The regions, and what they were before.
    const past = [], future = [];
    if (!("sent" in box.dataset) && standing in drafts) area.value = drafts[standing];
    let masks = read(area.value), kept = written(masks), chosen = -1;
    const size = () => ({ x: Number(image.getAttribute("width")) || image.naturalWidth, y: Number(image.getAttribute("height")) || image.naturalHeight });
    const worded = (words, at) => {
      const one = masks[at];
      return words.replace("%n", at + 1).replace("%x", one.x).replace("%y", one.y).replace("%w", one.width).replace("%h", one.height);
    };
    const inside = (one) => {
      const { x, y } = size(), left = between(0, one.x, x - 1), top = between(0, one.y, y - 1);
      return { x: left, y: top, width: between(1, one.width, x - left), height: between(1, one.height, y - top) };
    };
    const draw = () => {
      const { x, y } = size(), shown = [...plate.querySelectorAll(".mask")];
      shown.slice(masks.length).forEach((one) => one.remove());
      masks.forEach((one, at) => {
        let drawn = shown[at];
        if (!drawn) {
          drawn = document.createElement("div");
          drawn.className = "mask";
          drawn.tabIndex = 0;
          drawn.setAttribute("role", "group");
          for (const edges of EDGES) {
            const corner = document.createElement("span");
            corner.className = `corner ${edges.join(" ")}`;
            corner.dataset.edges = edges.join(" ");
            drawn.append(corner);
          }
          plate.append(drawn);
        }
        Object.assign(drawn.style, { left: `${100 * one.x / x}%`, top: `${100 * one.y / y}%`, width: `${100 * one.width / x}%`, height: `${100 * one.height / y}%` });
        drawn.setAttribute("aria-label", worded(regionWords, at));
        drawn.classList.toggle("chosen", at === chosen);
      });
      of("undo").disabled = !past.length;
      of("redo").disabled = !future.length;
      of("remove").disabled = chosen < 0;
    };
    const choose = (at, focus = true) => {
      chosen = at;
      draw();
      if (focus) (at < 0 ? room : plate.querySelectorAll(".mask")[at]).focus({ preventScroll: true });
    };
    const note = () => {
      const now = written(masks);
      if (now === kept) return;
      past.push(kept);
      future.length = 0;
      put(now);
    };
    const put = (words) => {
      kept = area.value = words;
      drafts[standing] = words;
      keepDrafts();
      draw();
    };
    const back = (from, to) => {
      if (!from.length) return;
      to.push(kept);
      const words = from.pop();
      masks = read(words);
      chosen = Math.min(chosen, masks.length - 1);
      put(words);
      if (document.activeElement?.disabled || document.activeElement === document.body) room.focus({ preventScroll: true });
    };
    const fits = (one) => {
      if (written([...masks, one]).length <= area.maxLength) return true;
      said.textContent = fullWords;
      return false;
    };
    const add = () => {
      const { x, y } = size(), shown = room.getBoundingClientRect(), drawn = image.getBoundingClientRect();
      // In the middle of what is seen of it.
      const middle = (low, high, from, length, count) => Math.round(count * between(0, ((Math.max(low, from) + Math.min(high, from + length)) / 2 - from) / length, 1));
      const at = [middle(shown.left, shown.right, drawn.left, drawn.width, x), middle(Math.max(0, shown.top), Math.min(innerHeight, shown.bottom), drawn.top, drawn.height, y)];
      const width = Math.max(2, Math.round(x / 4 / larger)), height = Math.max(2, Math.round(y / 10 / larger));
      const one = inside({ x: Math.max(0, at[0] - Math.round(width / 2)), y: Math.max(0, at[1] - Math.round(height / 2)), width, height });
      if (!fits(one)) return;
      masks = [...masks, one];
      choose(masks.length - 1);
      note();
      said.textContent = worded(newWords, chosen);
    };
    const remove = () => {
      if (chosen < 0) return;
      const gone = chosen;
      masks = masks.filter((_, at) => at !== gone);
      choose(Math.min(gone, masks.length - 1));
      note();
      said.textContent = goneWords.replace("%n", gone + 1);
    };
    const change = (at, one) => { masks = masks.map((other, place) => (place === at ? inside(one) : other)); draw(); };

    // By mouse, pen and finger. A finger draws only when it is asked to: else it scrolls the page.
    const finger = of("finger");
    box.classList.toggle("touched", navigator.maxTouchPoints > 0); // media queries don't tell it of every device
    finger.addEventListener("click", () => {
      const draws = finger.getAttribute("aria-pressed") !== "true";
      finger.setAttribute("aria-pressed", draws);
      room.classList.toggle("by-finger", draws);
    });
    const solid = of("solid");
    solid.addEventListener("click", () => {
      const shown = solid.getAttribute("aria-pressed") !== "true";
      solid.setAttribute("aria-pressed", shown);
      plate.classList.toggle("solid", shown);
    });
    let pull = null;
    const place = (event) => {
      const drawn = image.getBoundingClientRect(), { x, y } = size();
      return [(event.clientX - drawn.left) / drawn.width * x, (event.clientY - drawn.top) / drawn.height * y];
    };
    const spanned = ([x1, y1], [x2, y2]) => {
      const { x, y } = size(), left = Math.floor(between(0, Math.min(x1, x2), x - 1)), top = Math.floor(between(0, Math.min(y1, y2), y - 1));
      return { x: left, y: top, width: Math.ceil(between(left + 1, Math.max(x1, x2), x)) - left, height: Math.ceil(between(top + 1, Math.max(y1, y2), y)) - top };
    };
    const pulled = (one, edges, right, down) => {
      if (!edges) { // moved whole: it stops at the edge instead of becoming smaller
        const { x, y } = size();
        return { ...one, x: between(0, one.x + right, x - one.width), y: between(0, one.y + down, y - one.height) };
      }
      const at = { left: one.x, top: one.y, right: one.x + one.width, bottom: one.y + one.height };
      for (const edge of edges.split(" ")) at[edge] += edge === "left" || edge === "right" ? right : down;
      return spanned([at.left, at.top], [at.right, at.bottom]);
    };
    room.addEventListener("pointerdown", (event) => {
      if (event.button || pull || event.target === room) return;
      const mask = event.target.closest(".mask");
      if (!mask && event.pointerType === "touch" && !room.classList.contains("by-finger")) return;
      if (!mask && written(masks).length + 30 > area.maxLength) { said.textContent = fullWords; return; }
      event.preventDefault();
      room.setPointerCapture(event.pointerId);
      const from = place(event), before = masks;
      if (mask) {
        choose([...plate.querySelectorAll(".mask")].indexOf(mask));
        pull = { id: event.pointerId, from, before, at: chosen, one: masks[chosen], edges: event.target.dataset.edges };
      } else pull = { id: event.pointerId, from, before, at: -1, seen: [event.clientX, event.clientY] };
    });
    room.addEventListener("pointermove", (event) => {
      if (!pull || event.pointerId !== pull.id) return;
      const to = place(event);
      if (pull.one) {
        change(pull.at, pulled(pull.one, pull.edges, Math.round(to[0] - pull.from[0]), Math.round(to[1] - pull.from[1])));
        return;
      }
      if (pull.at < 0 && Math.hypot(event.clientX - pull.seen[0], event.clientY - pull.seen[1]) < CLICK_PX) return;
      if (pull.at < 0) { masks = [...masks, spanned(pull.from, to)]; pull.at = masks.length - 1; choose(pull.at); }
      change(pull.at, spanned(pull.from, to));
    });
    const end = (event) => {
      if (!pull || event.pointerId !== pull.id) return;
      const drew = pull.at >= 0;
      if (event.type === "pointercancel") { masks = pull.before; chosen = Math.min(chosen, masks.length - 1); draw(); }
      pull = null;
      if (!drew) choose(-1);
      note();
    };
    room.addEventListener("pointerup", end);
    room.addEventListener("pointercancel", end);
    image.addEventListener("dragstart", (event) => event.preventDefault());

    // By keyboard.
    const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    plate.addEventListener("focusin", (event) => {
      const at = [...plate.querySelectorAll(".mask")].indexOf(event.target);
      if (at >= 0 && at !== chosen) choose(at, false);
    });
    box.addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey)) return;
      const key = event.key.toLowerCase();
      if (key === "z" && !event.shiftKey) back(past, future);
      else if (key === "y" || key === "z") back(future, past);
      else return;
      event.preventDefault();
    });
    room.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey) return;
      if (event.key.toLowerCase() === "n") { event.preventDefault(); add(); return; }
      if (event.key === "Escape") { choose(-1); return; }
      if (chosen < 0 || event.target === room) return;
      if (event.key === "Delete" || event.key === "Backspace") { event.preventDefault(); remove(); return; }
      if (!(event.key in ARROWS)) return;
      event.preventDefault();
      const { x, y } = size(), by = event.altKey ? FINEST : Math.max(FINEST, Math.round(Math.max(x, y) * HUNDREDTH / larger));
      const [right, down] = ARROWS[event.key];
      change(chosen, event.shiftKey ? inside({ ...masks[chosen], width: masks[chosen].width + right * by, height: masks[chosen].height + down * by }) : pulled(masks[chosen], "", right * by, down * by));
      note();
      plate.querySelectorAll(".mask")[chosen].scrollIntoView({ block: "nearest", inline: "nearest" });
      said.textContent = worded(regionWords, chosen);
    });
    of("new").addEventListener("click", add);
    of("remove").addEventListener("click", remove);
    of("undo").addEventListener("click", () => back(past, future));
    of("redo").addEventListener("click", () => back(future, past));
    area.addEventListener("change", () => {
      const words = area.value;
      masks = read(words);
      chosen = -1;
      note();
      area.value = words; // a line with a mistake in it stays, to be mended or refused
    });
    if ("sent" in box.dataset) box.closest(".picture").scrollIntoView();
    if (image.complete) draw();
    image.addEventListener("load", draw);
  }
})();
