/** The HTTP contract of the cloud (v1) as the dashboard uses it. Times are RFC 3339 in UTC. */

export type Quality = "good" | "uncertain" | "bad";
export type Health = Quality | "stale" | "never";
export type GatewayState = "live" | "catching_up" | "silent" | "waiting";
export type Kind = "float" | "integer" | "boolean" | "text" | "enumeration";
export type Priority = "low" | "medium" | "high" | "critical";
export type Value = number | boolean | string | null;

export interface Named {
  id: string;
  name: string;
}

export interface Session {
  person: Named & { email: string };
  tenant: Named;
  role: string;
  expires_at: string;
}

export interface Site extends Named {
  time_zone: string;
  gateways: number;
  alerts: number;
  state: GatewayState | "empty";
}

export interface PointCounts {
  total: number;
  good: number;
  uncertain: number;
  bad: number;
  stale: number;
  never: number;
}

export interface Backlog {
  batches: number;
  samples: number;
  oldest_at: string | null;
}

export interface Gateway extends Named {
  site: Named;
  version: string;
  state: GatewayState;
  last_contact_at: string | null;
  newest_good_at: string | null;
  silent_since: string | null;
  backlog: Backlog;
  devices: number;
  points: PointCounts;
  alerts: number;
}

export interface DeviceSummary extends Named {
  protocol: string;
  address: string;
  profile: string;
  vendor: string;
  model: string;
  description: string;
  gateway: Named;
  silent_since: string | null;
  silent_reason: string | null;
  newest_good_at: string | null;
  points: PointCounts;
}

export interface Stream {
  stream: string;
  epoch: string;
  received: number;
  lost: number;
  missing: number;
}

export interface GatewayDetail extends Gateway {
  device_list: DeviceSummary[];
  streams: Stream[];
  certificate_expires_at: string | null;
  enrolled_at: string | null;
}

export interface PointView extends Named {
  key: string;
  kind: Kind;
  unit: string;
  description: string;
  labels: Record<string, string>;
  decimals: number | null;
  interval_s: number;
  max_silence_s: number;
  value: Value;
  good_value: Value;
  /** Null as long as there is no sample. */
  quality: Quality | null;
  reason: string;
  time: string | null;
  good_at: string | null;
  health: Health;
}

export interface DeviceDetail extends DeviceSummary {
  site: Named;
  point_list: PointView[];
}

export type SpanKind =
  | "backfilled"
  | "lost"
  | "silent"
  | "outage"
  | "device_silent"
  | "bad"
  | "clock";

export interface Span {
  kind: SpanKind;
  from: string;
  to: string;
  reason: string;
}

export interface History {
  from: string;
  to: string;
  bucket_s: number;
  time: number[];
  min: (number | null)[];
  max: (number | null)[];
  mean: (number | null)[];
  last: Value[];
  count: number[];
  good: number[];
  spans: Span[];
}

export interface Alert {
  id: string;
  rule: string;
  message: string;
  priority: Priority;
  state: "raised" | "cleared";
  raised_at: string;
  cleared_at: string | null;
  value: Value;
  clear_value: Value;
  point: (Named & { key: string; unit: string }) | null;
  device: Named | null;
  gateway: Named;
  site: Named;
}

export type CommandState =
  | "queued"
  | "sent"
  | "acknowledged"
  | "succeeded"
  | "failed"
  | "expired";

export interface Command extends Named {
  state: CommandState;
  reason: string | null;
  issued_by: string | null;
  issued_at: string;
  not_after: string | null;
  sent_at: string | null;
  acknowledged_at: string | null;
  ended_at: string | null;
}

export interface Claim {
  claim: string;
  expires_at: string;
  site: Named;
  /** Address at which gateways reach the cloud. */
  url: string;
}

/** `[point, time in ms, value, quality, reason]` */
export type LiveValue = [string, number, Value, Quality, string];

export interface LiveValues {
  gateway: string;
  late: boolean;
  points: LiveValue[];
}

/** What the cloud answered instead of the wanted thing (RFC 9457), or that it did not answer. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }

  /** The line is down or the cloud is restarting: worth another try. */
  get retryable(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

type Query = Record<string, string | number | null | undefined>;

let onSignedOut: () => void = () => {};

/** Call `listener` whenever the cloud says that nobody is signed in. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

async function problemOf(response: Response): Promise<ApiError> {
  let body: { code?: string; title?: string; detail?: string } = {};
  try {
    body = (await response.json()) as typeof body;
  } catch {
    // Not JSON: a proxy's page. The status says enough.
  }
  const text = body.detail ?? body.title ?? `The cloud answered ${response.status}.`;
  return new ApiError(response.status, body.code ?? "unknown", text);
}

async function request<T>(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<T> {
  const all: Record<string, string> = { Accept: "application/json", ...headers };
  if (method !== "GET") all["Tidegate-CSRF"] = "1";
  if (body !== undefined) all["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: all,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(20_000),
    });
  } catch {
    throw new ApiError(0, "unreachable", "The cloud does not answer. Trying again may help.");
  }
  if (response.status === 401 && path !== "/v1/session") onSignedOut();
  if (!response.ok) throw await problemOf(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

function withQuery(path: string, query: Query): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") text.set(name, String(value));
  }
  return text.size ? `${path}?${text}` : path;
}

const part = encodeURIComponent;

export const api = {
  session: () => request<Session>("GET", "/v1/session"),
  signInWithToken: (token: string) => request<Session>("POST", "/v1/session", { token }),
  signIn: (email: string, password: string) =>
    request<Session>("POST", "/v1/session", { email, password }),
  signOut: () => request<void>("DELETE", "/v1/session"),
  sites: async () => (await request<{ sites: Site[] }>("GET", "/v1/sites")).sites,
  gateways: async () => (await request<{ gateways: Gateway[] }>("GET", "/v1/gateways")).gateways,
  gateway: (id: string) => request<GatewayDetail>("GET", `/v1/gateways/${part(id)}`),
  device: (id: string) => request<DeviceDetail>("GET", `/v1/devices/${part(id)}`),
  history: (point: string, query: { from: string; to: string; buckets: number }) =>
    request<History>("GET", withQuery(`/v1/points/${part(point)}/history`, query)),
  alerts: (query: Query) =>
    request<{ alerts: Alert[]; next_cursor: string | null }>("GET", withQuery("/v1/alerts", query)),
  commands: async (gateway: string, limit = 10) =>
    (
      await request<{ commands: Command[] }>(
        "GET",
        withQuery(`/v1/gateways/${part(gateway)}/commands`, { limit }),
      )
    ).commands,
  refresh: (gateway: string) =>
    request<Command>(
      "POST",
      `/v1/gateways/${part(gateway)}/commands`,
      { name: "refresh" },
      { "Idempotency-Key": crypto.randomUUID() },
    ),
  claim: (site: string, validHours: number) =>
    request<Claim>(
      "POST",
      `/v1/sites/${part(site)}/claims`,
      { valid_hours: validHours },
      { "Idempotency-Key": crypto.randomUUID() },
    ),
};
