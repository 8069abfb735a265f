"use strict";
/* global leaf, attended */
// Everything here is a convenience: each page works without it.
(() => {
  const each = (selector, act) => document.querySelectorAll(selector).forEach(act);

  // How far the de-identifying is.
  each("[data-progress]", (box) => {
    const bar = box.querySelector("[data-bar]"), step = box.querySelector("[data-step]");
    const look = async () => {
      if (!attended()) { setTimeout(look, 2000); return; }
      try {
        const answer = await fetch(box.dataset.progress, { headers: { accept: "application/json" } });
        if (!answer.ok) return;
        const told = await answer.json();
        if (!told.open) { location.reload(); return; }
        if (step) step.textContent = told.step;
        if (bar && told.total) { bar.max = told.total; bar.value = told.done; }
      } catch { /* the next look may succeed */ }
      setTimeout(look, 2000);
    };
    setTimeout(look, 1500);
  });

  // Who asks for an answer finds the case by it from then on.
  each("details[data-shown]", (box) => {
    box.addEventListener("toggle", () => {
      const csrf = document.querySelector("input[name=csrf]");
      if (!box.open || !csrf) return;
      const body = new URLSearchParams({ step: "shown", csrf: csrf.value });
      fetch(box.dataset.shown, { method: "POST", body, redirect: "manual" }).catch(() => { /* the next time may succeed */ });
    });
  });

  // A search by measure, put together.
  each("[data-builder]", (form) => {
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector("[data-add]").addEventListener("click", () => {
      const target = document.getElementById(form.dataset.builder);
      const of = (name) => form.querySelector(`[data-${name}]`), chosen = (name) => of(name)?.value || "";
      const said = [];
      if (chosen("organ")) said.push(`organ = "${chosen("organ")}"`);
      if (chosen("measure")) {
        if (!chosen("value")) { of("value").focus(); return; }
        const unit = of("measure").selectedOptions[0].dataset.unit;
        said.push(`${chosen("measure")} ${chosen("compare")} ${chosen("value")}${unit === "1" ? "" : ` ${unit}`}`);
      }
      if (chosen("protocol")) said.push(`protocol(${chosen("protocol")}) = ${chosen("outcome")}`);
      target.value = [target.value.trim(), ...said].filter(Boolean).join(" and ");
      target.focus();
    });
  });

  // Pointing at a place of an image: forms beside it then speak of that place.
  const STEPS = 100; // from edge to edge, but never less than a pixel
  each("[data-pointing]", (box) => {
    const stack = box.querySelector("[data-stack]"), image = box.querySelector("[data-image]"), slide = box.querySelector("[data-slide]");
    const marker = box.querySelector("[data-marker]"), { columns, rows, height, imageWords, placeWords } = box.dataset;
    const ratio = Number(height), size = { x: Number(columns), y: Number(rows) };
    const inputs = (name) => document.querySelectorAll(`[data-at=${name}]`);
    const written = () => [...inputs("x"), ...inputs("y")].every((one) => one.value !== "");
    // Both as fractions: of the width, and of the height.
    let spot = written() ? { u: (Number(inputs("x")[0].value) + 0.5) / size.x, v: (Number(inputs("y")[0].value) + 0.5) / size.y } : null;
    const pixel = (fraction, count) => Math.max(0, Math.min(count - 1, Math.floor(fraction * count)));
    const tell = () => {
      const at = Number(slide.value), x = spot && pixel(spot.u, size.x), y = spot && pixel(spot.v, size.y);
      inputs("image").forEach((one) => { one.value = at + 1; });
      inputs("x").forEach((one) => { one.value = spot ? x : ""; });
      inputs("y").forEach((one) => { one.value = spot ? y : ""; });
      const words = (spot ? placeWords : imageWords).replace("%n", at + 1).replace("%x", x).replace("%y", y);
      each("[data-place-words]:not([data-pointing])", (one) => { one.textContent = words; });
      each("[data-unpoint]", (one) => { one.hidden = !spot; });
      if (spot) { marker.setAttribute("transform", `translate(${spot.u} ${spot.v * ratio})`); marker.removeAttribute("display"); } else marker.setAttribute("display", "none");
      box.querySelectorAll("[data-on]").forEach((one) => { if (Number(one.dataset.on) === at) one.removeAttribute("display"); else one.setAttribute("display", "none"); });
      const query = new URLSearchParams({ series: stack.dataset.series, image: at + 1, ...(spot ? { x, y } : {}) });
      history.replaceState(null, "", `?${query}`);
    };
    const point = (u, v) => {
      spot = u === null ? null : { u: Math.max(0, Math.min(0.9999, u)), v: Math.max(0, Math.min(0.9999, v)) };
      tell();
    };
    // A press that moves leafs; one that stays points.
    let pressed = null;
    image.addEventListener("pointerdown", (event) => { pressed = [event.clientX, event.clientY]; });
    image.addEventListener("click", (event) => {
      if (!pressed || Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) > 4) return;
      const drawn = image.getBoundingClientRect(), scale = Math.min(drawn.width, drawn.height / ratio);
      const u = (event.clientX - drawn.left - (drawn.width - scale) / 2) / scale;
      const v = (event.clientY - drawn.top - (drawn.height - scale * ratio) / 2) / (scale * ratio);
      if (u >= 0 && u < 1 && v >= 0 && v < 1) point(u, v);
      stack.focus({ preventScroll: true });
    });
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    stack.addEventListener("keydown", (event) => {
      if (event.target.matches("select, input")) return;
      if (event.key === "Escape") { point(null); return; }
      if (!event.shiftKey || !(event.key in moves)) return;
      event.preventDefault();
      event.stopImmediatePropagation(); // else it would leaf too
      const [right, down] = moves[event.key], from = spot || { u: 0.5, v: 0.5 };
      const step = (count) => Math.max(1, Math.round(count / STEPS)) / count;
      point(from.u + right * step(size.x), from.v + down * step(size.y));
    }, { capture: true });
    // A place belongs to its image; another window leaves it where it is.
    let on = Number(slide.value);
    stack.addEventListener("leafed", (event) => {
      if (event.detail !== Number(slide.value)) return;
      if (event.detail !== on) spot = null;
      on = event.detail;
      tell();
    });
    each("[data-unpoint]", (one) => one.addEventListener("click", () => point(null)));
    tell();
  });

  // Choosing some images of a series: the series to leaf through is made when it is asked for.
  each("[data-only]", (box) => {
    const field = box.querySelector("input"), template = box.querySelector("template");
    const open = () => {
      if (!box.open || box.querySelector("[data-stack]")) return;
      box.append(template.content.cloneNode(true));
      const stack = box.querySelector("[data-stack]"), slide = box.querySelector("[data-slide]");
      let last = null;
      const here = () => Number(slide.value) + 1;
      const add = (words) => {
        field.value = field.value.trim() ? `${field.value.trim()}, ${words}` : words;
        last = here();
        box.closest(".offered").querySelector("[name=series]").checked = true;
      };
      const range = () => {
        const to = here();
        if (last === to) return;
        const [low, high] = last === null ? [1, to] : last < to ? [last + 1, to] : [to, last - 1];
        add(low === high ? `${low}` : `${low}-${high}`);
      };
      box.querySelector("[data-add-image]").addEventListener("click", () => add(`${here()}`));
      box.querySelector("[data-add-range]").addEventListener("click", range);
      stack.addEventListener("keydown", (event) => {
        if (event.target.matches("select, input") || event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.key.toLowerCase() === "a") add(`${here()}`);
        if (event.key.toLowerCase() === "r") range();
      });
      if (typeof leaf === "function") leaf(stack);
    };
    box.addEventListener("toggle", open);
    open();
  });

  // A diagnosis that is chosen from the list brings its code.
  each("#f-diagnosis", (field) => {
    const code = document.getElementById("f-diagnosis_code");
    field.addEventListener("change", () => {
      const known = [...document.querySelectorAll("#diagnoses option")].find((one) => one.value === field.value.trim());
      if (known?.textContent && !code.value.trim()) code.value = known.textContent;
    });
  });

  // All series of an exam at once.
  each("[data-whole]", (button) => button.addEventListener("click", () => {
    const boxes = [...button.closest("fieldset").querySelectorAll("[name=series]")];
    const all = boxes.every((one) => one.checked);
    for (const one of boxes) one.checked = !all;
  }));

  // Who can be named: offered after an @, to be chosen by arrow keys and Enter, or by a click.
  each("textarea[data-names]", (area, number) => {
    const list = document.createElement("ul");
    let at = -1, begun = 0;
    list.className = "names";
    list.id = `names-${number}`;
    list.setAttribute("role", "listbox");
    list.hidden = true;
    area.after(list);
    area.setAttribute("aria-controls", list.id);
    const close = () => { list.hidden = true; at = -1; area.removeAttribute("aria-activedescendant"); };
    const take = (item) => {
      const end = area.selectionStart;
      area.setRangeText(`${item.dataset.name} `, begun, end, "end");
      close();
      area.focus();
    };
    const move = (by) => {
      const items = [...list.children];
      at = (at + by + items.length) % items.length;
      items.forEach((one, place) => one.setAttribute("aria-selected", place === at));
      area.setAttribute("aria-activedescendant", items[at].id);
    };
    const look = async () => {
      const before = area.value.slice(0, area.selectionStart), found = /(?:^|[^\w@])@([^@\n]{0,40})$/u.exec(before);
      if (!found) { close(); return; }
      begun = before.length - found[1].length;
      try {
        const answer = await fetch(`${area.dataset.names}?begins=${encodeURIComponent(found[1])}`, { headers: { accept: "application/json" } });
        const people = answer.ok ? await answer.json() : [];
        if (!people.length || area.value.slice(0, area.selectionStart) !== before) { close(); return; }
        list.replaceChildren(...people.map((one, place) => {
          const item = document.createElement("li"), where = document.createElement("span");
          item.id = `${list.id}-${place}`;
          item.dataset.name = one.name;
          item.setAttribute("role", "option");
          where.className = "quiet";
          where.textContent = one.hospital;
          item.append(`${one.name} `, where);
          item.addEventListener("pointerdown", (event) => { event.preventDefault(); take(item); });
          return item;
        }));
        list.hidden = false;
        at = -1;
        move(1);
      } catch { close(); }
    };
    let wait;
    area.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(look, 150); });
    area.addEventListener("blur", close);
    area.addEventListener("keydown", (event) => {
      if (list.hidden) return;
      const act = { ArrowDown: () => move(1), ArrowUp: () => move(-1), Enter: () => take(list.children[at]), Tab: () => take(list.children[at]), Escape: close }[event.key];
      if (act) { event.preventDefault(); act(); }
    });
  });

  // j and k move through a list, / searches.
  const rows = [...document.querySelectorAll("[data-rows] [data-row]")];
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    if (event.key === "/") { const box = document.querySelector("[data-search]"); if (box) { event.preventDefault(); box.focus(); } }
    if (event.key === "j" || event.key === "k") {
      const at = rows.indexOf(document.activeElement), next = rows[at + (event.key === "j" ? 1 : -1)] || rows[0];
      if (next) next.focus();
    }
  });
})();
