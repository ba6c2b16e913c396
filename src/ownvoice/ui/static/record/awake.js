// Keeps the screen on while somebody speaks: a phone that locks itself takes the microphone away with the screen.
// Where a browser cannot or may not (a low battery), the device does as it always does.

/** Returns what lets the screen go off again. */
export function stayAwake() {
  const held = navigator.wakeLock?.request("screen").catch((error) => {
    if (!(error instanceof DOMException)) throw error;
  });
  return async () => (await held)?.release();
}
