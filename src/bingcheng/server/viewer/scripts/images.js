// An image that can't be shown is told in words: once a study in a notice, and in its pane as long as it would stand
// there. By itself the viewer says that something went wrong, and to try again; and over the image before it that it is
// loading, for ever.
const ofAnImage = /\/frames\/\d+|decodeTask|decodeImageFrame/;
const words = (error) => String((error && error.message) || error);
window.addEventListener("unhandledrejection", (event) => {
  const { reason } = event;
  if (!ofAnImage.test(words(reason) + ((reason && reason.stack) || ""))) return;
  event.preventDefault();
  event.stopImmediatePropagation();
});

function tellOfImages({ uiNotificationService: notices }) {
  const { eventTarget, Enums, getEnabledElements } = window.cornerstone;
  const { IMAGE_LOAD_FAILED, IMAGE_LOAD_ERROR, STACK_VIEWPORT_SCROLL, STACK_NEW_IMAGE } = Enums.Events;
  const COVER = "bingcheng-not-shown";
  const missing = new Set();
  let told = false;

  const uncover = (element) => element.querySelectorAll("." + COVER).forEach((one) => one.remove());
  const cover = (element) => {
    uncover(element);
    const over = Object.assign(document.createElement("div"), { className: COVER });
    // Opaque: what is below is another image.
    Object.assign(over.style, {
      position: "absolute",
      inset: "0",
      zIndex: "5",
      display: "grid",
      placeContent: "center",
      gap: "0.5rem",
      padding: "15%",
      textAlign: "center",
      color: "#e8c34a",
      background: "black",
      pointerEvents: "none", // the wheel goes on to the next image
    });
    [own.notShown, own.whyNotShown].forEach((line) =>
      over.append(Object.assign(document.createElement("p"), { textContent: line }))
    );
    element.append(over);
  };
  const wanted = ({ viewport }) => {
    const at = viewport.getTargetImageIdIndex && viewport.getTargetImageIdIndex();
    return at === undefined ? undefined : viewport.getImageIds()[at];
  };

  const failed = ({ detail }) => {
    if (/ status 401\b/.test(words(detail.error))) config.httpErrorHandler({ status: 401 });
    missing.add(detail.imageId);
    getEnabledElements()
      .filter((one) => wanted(one) === detail.imageId)
      .forEach((one) => cover(one.viewport.element));
    if (told) return;
    told = true;
    notices.show({ title: own.notShown, message: own.whyNotShown, type: "warning", duration: 15000 });
  };
  const scrolled = ({ target, detail }) => (missing.has(detail.imageId) ? cover(target) : uncover(target));
  const came = ({ target, detail }) => {
    missing.delete(detail.imageId);
    uncover(target);
  };
  const failures = [IMAGE_LOAD_FAILED, IMAGE_LOAD_ERROR];
  failures.forEach((name) => eventTarget.addEventListener(name, failed));
  // These are said to the pane alone, which the document hears on their way down.
  document.addEventListener(STACK_VIEWPORT_SCROLL, scrolled, true);
  document.addEventListener(STACK_NEW_IMAGE, came, true);
  return {
    unsubscribe: () => {
      failures.forEach((name) => eventTarget.removeEventListener(name, failed));
      document.removeEventListener(STACK_VIEWPORT_SCROLL, scrolled, true);
      document.removeEventListener(STACK_NEW_IMAGE, came, true);
    },
  };
}
