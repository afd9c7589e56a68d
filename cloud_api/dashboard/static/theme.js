// Before the first paint: a remembered theme wins over the system's.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem("tidegate.theme");
  } catch {
    // Storage is closed to us: follow the system.
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
