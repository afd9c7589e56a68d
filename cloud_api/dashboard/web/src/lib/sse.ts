/** Server-sent events over fetch: sees the pings that EventSource hides, so that a dead line is
 * noticed, and resumes with `Last-Event-ID` after any failure. */

export interface ServerEvent {
  id: string;
  event: string;
  data: string;
}

/** Cut a stream of text into events (WHATWG HTML, 9.2.6). Keeps what is not complete yet. */
export class EventParser {
  #rest = "";
  #id = "";
  #event = "";
  #data: string[] = [];

  push(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        const done = this.#finish();
        if (done) events.push(done);
      } else {
        this.#field(line);
      }
    }
    return events;
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#event = value;
    else if (name === "id") this.#id = value;
  }

  #finish(): ServerEvent | null {
    const done = this.#data.length
      ? { id: this.#id, event: this.#event || "message", data: this.#data.join("\n") }
      : null;
    this.#event = "";
    this.#data = [];
    return done;
  }
}

/** Wait before try number `attempt` (0 first): full jitter, 0.5 s to 15 s. */
export function backOffMs(attempt: number, random = Math.random()): number {
  return 300 + random * Math.min(15_000, 700 * 2 ** attempt);
}

export interface StreamHandlers {
  opened(): void;
  event(event: ServerEvent): void;
  failed(status: number): void;
}

const SILENT_TOO_LONG_MS = 25_000;

async function readOnce(
  url: string,
  lastId: string,
  stop: AbortSignal,
  handlers: StreamHandlers,
): Promise<number> {
  const dead = new AbortController();
  let timer = setTimeout(() => dead.abort(), SILENT_TOO_LONG_MS);
  try {
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (lastId) headers["Last-Event-ID"] = lastId;
    const signal = AbortSignal.any([stop, dead.signal]);
    const response = await fetch(url, { headers, signal, cache: "no-store" });
    if (!response.ok || !response.body) return response.status;
    handlers.opened();
    const parser = new EventParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return 0;
      clearTimeout(timer);
      timer = setTimeout(() => dead.abort(), SILENT_TOO_LONG_MS);
      for (const event of parser.push(value)) handlers.event(event);
    }
  } catch {
    return 0;
  } finally {
    clearTimeout(timer);
  }
}

/** Follow a stream until `stop` is aborted, opening it again whenever it ends. */
export async function follow(
  url: string,
  stop: AbortSignal,
  handlers: StreamHandlers,
): Promise<void> {
  let lastId = "";
  let attempt = 0;
  const watched: StreamHandlers = {
    ...handlers,
    opened: () => {
      attempt = 0;
      handlers.opened();
    },
    event: (event) => {
      if (event.id) lastId = event.id;
      handlers.event(event);
    },
  };
  while (!stop.aborted) {
    const status = await readOnce(url, lastId, stop, watched);
    if (stop.aborted) return;
    handlers.failed(status);
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, backOffMs(attempt));
      stop.addEventListener("abort", () => (clearTimeout(timer), resolve(null)), { once: true });
    });
    attempt += 1;
  }
}
