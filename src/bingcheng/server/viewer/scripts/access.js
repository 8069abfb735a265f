// Whether what is on the screen may still be seen is asked as long as somebody works with it: all images of a study may
// be in the browser's memory, and the server is then asked for nothing more. So a case that was withdrawn is closed at
// the next turn of the wheel, and who works on for long with what is here is not signed out meanwhile. Where something
// may not be seen any more the page is asked for anew; the server then says in words what became of it.
function watchAccess({ displaySetService: sets }) {
  const EVERY_MS = 20000;
  const SOONEST_MS = 2000; // where an image was refused; many are refused at once
  const WORK = ["pointerdown", "wheel", "keydown"];
  const CLOSED = [403, 404];
  const { eventTarget, Enums } = window.cornerstone;
  const refused = [Enums.Events.IMAGE_LOAD_FAILED, Enums.Events.IMAGE_LOAD_ERROR];
  let last = Date.now();

  const studies = () => [...new Set(sets.getActiveDisplaySets().map((set) => set.StudyInstanceUID))].filter(Boolean);
  const asked = async (study) => {
    try {
      const answer = await window.fetch(own.exams + study + "/open", { cache: "no-store", redirect: "manual" });
      return answer.status;
    } catch (unreachable) {
      return 0; // the server or the network is away: that takes nobody's right
    }
  };
  const ask = async () => {
    last = Date.now();
    const said = await Promise.all(studies().map(asked));
    if (said.includes(401)) config.httpErrorHandler({ status: 401 });
    else if (said.some((status) => CLOSED.includes(status))) window.location.reload();
  };
  const after = (wait_ms) => () => {
    if (document.visibilityState === "visible" && Date.now() - last >= wait_ms) ask();
  };
  const works = after(EVERY_MS);
  const fails = after(SOONEST_MS);
  WORK.forEach((name) => window.addEventListener(name, works, { capture: true, passive: true }));
  document.addEventListener("visibilitychange", works);
  refused.forEach((name) => eventTarget.addEventListener(name, fails));
  return {
    unsubscribe: () => {
      WORK.forEach((name) => window.removeEventListener(name, works, { capture: true }));
      document.removeEventListener("visibilitychange", works);
      refused.forEach((name) => eventTarget.removeEventListener(name, fails));
    },
  };
}
