// Before anything is drawn: what needs scripts is there from the start, and nothing moves when they have come.
"use strict";
document.documentElement.classList.add("js");
