"use strict";
// Everything here is a convenience: each page works without it.
(() => {
  const each = (selector, act) => document.querySelectorAll(selector).forEach(act);

  // How far the de-identifying is.
  each("[data-progress]", (box) => {
    const bar = box.querySelector("[data-bar]"), step = box.querySelector("[data-step]");
    const look = async () => {
      try {
        const answer = await fetch(box.dataset.progress, { headers: { accept: "application/json" } });
        const told = await answer.json();
        if (!told.open) { location.reload(); return; }
        if (step) step.textContent = told.step;
        if (bar && told.total) { bar.max = told.total; bar.value = told.done; }
      } catch { /* the next look may succeed */ }
      setTimeout(look, 2000);
    };
    setTimeout(look, 1500);
  });

  // A search by measure, put together.
  each("[data-builder]", (form) => {
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector("[data-add]").addEventListener("click", () => {
      const target = document.getElementById(form.dataset.builder);
      const measure = form.querySelector("[data-measure]"), value = form.querySelector("[data-value]").value;
      if (!value) { form.querySelector("[data-value]").focus(); return; }
      const unit = measure.selectedOptions[0].dataset.unit;
      const said = `${measure.value} ${form.querySelector("[data-compare]").value} ${value}${unit === "1" ? "" : ` ${unit}`}`;
      target.value = target.value.trim() ? `${target.value.trim()} and ${said}` : said;
      target.focus();
    });
  });

  // The picture follows the regions that are written under it.
  each("[data-regions]", (area) => {
    const picture = area.closest(".picture").querySelector("img");
    if (!picture) return;
    const plain = picture.getAttribute("src");
    area.addEventListener("change", () => {
      picture.src = `${plain}?regions=${encodeURIComponent(area.value.trim() || "0,0,1,1")}`;
    });
  });

  // Files are larger than a form may be: the token then goes in a header, before the body is read.
  each("form[data-upload]", (form) => {
    form.addEventListener("submit", async (event) => {
      if (![...form.querySelectorAll("input[type=file]")].some((one) => one.files.length)) return;
      event.preventDefault();
      const token = form.querySelector("input[name=csrf]").value;
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "x-csrf-token": token, accept: "text/html" } });
      if (answer.ok) {
        if (answer.url.split("#")[0] === location.href.split("#")[0]) location.reload(); else location.href = answer.url;
        return;
      }
      const said = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".told, main");
      if (said) { form.before(document.adoptNode(said)); }
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
