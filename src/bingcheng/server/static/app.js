// Small comforts; every page works without them.
"use strict";
/* global attended */
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    // A site that is reached without encryption has no clipboard of its own; what is selected can be copied there too.
    const copied = await navigator.clipboard?.writeText(field.value).then(() => true, () => false) || document.execCommand("copy");
    if (copied) button.dispatchEvent(new Event("copied", { bubbles: true }));
    button.parentElement.querySelector("[data-copied]").hidden = !copied;
  });
}
for (const secret of document.querySelectorAll("[data-once]")) {
  let held = true;
  const taken = () => { held = false; };
  secret.addEventListener("copied", taken);
  secret.addEventListener("copy", taken);
  document.addEventListener("submit", (event) => {
    if (!held || event.target.target === "_blank") return;
    if (window.confirm(secret.dataset.once)) taken(); else event.preventDefault();
  });
  addEventListener("beforeunload", (event) => { if (held) event.preventDefault(); });
}
for (const box of document.querySelectorAll("[data-shows]")) {
  const secret = document.getElementById(box.dataset.shows);
  const show = (shown) => { box.checked = shown; secret.type = shown ? "text" : "password"; };
  box.addEventListener("change", () => show(box.checked));
  secret.form.addEventListener("submit", () => show(false)); // else the browser keeps it among what is typed into fields
  box.closest("label").hidden = false;
}
for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => {
    if (!window.confirm(form.dataset.confirm)) event.preventDefault();
  });
}
for (const select of document.querySelectorAll("select[data-submit]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}
for (const box of document.querySelectorAll(".scroll")) {
  // What can be scrolled must be reached by keyboard too (WCAG 2.1.1); Chromium alone lets it be by itself.
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
}

// Notices that come while a page is open, and words that must not be lost when the session has ended meanwhile.
(() => {
  const person = document.body.dataset.person;
  if (!person) return;
  const EVERY_MS = 60000;
  const standing = async () => {
    const answer = await fetch("/account/standing", { headers: { accept: "application/json" }, cache: "no-store" });
    if (!answer.ok) return null;
    return answer.json();
  };
  const title = document.title;
  setInterval(async () => {
    if (!attended()) return;
    try {
      const told = await standing(), count = document.querySelector("[data-unread]");
      if (!told || !count || `${told.unread}` === count.textContent) return;
      count.textContent = told.unread;
      count.hidden = !told.unread;
      document.title = told.unread ? `(${told.unread}) ${title}` : title;
    } catch { /* the next time may succeed */ }
  }, EVERY_MS);

  // Asked before each sending: a session may end at any moment, also right after the page was shown.
  const sure = new WeakSet();
  let asking = new WeakSet();
  addEventListener("pageshow", () => { asking = new WeakSet(); });
  document.addEventListener("submit", async (event) => {
    const form = event.target, button = event.submitter;
    if (event.defaultPrevented || form.method !== "post" || !form.querySelector("textarea:not([readonly])")) return;
    if (sure.delete(form)) return;
    event.preventDefault();
    if (asking.has(form)) return; // pressed twice
    asking.add(form);
    let why = "away";
    try {
      const told = await standing();
      why = !told ? "out" : `${told.person}` === person ? "" : "other";
      if (!why) {
        for (const one of document.querySelectorAll("input[name=csrf]")) one.value = told.csrf;
        sure.add(form);
        form.requestSubmit(button);
        return;
      }
    } catch { /* why it is not sent is told below */ }
    asking.delete(form);
    form.querySelectorAll(":scope > [data-why]").forEach((one) => one.remove());
    form.append(document.querySelector(`[data-not-sent] [data-why=${why}]`).cloneNode(true));
  });
})();
