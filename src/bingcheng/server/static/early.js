// Before anything is drawn: what needs scripts is there from the start, and nothing moves when they have come.
"use strict";
document.documentElement.classList.add("js");

// Whether somebody looks, and moved within ten minutes. Pages that ask the server by themselves ask only then: one that
// was left open must not keep its person signed in.
const attended = (() => {
  const LONGEST_MS = 600000;
  let last = Date.now();
  for (const kind of ["pointermove", "keydown", "focus"]) addEventListener(kind, () => { last = Date.now(); }, { passive: true });
  return () => !document.hidden && Date.now() - last <= LONGEST_MS;
})();
