// Runs before the first paint, so that a chosen theme never flashes.
try {
  const chosen = localStorage.getItem("labs.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Without storage the device's own setting holds.
}
