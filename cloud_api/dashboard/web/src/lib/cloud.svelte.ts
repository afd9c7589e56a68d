/** What the page knows of the cloud: loaded once, then kept true by the live stream. */

import {
  api,
  type Alert,
  type Command,
  type DeviceDetail,
  type DeviceSummary,
  type Gateway,
  type GatewayDetail,
  type LiveValue,
  type LiveValues,
  type PointView,
  type Site,
} from "./api";
import { cloudClock } from "./clock.svelte";
import { toMs } from "./format";
import { session } from "./session.svelte";
import { follow, type ServerEvent } from "./sse";

export type Line = "connecting" | "live" | "reconnecting";
type ValuesListener = (values: LiveValues) => void;

const MAX_COMMANDS = 20;
/** Beyond this many devices the ages of an overview come from loading it again alone. */
const MAX_LEARNED_DEVICES = 40;

/** Put one live value into a point, unless a newer one is there (back-filled values come late). */
export function applyValue(point: PointView, live: LiveValue): void {
  const [, ms, value, quality, reason] = live;
  if (point.time !== null && ms < toMs(point.time)) return;
  const at = new Date(ms).toISOString();
  point.time = at;
  point.value = quality === "bad" ? null : value;
  point.quality = quality;
  point.reason = reason;
  if (quality === "good") {
    point.good_value = value;
    point.good_at = at;
  }
}

class Cloud {
  line = $state<Line>("connecting");
  /** Last moment at which the live stream said something. */
  heardAt = $state(0);
  /** Grows whenever everything must be loaded again. */
  generation = $state(0);
  sites = $state<Site[]>([]);
  gateways = $state<Record<string, Gateway>>({});
  devices = $state<Record<string, DeviceSummary>>({});
  details = $state<Record<string, GatewayDetail>>({});
  points = $state<Record<string, PointView>>({});
  alerts = $state<Record<string, Alert>>({});
  commands = $state<Record<string, Command[]>>({});
  activeAlerts = $derived(Object.values(this.alerts).filter((one) => one.state === "raised"));

  #stop: AbortController | null = null;
  #listeners = new Set<ValuesListener>();
  #waiting: LiveValues[] = [];
  #frame = 0;
  /** Which device a point belongs to, as far as we have seen. */
  #deviceOf = new Map<string, string>();

  /** Time zone of a site; UTC when unknown. */
  zoneOf(site: string | undefined): string {
    return this.sites.find((one) => one.id === site)?.time_zone || "UTC";
  }

  onValues(listener: ValuesListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async loadOverview(): Promise<void> {
    const [sites, gateways, alerts] = await Promise.all([
      api.sites(),
      api.gateways(),
      api.alerts({ state: "active", limit: 200 }),
    ]);
    this.sites = sites;
    this.gateways = Object.fromEntries(gateways.map((one) => [one.id, one]));
    this.alerts = Object.fromEntries(alerts.alerts.map((one) => [one.id, one]));
    await Promise.all(gateways.map((one) => this.loadGateway(one.id)));
    void this.#learnPoints();
  }

  /** Live values name points, not devices: learn once which is whose. */
  async #learnPoints(): Promise<void> {
    const known = new Set(this.#deviceOf.values());
    const all = Object.keys(this.devices);
    if (all.length > MAX_LEARNED_DEVICES) return;
    for (const id of all) {
      if (known.has(id) || this.devices[id]?.points.total === 0) continue;
      try {
        for (const one of (await api.device(id)).point_list) this.#deviceOf.set(one.id, id);
      } catch {
        return; // The next loading of the overview tries again.
      }
    }
  }

  /** Devices of a gateway in the cloud's order. */
  devicesOf(gateway: string): DeviceSummary[] {
    return (this.details[gateway]?.device_list ?? []).flatMap((one) => this.devices[one.id] ?? []);
  }

  async loadSites(): Promise<void> {
    this.sites = await api.sites();
  }

  async loadGateway(id: string): Promise<GatewayDetail> {
    const detail = await api.gateway(id);
    this.details[id] = detail;
    this.gateways[id] = detail;
    for (const one of detail.device_list) this.devices[one.id] = one;
    return detail;
  }

  async loadDevice(id: string): Promise<DeviceDetail> {
    const device = await api.device(id);
    this.devices[id] = device;
    this.points = Object.fromEntries(device.point_list.map((one) => [one.id, one]));
    for (const one of device.point_list) this.#deviceOf.set(one.id, id);
    return device;
  }

  async loadCommands(gateway: string): Promise<void> {
    this.commands[gateway] = await api.commands(gateway, MAX_COMMANDS);
  }

  async loadActiveAlerts(): Promise<void> {
    const { alerts } = await api.alerts({ state: "active", limit: 200 });
    this.alerts = Object.fromEntries(alerts.map((one) => [one.id, one]));
  }

  putCommand(gateway: string, command: Command): void {
    const others = (this.commands[gateway] ?? []).filter((one) => one.id !== command.id);
    const all = [command, ...others].sort((a, b) => toMs(b.issued_at) - toMs(a.issued_at));
    this.commands[gateway] = all.slice(0, MAX_COMMANDS);
  }

  /** Everything of the cloud's that this page holds belongs to one session. */
  forget(): void {
    this.stop();
    this.sites = [];
    this.gateways = {};
    this.devices = {};
    this.details = {};
    this.points = {};
    this.alerts = {};
    this.commands = {};
    this.#deviceOf.clear();
  }

  start(): void {
    if (this.#stop) return;
    this.#stop = new AbortController();
    this.line = "connecting";
    let first = true;
    void follow("/v1/live", this.#stop.signal, {
      opened: () => {
        this.line = "live";
        this.heardAt = cloudClock.exact();
        if (!first) this.generation += 1;
        first = false;
      },
      event: (event) => this.#take(event),
      failed: (status) => {
        this.line = "reconnecting";
        if (status === 401) session.current = null;
      },
    });
  }

  stop(): void {
    this.#stop?.abort();
    this.#stop = null;
  }

  #take({ event, data }: ServerEvent): void {
    this.heardAt = cloudClock.exact();
    if (event === "reset") {
      this.generation += 1;
      return;
    }
    const body = JSON.parse(data);
    if (event === "values") this.#enqueue(body);
    else if (event === "gateway") this.#takeGateway(body);
    else if (event === "alert") this.alerts[body.id] = body;
    else if (event === "device") this.#takeDevice(body);
    else if (event === "command") this.putCommand(body.gateway.id, body);
    else if (event === "hello") cloudClock.set(body.now);
  }

  #takeGateway(gateway: Gateway): void {
    this.gateways[gateway.id] = { ...this.gateways[gateway.id], ...gateway };
    const detail = this.details[gateway.id];
    if (detail) this.details[gateway.id] = { ...detail, ...gateway };
  }

  #takeDevice(device: DeviceSummary): void {
    this.devices[device.id] = { ...this.devices[device.id], ...device };
    const detail = this.details[device.gateway.id];
    if (!detail) return;
    if (!detail.device_list.some((one) => one.id === device.id)) detail.device_list.push(device);
  }

  /** Values are applied once a frame, however many arrive; a hidden page has no frames. */
  #enqueue(values: LiveValues): void {
    this.#waiting.push(values);
    if (document.hidden) this.#apply();
    else this.#frame ||= requestAnimationFrame(() => this.#apply());
  }

  #apply(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const all = this.#waiting;
    this.#waiting = [];
    for (const values of all) {
      for (const live of values.points) {
        const point = this.points[live[0]];
        if (point) applyValue(point, live);
        if (live[3] === "good") this.#hearDevice(live[0], live[1]);
      }
      this.#hearGateway(values);
      for (const listener of this.#listeners) listener(values);
    }
  }

  #hearDevice(point: string, ms: number): void {
    const device = this.devices[this.#deviceOf.get(point) ?? ""];
    if (!device || (device.newest_good_at && toMs(device.newest_good_at) >= ms)) return;
    device.newest_good_at = new Date(ms).toISOString();
  }

  #hearGateway(values: LiveValues): void {
    const gateway = this.gateways[values.gateway];
    if (!gateway) return;
    const newest = Math.max(...values.points.map((one) => (one[3] === "good" ? one[1] : 0)));
    const known = gateway.newest_good_at ? toMs(gateway.newest_good_at) : 0;
    if (newest > known) gateway.newest_good_at = new Date(newest).toISOString();
  }
}

export const cloud = new Cloud();
