/** The cloud's clock, ticking once a second, so that ages are right on a browser that is wrong. */

class Clock {
  now = $state(Date.now());
  #offset = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** The cloud said what time it is. */
  set(cloudNow: string): void {
    this.#offset = Date.parse(cloudNow) - Date.now();
    this.now = this.exact();
  }

  /** The time this very moment, not the last tick. */
  exact(): number {
    return Date.now() + this.#offset;
  }

  start(): void {
    this.#timer ??= setInterval(() => (this.now = this.exact()), 1000);
  }
}

export const cloudClock = new Clock();
