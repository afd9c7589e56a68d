/**
 * The API of the cloud with made-up moving data, for work on the dashboard without a cloud.
 *
 *     node mock/server.mjs            # http://127.0.0.1:5199/sign-in#token=demo
 *
 * Serves the built bundle under the cloud's own security policy. Not part of any product.
 */

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { GATEWAYS, PERSON, SITES, TENANT, flaky, sampleOf, spansOf, startedAt } from "./plant.mjs";

const PORT = Number(process.env.PORT ?? 5199);
const STATIC = process.env.STATIC ?? fileURLToPath(new URL("../../static/", import.meta.url));
const CSP =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2", ".txt": "text/plain" };
const MIN = 60_000;
const iso = (ms) => (ms === null ? null : new Date(ms).toISOString());
let usedTokens = new Set();
let liveDown = false;
const commands = new Map(GATEWAYS.map((one) => [one.id, []]));
const watchers = new Set();
const ring = [];
let cursor = 1000;

const siteOf = (gateway) => SITES.find((one) => one.id === gateway.site);
const named = ({ id, name }) => ({ id, name });
const devices = () => GATEWAYS.flatMap((gateway) => gateway.devices.map((device) => ({ gateway, device })));

function newest(gateway, device, point, now) {
  let t = now - (now % 1000);
  if (gateway.mode === "silent") t = startedAt - 12 * MIN - 1000;
  return { t, sample: sampleOf(gateway, device, point, t) };
}

function newestGood(gateway, device, point, now) {
  let { t } = newest(gateway, device, point, now);
  for (let i = 0; i < 200; i += 1, t -= 1000) {
    const sample = sampleOf(gateway, device, point, t);
    if (sample?.[1] === "good") return { t, value: sample[0] };
  }
  return null;
}

function pointView(gateway, device, point, now) {
  const { t, sample } = newest(gateway, device, point, now);
  const good = newestGood(gateway, device, point, now);
  const [value, quality, reason] = sample ?? [null, "bad", "stale"];
  const stale = now - t > (point.max_silence_s + 3 * point.interval_s + 5) * 1000;
  const { id, name, key, kind, unit, description, labels, decimals, interval_s, max_silence_s } = point;
  return {
    id, name, key, kind, unit, description, labels, decimals, interval_s, max_silence_s,
    value, good_value: good?.value ?? null, quality, reason: stale ? "stale" : reason,
    time: iso(t), good_at: good ? iso(good.t) : null, health: stale ? "stale" : quality,
  };
}

function counts(views) {
  const all = { total: views.length, good: 0, uncertain: 0, bad: 0, stale: 0, never: 0 };
  for (const one of views) all[one.health] += 1;
  return all;
}

function deviceSummary(gateway, device, now) {
  const views = device.points.map((point) => pointView(gateway, device, point, now));
  const silent = device.id === "d3" && flaky(now);
  const { id, name, protocol, address, profile, vendor, model, description } = device;
  const good = views.map((one) => one.good_at).filter(Boolean).sort().at(-1) ?? null;
  return {
    id, name, protocol, address, profile, vendor, model, description, gateway: named(gateway),
    silent_since: silent ? iso(now - (now % 90_000) + 70_000) : null,
    silent_reason: silent ? "no_answer" : null, newest_good_at: good, points: counts(views),
  };
}

function gatewayView(gateway, now) {
  const list = gateway.devices.map((device) => deviceSummary(gateway, device, now));
  const points = { total: 0, good: 0, uncertain: 0, bad: 0, stale: 0, never: 0 };
  for (const one of list) for (const key of Object.keys(points)) points[key] += one.points[key];
  const left = Math.max(0, 48_400 - ((now - startedAt) / 1000) * 90) | 0;
  const catching = gateway.mode === "catching_up" && left > 0;
  const silentSince = gateway.mode === "silent" ? startedAt - 12 * MIN : null;
  return {
    id: gateway.id, name: gateway.name, site: named(siteOf(gateway)), version: "0.1.0",
    state: gateway.mode === "catching_up" && !catching ? "live" : gateway.mode,
    last_contact_at: gateway.mode === "waiting" ? null : iso(silentSince ?? now - 300),
    newest_good_at: list.map((one) => one.newest_good_at).filter(Boolean).sort().at(-1) ?? null,
    silent_since: iso(silentSince),
    backlog: catching
      ? { batches: Math.ceil(left / 1000), samples: left, oldest_at: iso(startedAt - 24 * MIN + (48_400 - left) * 20) }
      : { batches: 0, samples: 0, oldest_at: null },
    devices: list.length, points,
    alerts: alerts(now).filter((one) => one.gateway.id === gateway.id && one.state === "raised").length,
  };
}

function gatewayDetail(gateway, now) {
  const lost = gateway.mode === "live" ? 3 : 0;
  return {
    ...gatewayView(gateway, now),
    device_list: gateway.devices.map((device) => deviceSummary(gateway, device, now)),
    streams: gateway.mode === "waiting" ? [] : [
      { stream: "events", epoch: "9f3c0a117be2d845", received: 214, lost: 0, missing: 0 },
      { stream: "samples", epoch: "9f3c0a117be2d845", received: 12345, lost, missing: gateway.mode === "catching_up" ? 42 : 0 },
    ],
    certificate_expires_at: iso(startedAt + 81 * 24 * 60 * MIN), enrolled_at: iso(startedAt - 9 * 24 * 60 * MIN),
  };
}

function alerts(now) {
  const [{ device: pump, gateway }] = devices();
  const level = pump.points.find((one) => one.name === "level");
  const site = named(siteOf(gateway));
  const base = { gateway: named(gateway), site, device: named(pump), point: { ...named(level), key: level.key, unit: level.unit } };
  const past = [4.2, 15, 26, 70, 130].map((min, i) => ({
    id: `a${i}`, rule: "sump-high", priority: ["high", "high", "critical", "medium", "low"][i],
    message: ["Sump level above 2.60 m for 10 s", "Sump level above 2.60 m for 10 s", "Both pumps at their limit", "Flow below expected while pump 1 runs", "Hatch opened"][i],
    state: "cleared", raised_at: iso(startedAt - min * MIN), cleared_at: iso(startedAt - (min - 1.4) * MIN), value: 2.63, clear_value: 2.41, ...base,
  }));
  const active = {
    id: "active", rule: "sump-high", priority: "high", message: "Sump level above 2.60 m for 10 s", state: "raised",
    raised_at: iso(startedAt - 40_000), cleared_at: null, value: 2.62, clear_value: null, ...base,
  };
  const [, , g3] = GATEWAYS;
  const meter = g3.devices[0];
  const critical = {
    id: "critical", rule: "shore-power-lost", priority: "critical", message: "Shore power lost on the dock feed", state: "raised",
    raised_at: iso(startedAt - 12.4 * MIN), cleared_at: null, value: 0, clear_value: null, gateway: named(g3), site: named(siteOf(g3)), device: named(meter),
    point: { id: meter.points[0].id, name: "power", key: meter.points[0].key, unit: "kW" },
  };
  void now;
  return [active, critical, ...past];
}

function history(gateway, device, point, from, to, buckets) {
  const width = Math.max(1000, (to - from) / buckets);
  const out = { time: [], min: [], max: [], mean: [], last: [], count: [], good: [] };
  const now = Date.now();
  for (let start = Math.floor(from / width) * width; start < Math.min(to, now); start += width) {
    const values = [];
    let count = 0;
    let good = 0;
    let last = null;
    for (let i = 0; i < 6; i += 1) {
      const t = start + (i * width) / 6;
      if (t > now || (width <= 1000 && i)) continue;
      const sample = sampleOf(gateway, device, point, t);
      if (!sample) continue;
      count += 1;
      if (sample[1] === "good") good += 1;
      if (sample[1] !== "bad") { values.push(Number(sample[0])); last = sample[0]; }
    }
    if (!count) continue;
    const text = point.kind === "text" || !values.length;
    out.time.push(Math.round(start));
    out.min.push(text ? null : Math.min(...values));
    out.max.push(text ? null : Math.max(...values));
    out.mean.push(text ? null : values.reduce((a, b) => a + b, 0) / values.length);
    out.last.push(last);
    out.count.push(count);
    out.good.push(good / count);
  }
  const spans = spansOf(gateway, device, now)
    .filter((one) => one.from < to && one.to > from)
    .map((one) => ({ ...one, from: iso(Math.max(from, one.from)), to: iso(Math.min(to, one.to)) }));
  return { from: iso(from), to: iso(to), bucket_s: width / 1000, ...out, spans };
}

function emit(event, body) {
  cursor += 1;
  const text = `id: ${cursor}\nevent: ${event}\ndata: ${JSON.stringify(body)}\n\n`;
  ring.push({ cursor, text });
  if (ring.length > 500) ring.shift();
  if (!liveDown) for (const one of watchers) one.write(text);
}

setInterval(() => {
  const now = Date.now();
  for (const gateway of GATEWAYS) {
    if (gateway.mode === "silent" || gateway.mode === "waiting") continue;
    const t = now - (now % 1000);
    const points = gateway.devices.flatMap((device) => device.points.map((point) => {
      const [value, quality, reason] = sampleOf(gateway, device, point, t);
      return [point.id, t, value, quality, reason];
    }));
    emit("values", { gateway: gateway.id, late: gateway.mode === "catching_up", points });
    emit("gateway", gatewayView(gateway, now));
  }
  const { gateway, device } = devices().find((one) => one.device.id === "d3");
  if ([0, 70, 71].includes(Math.floor((now / 1000) % 90))) emit("device", deviceSummary(gateway, device, now));
}, 1000);
setInterval(() => { for (const one of watchers) one.write(": ping\n\n"); }, 10_000);

function runCommand(gateway) {
  const at = Date.now();
  const command = {
    id: `c${at}`, name: "refresh", state: "queued", reason: "", issued_by: PERSON.name, issued_at: iso(at), not_after: iso(at + 60_000),
    sent_at: null, acknowledged_at: null, ended_at: null,
  };
  commands.get(gateway.id).unshift(command);
  if (gateway.mode === "silent") return command;
  const step = (ms, change) => setTimeout(() => { Object.assign(command, change()); emit("command", { ...command, gateway: { id: gateway.id } }); }, ms);
  step(400, () => ({ state: "sent", sent_at: iso(Date.now()) }));
  step(1000, () => ({ state: "acknowledged", acknowledged_at: iso(Date.now()) }));
  step(2200, () => ({ state: "succeeded", ended_at: iso(Date.now()) }));
  return { ...command };
}

const bodyOf = async (req) => { let text = ""; for await (const one of req) text += one; return text ? JSON.parse(text) : {}; };

function problem(res, status, code, detail) {
  res.writeHead(status, { "Content-Type": "application/problem+json" });
  res.end(JSON.stringify({ type: `https://tidegate.dev/problems/${code}`, title: code, status, detail, code }));
}

function json(res, body, status = 200, headers = {}) {
  res.writeHead(status, { "Content-Type": "application/json", ...headers });
  res.end(JSON.stringify(body));
}

const SESSION = () => ({ person: PERSON, tenant: TENANT, role: "owner", expires_at: iso(Date.now() + 8 * 60 * MIN) });

async function signIn(req, res) {
  const { token, password } = await bodyOf(req);
  const good = token ? token.startsWith("demo") && !usedTokens.has(token) : password === "tide";
  if (!good) return problem(res, 401, "not-signed-in", "This sign-in link or password is not valid.");
  if (token && token !== "demo") usedTokens.add(token);
  json(res, SESSION(), 200, { "Set-Cookie": "tidegate_session=mock; HttpOnly; SameSite=Strict; Path=/" });
}

function live(req, res) {
  res.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  const last = Number(req.headers["last-event-id"] ?? 0);
  res.write(`id: ${cursor}\nevent: hello\ndata: ${JSON.stringify({ now: iso(Date.now()), cursor })}\n\n`);
  if (last && !ring.some((one) => one.cursor === last)) res.write(`id: ${cursor}\nevent: reset\ndata: {}\n\n`);
  else if (last) for (const one of ring) if (one.cursor > last) res.write(one.text);
  watchers.add(res);
  req.on("close", () => watchers.delete(res));
}

async function route(req, res, url) {
  const now = Date.now();
  const path = url.pathname;
  if (path === "/mock/drop") { for (const one of watchers) one.destroy(); liveDown = url.searchParams.get("for") !== null; setTimeout(() => (liveDown = false), Number(url.searchParams.get("for") ?? 0)); return json(res, {}); }
  if (path === "/v1/session" && req.method === "POST") return signIn(req, res);
  if (!/tidegate_session=mock/.test(req.headers.cookie ?? "")) return problem(res, 401, "not-signed-in", "Sign in first.");
  if (path === "/v1/session") return req.method === "DELETE" ? res.writeHead(204, { "Set-Cookie": "tidegate_session=; Max-Age=0; Path=/" }).end() : json(res, SESSION());
  if (path === "/v1/live") return liveDown ? problem(res, 503, "not-ready", "Restarting.") : live(req, res);
  if (path === "/v1/sites") return json(res, { sites: SITES.map((site) => {
    const own = GATEWAYS.filter((one) => one.site === site.id).map((one) => gatewayView(one, now));
    return { ...site, gateways: own.length, alerts: own.reduce((n, one) => n + one.alerts, 0), state: own.some((one) => one.state === "silent") ? "silent" : "live" };
  }) });
  if (path === "/v1/gateways") return json(res, { gateways: GATEWAYS.map((one) => gatewayView(one, now)) });
  if (path === "/v1/alerts") return json(res, { alerts: alerts(now).filter((one) =>
    (url.searchParams.get("state") !== "active" || one.state === "raised") &&
    [null, one.device.id].includes(url.searchParams.get("device")) && [null, one.gateway.id].includes(url.searchParams.get("gateway"))), next_cursor: null });
  const claim = path.match(/^\/v1\/sites\/([^/]+)\/claims$/);
  if (claim) return json(res, { claim: "TGC-7Q4M-K2XW-9DRT-V5HB-3NPE", url: "https://cloud.example:8443", expires_at: iso(now + 24 * 60 * MIN), site: named(SITES.find((one) => one.id === claim[1])) }, 201);
  const gw = path.match(/^\/v1\/gateways\/([^/]+)(\/commands)?$/);
  const gateway = gw && GATEWAYS.find((one) => one.id === gw[1]);
  if (gateway && gw[2]) return req.method === "POST" ? json(res, runCommand(gateway), 201) : json(res, { commands: commands.get(gateway.id) });
  if (gateway) return json(res, gatewayDetail(gateway, now));
  const dev = path.match(/^\/v1\/devices\/([^/]+)$/);
  const found = dev && devices().find((one) => one.device.id === dev[1]);
  if (found) return json(res, { ...deviceSummary(found.gateway, found.device, now), site: named(siteOf(found.gateway)), point_list: found.device.points.map((point) => pointView(found.gateway, found.device, point, now)) });
  const hist = path.match(/^\/v1\/points\/([^/]+)\/history$/);
  if (hist) for (const { gateway: g, device } of devices()) {
    const point = device.points.find((one) => one.id === hist[1]);
    if (point) return json(res, history(g, device, point, Date.parse(url.searchParams.get("from")), Date.parse(url.searchParams.get("to")), Number(url.searchParams.get("buckets") ?? 600)));
  }
  return problem(res, 404, "not-found", "There is no such thing.");
}

async function file(res, path) {
  const name = normalize(join(STATIC, path));
  const body = await readFile(name.startsWith(STATIC) && extname(name) ? name : join(STATIC, "index.html")).catch(() => readFile(join(STATIC, "index.html")));
  res.writeHead(200, { "Content-Type": TYPES[extname(name)] ?? "text/html", "Content-Security-Policy": CSP });
  res.end(body);
}

createServer((req, res) => {
  const url = new URL(req.url, "http://localhost");
  const isApi = url.pathname.startsWith("/v1/") || url.pathname.startsWith("/mock/");
  void (isApi ? route(req, res, url) : file(res, url.pathname));
}).listen(PORT, "127.0.0.1", () => console.log(`mock cloud: http://127.0.0.1:${PORT}/sign-in#token=demo`));
