/** The data of a chart: histories of the chosen points, and the live values that follow them. */

import { api, type History, type LiveValue, type LiveValues } from "./api";

const MAX_TAIL = 2000;

export class Trend {
  histories = $state.raw<Record<string, History>>({});
  loading = $state(false);
  error = $state<Error | null>(null);
  /** Grows when there is something new to draw. */
  version = $state(0);
  /** End of the window that was loaded last, in ms. */
  loadedTo = 0;
  #tails = new Map<string, LiveValue[]>();
  #request = 0;

  tail(point: string): LiveValue[] {
    return this.#tails.get(point) ?? [];
  }

  /** Load all points for one window; a newer request makes an older one void. */
  async load(points: string[], from: number, to: number, buckets: number): Promise<void> {
    const request = ++this.#request;
    const query = { from: new Date(from).toISOString(), to: new Date(to).toISOString(), buckets };
    this.loading = true;
    try {
      const loaded = await Promise.all(points.map((id) => api.history(id, query)));
      if (request !== this.#request) return;
      this.histories = Object.fromEntries(points.map((id, i) => [id, loaded[i] as History]));
      this.loadedTo = to;
      this.#cutTails();
      this.error = null;
      this.version += 1;
    } catch (cause) {
      if (request === this.#request) this.error = cause as Error;
    } finally {
      if (request === this.#request) this.loading = false;
    }
  }

  take(values: LiveValues): void {
    let any = false;
    for (const live of values.points) {
      if (!(live[0] in this.histories)) continue;
      const tail = this.#tails.get(live[0]) ?? [];
      if (tail.length && (tail.at(-1) as LiveValue)[1] >= live[1]) continue;
      tail.push(live);
      if (tail.length > MAX_TAIL) tail.shift();
      this.#tails.set(live[0], tail);
      any = true;
    }
    if (any) this.version += 1;
  }

  /** What the histories hold by now needs no live value any more. */
  #cutTails(): void {
    for (const [id, tail] of this.#tails) {
      const history = this.histories[id];
      const newest = history?.time.at(-1) ?? 0;
      if (history) this.#tails.set(id, tail.filter((one) => one[1] > newest));
      else this.#tails.delete(id);
    }
  }
}
