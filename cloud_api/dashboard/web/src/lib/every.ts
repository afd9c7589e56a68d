/** Do something now and then, and again as soon as a hidden page is looked at. */

export function every(ms: number, task: () => void): () => void {
  const timer = setInterval(() => {
    if (!document.hidden) task();
  }, ms);
  const seen = () => {
    if (!document.hidden) task();
  };
  document.addEventListener("visibilitychange", seen);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", seen);
  };
}
