"use strict";
(() => {
  const root = document.documentElement;
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  root.classList.add("js");

  // A file:// page may be refused its storage; the choice then lasts as long as the page.
  const remembered = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* see above */ } };
  if (remembered("theme")) root.dataset.theme = remembered("theme");
  $("#theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    remember("theme", root.dataset.theme);
  });
  // Exams: one is shown at a time, the one that the address names.
  const exams = $$(".exam");
  const items = $$(".exam-list li");
  const linkOf = (exam) => $(`.exam-list a[href="#${exam.id}"]`);
  const show = (exam) => {
    for (const other of exams) other.classList.toggle("shown", other === exam);
    for (const item of items) $("a", item).removeAttribute("aria-current");
    if (!exam) return;
    const link = linkOf(exam);
    link.setAttribute("aria-current", "true");
    const list = link.closest("ol");
    const box = list.scrollHeight > list.clientHeight ? list : list.parentElement;
    const place = link.getBoundingClientRect(), frame = box.getBoundingClientRect();
    if (place.top < frame.top) box.scrollTop -= frame.top - place.top;
    else if (place.bottom > frame.bottom) box.scrollTop += place.bottom - frame.bottom;
  };
  const named = () => document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const follow = () => {
    const target = named();
    const exam = target && target.closest(".exam");
    if (!exam) return;
    if (linkOf(exam).closest("li").hidden) clear();
    show(exam);
    exam.scrollIntoView({ block: "start", behavior: "instant" });
    exam.focus({ preventScroll: true });
  };
  addEventListener("hashchange", follow);

  const search = $("#search"), site = $("#site-filter"), outcome = $("#outcome-filter"), found = $("#found");
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const item of items) {
      const { search: text, site: where, outcome: came } = item.dataset;
      const fits = words.every((word) => text.includes(word)) && (!site.value || site.value === where) && (!outcome.value || outcome.value === came);
      item.hidden = !fits;
      count += fits;
    }
    found.textContent = count === 1 ? found.dataset.one : found.dataset.many.replace("{count}", count);
    $("#none-found").hidden = count > 0;
    const first = items.find((item) => !item.hidden);
    const current = items.find((item) => $("a[aria-current]", item));
    if (first && (!current || current.hidden)) show(document.getElementById($("a", first).hash.slice(1)));
  };
  const clear = () => { search.value = ""; site.value = ""; outcome.value = ""; filter(); };
  if (search) {
    for (const control of [search, site, outcome]) control.addEventListener("input", filter);
    search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { const first = items.find((item) => !item.hidden); if (first) $("a", first).click(); }
      if (event.key === "Escape") { clear(); search.blur(); }
    });
    show(exams[0]);
    filter();
  }

  // The part of the page that is being read is marked in the bar.
  const parts = $$(".views a:not(.brand)").map((link) => [link, $(link.hash)]);
  const reading = () => {
    let current = null;
    for (const [link, part] of parts) if (part.getBoundingClientRect().top < innerHeight * 0.35) current = link;
    for (const [link] of parts) link === current ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
    return current ? current.hash : "";
  };
  let waiting = false;
  addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; reading(); });
  }, { passive: true });
  reading();

  const help = $("#help");
  $("#keys").addEventListener("click", () => help.showModal());

  // Keys.
  const step = (by) => {
    const part = reading();
    if (part === "#exams") return stepExam(by);
    const compared = part === "#hospitals" || part === "#dose";
    const cards = $$(compared ? `${part} .site, ${part} .comparison` : ".lesion");
    if (!cards.length) return undefined;
    const at = cards.findIndex((card) => card.classList.contains("current"));
    const next = cards[at < 0 ? (by > 0 ? 0 : cards.length - 1) : Math.min(Math.max(at + by, 0), cards.length - 1)];
    for (const card of $$(".current")) card.classList.remove("current");
    next.classList.add("current");
    next.scrollIntoView({ block: "start", behavior: "instant" });
    if (next.tabIndex === -1) next.focus({ preventScroll: true });
    return undefined;
  };
  const stepExam = (by) => {
    const shown = items.filter((item) => !item.hidden);
    if (!shown.length) return;
    const at = shown.findIndex((item) => $("a[aria-current]", item));
    location.hash = $("a", shown[Math.min(Math.max(at + by, 0), shown.length - 1)]).hash;
    follow();  // now: who presses twice, quicker than the address is told of, goes two steps
  };
  const jump = (hash) => { const part = $(hash); if (part) part.scrollIntoView({ behavior: "instant" }); };
  const keys = {
    j: () => step(1), k: () => step(-1), ArrowRight: () => stepExam(1), ArrowLeft: () => stepExam(-1),
    "/": () => { if (search) { jump("#exams"); search.focus(); search.select(); } }, "?": () => help.showModal(),
    1: () => jump("#first"), 2: () => jump("#lesions"), 3: () => jump("#hospitals"), 4: () => jump("#dose"),
    5: () => jump("#exams"),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    if (event.target.matches("input, select, textarea")) return;
    const act = Object.hasOwn(keys, event.key) && keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  if (location.hash) follow();
})();
