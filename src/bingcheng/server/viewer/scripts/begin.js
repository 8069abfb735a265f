// What holds before the viewer starts: language, mode, the way back, signing in anew.

try {
  window.localStorage.setItem("i18nextLng", own.language);
} catch (refused) {
  // Without storage the viewer takes the browser's language.
}

// The one mode that the address names: each that is loaded is waited for before anything is shown.
const mode = own.modes[window.location.pathname.split("/").pop()];
config.modes = mode ? [mode] : Object.values(own.modes);

// Back to Bingcheng, in place of the viewer's own name.
config.whiteLabeling = {
  createLogoComponentFn: (React) =>
    React.createElement(
      "a",
      { href: own.home, title: own.back, className: "text-foreground mx-2 whitespace-nowrap text-base" },
      narrow ? "←" : own.back
    ),
};

// Signed out meanwhile: sign in again, and come back here.
config.httpErrorHandler = (error) => {
  if (error && error.status === 401) {
    window.location.assign(own.signIn + encodeURIComponent(window.location.pathname + window.location.search));
  }
};
