"""What can be wrong with a page as a browser draws it: scripts, each of which gives the elements that it finds."""

from __future__ import annotations

WIDE = """() => {
  const page = document.documentElement;
  if (page.scrollWidth <= page.clientWidth) return [];
  const scrolled = (one) => { for (let up = one.parentElement; up; up = up.parentElement)
    if (getComputedStyle(up).overflowX !== "visible") return true; return false; };
  const found = [...document.querySelectorAll("body *")].filter(
    (one) => one.getBoundingClientRect().right > page.clientWidth + 1 && !scrolled(one));
  return found.filter((one) => !found.some((inner) => inner !== one && one.contains(inner)))
    .map((one) => one.outerHTML.slice(0, 120));
}"""
"""What stands over the right edge of the page."""
HIDDEN = """() => [...document.querySelectorAll("main *")].filter((one) => one.checkVisibility()
    && !one.closest(".sr, .skip") && getComputedStyle(one).overflowX === "hidden" && one.innerText?.trim()
    && one.clientWidth > 1 && one.scrollWidth > one.clientWidth + 1).map((one) => one.outerHTML.slice(0, 120))"""
"""What holds text that is cut off."""
SQUEEZED = """() => [...document.querySelectorAll("main :is(td, th, dd, dt, p, h1, h2, h3, li, button, label)")].filter(
    (one) => { const box = one.getBoundingClientRect();
      return one.checkVisibility() && box.width < 40 && box.height > 120
        && !one.closest(".sr") && one.closest("thead")?.clientWidth !== 1; }
  ).map((one) => one.outerHTML.slice(0, 120))"""
"""What is so narrow that its words stand below each other letter by letter."""
SMALL = """(least) => {
  const box = (one) =>
    (one.matches("[type=checkbox], [type=radio]") && one.closest("label") || one).getBoundingClientRect();
  const seen = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter((one) => one.checkVisibility() && !one.closest(".sr, .skip") && box(one).width > 1);
  const center = (one) => { const at = box(one); return [at.left + at.width / 2, at.top + at.height / 2]; };
  const small = (one) => box(one).width < least || box(one).height < least;
  const inText = (one) => one.matches("a") && getComputedStyle(one).display === "inline"
    && one.parentElement.innerText.trim().length > one.innerText.trim().length + 2;
  const near = (one, other) => {
    const [x, y] = center(one), at = box(other);
    const gap = Math.hypot(Math.max(at.left - x, 0, x - at.right), Math.max(at.top - y, 0, y - at.bottom));
    const [a, b] = center(other);
    return gap < least / 2 || (small(other) && Math.hypot(a - x, b - y) < least);
  };
  return seen.filter((one) => small(one) && !inText(one)
    && seen.some((other) => other !== one && !other.contains(one) && !one.contains(other) && near(one, other))
  ).map((one) => one.outerHTML.slice(0, 120));
}"""
"""Targets below a size (pixels) with another one beside them (WCAG 2.2, 2.5.8, with its exceptions)."""
FAINT = """([text, large]) => {
  const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const colour = (written) => {
    if (!known.has(written)) {
      pen.clearRect(0, 0, 1, 1); pen.fillStyle = written; pen.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
      known.set(written, [r, g, b, a / 255]);
    }
    return known.get(written);
  };
  const over = (front, back) => [0, 1, 2].map((n) => front[n] * front[3] + back[n] * (1 - front[3]));
  const ground = (one) =>
    one ? over(colour(getComputedStyle(one).backgroundColor), ground(one.parentElement)) : [255, 255, 255];
  const linear = (v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = (c) => { const [r, g, b] = c.map((v) => linear(v / 255)); return .2126 * r + .7152 * g + .0722 * b; };
  const found = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const one = walk.currentNode.parentElement;
    if (!walk.currentNode.nodeValue.trim() || !one.checkVisibility()) continue;
    if (one.closest("option, svg, :disabled, .sr, .skip")) continue;
    const style = getComputedStyle(one), back = ground(one);
    const [a, b] = [light(over(colour(style.color), back)), light(back)].sort((x, y) => y - x);
    const big = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && +style.fontWeight >= 700);
    if ((a + .05) / (b + .05) < (big ? large : text)) found.add(one.outerHTML.slice(0, 120));
  }
  return [...found];
}"""
"""Texts of less contrast than is asked of text and of large text (WCAG 2.2, 1.4.3)."""
