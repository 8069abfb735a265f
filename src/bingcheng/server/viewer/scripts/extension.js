// The parts above, as an extension of the viewer.
let subscriptions = [];
config.extensions.push({
  id: "bingcheng",
  preRegistration: () => {
    const cornerstone = window.cornerstone;
    const now = cornerstone.getConfiguration();
    // Each drawing context takes a fifth of a second to make where there is no graphics processor.
    const webGlContextCount = isSlow() ? 1 : own.contexts;
    cornerstone.setConfiguration({ ...now, rendering: { ...now.rendering, webGlContextCount } });
  },
  onModeEnter: ({ servicesManager: { services }, commandsManager, extensionManager }) => {
    const fused = window.location.pathname.endsWith("/tmtv"); // there lesions are outlined anew
    keepDrawn(extensionManager);
    keepLines(services);
    sayHowMade(services);
    standApart(extensionManager);
    subscriptions = fused ? [] : layOver(services, commandsManager);
    subscriptions.push(watchAccess(services), tellOfImages(services), keepProgram(services), drawForgotten());
    if (fused && (narrow || isSlow())) hangFewer(services);
    if (isSlow()) subscriptions.push(drawSeldom());
    if (narrow) subscriptions.push(makeRoom(services));
  },
  onModeExit: () => {
    subscriptions.forEach(({ unsubscribe }) => unsubscribe());
    subscriptions = [];
  },
});
