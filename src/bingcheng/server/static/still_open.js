// Whether the pictures of this page may still be seen is asked as long as somebody leafs through them: many lie in the
// browser's memory, and the server is then asked for nothing more. Where they may not be seen any more the page is asked
// for anew; the server then says in words what became of them. The viewer does the same (viewer/scripts/access.js).
"use strict";
(() => {
  const EVERY_MS = 20000;
  const SOONEST_MS = 2000; // where a picture was refused
  const CLOSED = [403, 404];
  const stack = document.querySelector("[data-stack]");
  if (!stack) return;
  const missing = stack.querySelector("[data-missing]");
  let last = Date.now();
  const ask = async () => {
    last = Date.now();
    const address = `/viewer/exams/${stack.dataset.study}/open`;
    const answer = await fetch(address, { cache: "no-store", redirect: "manual" }).catch(() => null);
    if (answer && CLOSED.includes(answer.status)) location.reload();
  };
  const after = (wait) => {
    if (document.visibilityState === "visible" && Date.now() - last >= wait) ask();
  };
  stack.addEventListener("leafed", () => after(missing && !missing.hidden ? SOONEST_MS : EVERY_MS));
  document.addEventListener("visibilitychange", () => after(EVERY_MS));
  addEventListener("pageshow", (event) => event.persisted && ask()); // brought back as it was left
})();
