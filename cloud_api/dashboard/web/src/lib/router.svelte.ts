/** Addresses of pages: the view on the screen is always in the address, so that it can be sent. */

export type Route =
  | { page: "overview" }
  | { page: "alerts" }
  | { page: "device"; id: string }
  | { page: "gateway"; id: string }
  | { page: "sign-in" }
  | { page: "unknown" };

/** The page that a path names. */
export function routeOf(path: string): Route {
  const [first = "", id = "", more] = path.split("/").filter(Boolean).map(decodeURIComponent);
  if (more !== undefined) return { page: "unknown" };
  if (first === "") return { page: "overview" };
  if (first === "alerts" && !id) return { page: "alerts" };
  if (first === "sign-in" && !id) return { page: "sign-in" };
  if (first === "devices" && id) return { page: "device", id };
  if (first === "gateways" && id) return { page: "gateway", id };
  return { page: "unknown" };
}

export const paths = {
  device: (id: string) => `/devices/${encodeURIComponent(id)}`,
  gateway: (id: string) => `/gateways/${encodeURIComponent(id)}`,
};

class Router {
  path = $state(location.pathname);
  query = $state(new URLSearchParams(location.search));
  route = $derived(routeOf(this.path));

  constructor() {
    addEventListener("popstate", () => this.#read());
    addEventListener("click", (event) => this.#follow(event));
  }

  go(to: string, replace = false): void {
    history[replace ? "replaceState" : "pushState"](null, "", to);
    this.#read();
  }

  /** Change the query without a new page in the history. */
  setQuery(changes: Record<string, string | null>): void {
    const next = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) next.delete(name);
      else next.set(name, value);
    }
    const text = next.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
    this.go(location.pathname + (text ? `?${text}` : ""), true);
  }

  #read(): void {
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
  }

  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.("a");
    if (!link || link.target || link.origin !== location.origin || link.hasAttribute("download")) {
      return;
    }
    if (link.hash && link.pathname === location.pathname) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

export const router = new Router();
