// What fits the screen and the machine.
const narrow = window.innerWidth < 700;

// Without a graphics processor the browser draws each pane on the processor that does all else too.
function isSlow() {
  const { getRenderingCapabilities: capabilities } = window.cornerstone;
  return Boolean(capabilities && capabilities().softwareRasterizer);
}

// On a telephone the image gets the room; the series and the tools at the sides are one tap away.
function makeRoom({ panelService: panels, cornerstoneViewportService: panes }) {
  const first = panes.subscribe(panes.EVENTS.VIEWPORT_DATA_CHANGED, () => {
    first.unsubscribe();
    const closed = { leftPanelClosed: true, rightPanelClosed: true };
    panels._broadcastEvent(panels.EVENTS.PANELS_CHANGED, { options: closed });
  });
  return first;
}

// PET and CT hang in ten panes, one of them a projection through the whole PET. Where that is drawn without a graphics
// processor four planes hang instead, without the projection, and on a telephone two; the viewer's own arrangements
// follow (keys "," and ".").
function hangFewer({ hangingProtocolService: protocols }) {
  const NAME = "@ohif/extension-tmtv.hangingProtocolModule.ptCT";
  const ID = "bingcheng-few";
  const wanted = narrow ? ["fusionAXIAL", "ptCORONAL"] : ["ctAXIAL", "fusionAXIAL", "ptAXIAL", "ptCORONAL"];
  const known = protocols.getProtocolById(NAME);
  const rest = known.stages.filter((stage) => stage.id !== ID);
  const panes = rest.flatMap((stage) => stage.viewports);
  const viewports = wanted
    .map((name) => panes.find(({ viewportOptions }) => viewportOptions.viewportId === name))
    .filter(Boolean);
  if (viewports.length !== wanted.length) return; // another version of the viewer hangs it in its own way
  const few = {
    name: "Bingcheng",
    id: ID,
    viewportStructure: { layoutType: "grid", properties: { rows: 2, columns: wanted.length / 2 } },
    viewports,
  };
  protocols.addProtocol(NAME, { ...known, stages: [few, ...rest] });
}

// A volume that arrives is by itself drawn anew in all its panes with every fiftieth part. Without a graphics processor
// that leaves no time for what arrives: there it is drawn every now and then, and when it is complete.
function drawSeldom() {
  const EVERY_MS = 2000;
  const { cache, eventTarget, Enums, getRenderingEngines } = window.cornerstone;
  const { VOLUME_CACHE_VOLUME_ADDED: CAME, IMAGE_VOLUME_MODIFIED: FILLED, IMAGE_VOLUME_LOADING_COMPLETED: DONE } =
    Enums.Events;
  let waiting = 0;
  const draw = () => {
    waiting = 0;
    getRenderingEngines().forEach((engine) => engine.render());
  };
  const came = ({ detail }) => {
    const volume = cache.getVolume(detail.volume.volumeId);
    if (volume) volume.autoRenderOnLoad = false;
  };
  const filled = () => {
    if (!waiting) waiting = window.setTimeout(draw, EVERY_MS);
  };
  const heard = [[CAME, came], [FILLED, filled], [DONE, draw]];
  heard.forEach(([name, does]) => eventTarget.addEventListener(name, does));
  return {
    unsubscribe: () => {
      window.clearTimeout(waiting);
      heard.forEach(([name, does]) => eventTarget.removeEventListener(name, does));
    },
  };
}
