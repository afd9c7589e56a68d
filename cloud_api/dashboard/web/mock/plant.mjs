/** A small made-up tenant whose values are a pure function of time, so that any history fits. */

const MIN = 60_000;

/** Noise in [-1, 1] that is the same for the same second. */
function noise(seed, t) {
  const x = Math.sin(seed * 127.1 + Math.floor(t / 1000) * 311.7) * 43758.5453;
  return 2 * (x - Math.floor(x)) - 1;
}

const wave = (t, period, phase = 0) => Math.sin((2 * Math.PI * t) / period + phase);
const running = (t) => (wave(t, 11 * MIN) > -0.55 ? 1 : 0);
const level = (t) => 1.9 + 0.9 * wave(t, 11 * MIN, 1.2) + 0.015 * noise(9, t);

const P = (name, unit, decimals, value, more = {}) => ({
  name, unit, decimals, value, kind: "float", labels: {}, description: "", interval_s: 1,
  max_silence_s: 60, ...more,
});

const PUMP = () => [
  P("flow", "m3/h", 1, (t) => running(t) * (42 + 3 * wave(t, 4 * MIN) + 0.6 * noise(1, t)), { description: "Flow in the rising main" }),
  P("level", "m", 2, level, { description: "Water level in the sump" }),
  P("level_limit", "m", 2, () => 2.6, { description: "Level at which the rule raises its alert" }),
  P("pressure", "bar", 2, (t) => 1.1 + running(t) * (2.7 + 0.1 * noise(2, t)), { description: "Pressure after the pumps" }),
  P("pump_1_state", "", null, running, { kind: "enumeration", labels: { 0: "stopped", 1: "running", 2: "fault" }, description: "Pump 1" }),
  P("pump_1_speed", "{rpm}", 0, (t) => running(t) * (1450 + 8 * noise(3, t)), { description: "Pump 1, speed" }),
  P("pump_1_current", "A", 1, (t) => running(t) * (11.8 + 0.3 * noise(4, t))),
  P("pump_2_state", "", null, () => 0, { kind: "enumeration", labels: { 0: "stopped", 1: "running", 2: "fault" }, description: "Pump 2" }),
  P("hatch_open", "", null, (t) => wave(t, 47 * MIN) > 0.97, { kind: "boolean", description: "Access hatch" }),
  P("water_temperature", "Cel", 1, (t) => 11.4 + 0.8 * wave(t, 1440 * MIN) + 0.05 * noise(5, t)),
  P("controller", "", null, () => "FW 4.2.1", { kind: "text", max_silence_s: 3600, interval_s: 60 }),
];

const METER = () => [
  P("power", "kW", 2, (t) => 6.1 + running(t) * 7.4 + 0.25 * noise(6, t), { description: "Active power, all phases" }),
  P("voltage_l1", "V", 1, (t) => 231 + 1.5 * noise(7, t)),
  P("voltage_l2", "V", 1, (t) => 230 + 1.5 * noise(17, t)),
  P("voltage_l3", "V", 1, (t) => 229.4 + 1.5 * noise(27, t)),
  P("current_l1", "A", 2, (t) => 9 + running(t) * 10 + 0.2 * noise(8, t)),
  P("frequency", "Hz", 2, (t) => 50 + 0.02 * noise(10, t)),
  P("energy", "kW.h", 1, (t) => 182_400 + ((t / 3_600_000) % 9000) * 9.2),
  P("power_factor", "1", 2, (t) => 0.93 + 0.02 * noise(11, t)),
];

const AIR = () => [
  P("supply_temperature", "Cel", 1, (t) => 19.5 + 1.2 * wave(t, 18 * MIN) + 0.1 * noise(12, t)),
  P("return_temperature", "Cel", 1, (t) => 22.1 + 0.6 * wave(t, 18 * MIN, 0.8) + 0.1 * noise(13, t)),
  P("supply_fan_speed", "%", 0, (t) => 62 + 6 * wave(t, 18 * MIN)),
  P("filter_pressure", "Pa", 0, (t) => 118 + 4 * noise(14, t)),
  P("co2", "[ppm]", 0, (t) => 640 + 120 * wave(t, 90 * MIN)),
  P("mode", "", null, () => 2, { kind: "enumeration", labels: { 0: "off", 1: "night", 2: "day", 3: "boost" } }),
];

const D = (id, name, description, profile, vendor, model, address, points) => ({
  id, name, description, profile, vendor, model, address, protocol: "modbus", points,
});

export const TENANT = { id: "t1", name: "Norderau Water" };
export const PERSON = { id: "u1", name: "Ada Petersen", email: "ada@norderau.example" };

export const SITES = [
  { id: "s1", name: "Kellerwerk", time_zone: "Europe/Berlin" },
  { id: "s2", name: "Harbour North", time_zone: "Europe/Lisbon" },
];

export const GATEWAYS = [
  { id: "g1", name: "cellar-1", site: "s1", mode: "live", devices: [
    D("d1", "pump-station", "Waste water pumps, basement 2", "demo-pump-station", "Norrflod", "PS-200", "127.0.0.1:5020 unit 1", PUMP()),
    D("d2", "energy-meter", "Main feed", "demo-energy-meter", "Veltron", "EM-3", "127.0.0.1:5020 unit 2", METER()),
    D("d3", "air-handling", "Hall ventilation, a flaky one", "demo-air-handling", "Luftwerk", "AHU-7", "127.0.0.1:5021 unit 1", AIR()),
  ] },
  { id: "g2", name: "quay-2", site: "s2", mode: "catching_up", devices: [
    D("d4", "lock-pump", "Lock drainage", "demo-pump-station", "Norrflod", "PS-200", "10.4.0.17:502 unit 1", PUMP()),
  ] },
  { id: "g3", name: "dry-dock", site: "s2", mode: "silent", devices: [
    D("d5", "dock-meter", "Shore power", "demo-energy-meter", "Veltron", "EM-3", "10.4.1.9:502 unit 1", METER()),
  ] },
  { id: "g4", name: "weighbridge", site: "s2", mode: "waiting", devices: [] },
];

for (const gateway of GATEWAYS) {
  for (const device of gateway.devices) {
    for (const point of device.points) {
      point.id = `${device.id}-${point.name}`;
      point.key = `${device.name}/${point.name}`;
    }
  }
}

const started = Date.now();

/** The air handling unit answers for 70 s, then does not for 20 s. */
export function flaky(t) {
  return (t / 1000) % 90 > 70;
}

/** Spans of a device in the past of the mock: an outage that was back-filled, one that was lost. */
export function spansOf(gateway, device, now) {
  const spans = [];
  const add = (kind, from, to, reason) => spans.push({ kind, from, to, reason });
  if (gateway.mode === "silent") add("silent", started - 12 * MIN, now, "");
  if (gateway.mode === "catching_up") add("backfilled", started - 24 * MIN, started - 6 * MIN, "");
  if (gateway.mode === "live") {
    add("backfilled", started - 3.6 * MIN, started - 2.4 * MIN, "");
    add("backfilled", started - 40 * MIN, started - 31 * MIN, "");
    add("lost", started - 52 * MIN, started - 49 * MIN, "disk full");
  }
  if (device.id === "d1") add("device_silent", started - 1.5 * MIN, started - 1.1 * MIN, "no_answer");
  if (device.id === "d3") {
    for (let t = now - (now % 90_000); t > now - 60 * MIN; t -= 90_000) {
      add("device_silent", t + 70_000, Math.min(now, t + 90_000), "no_answer");
    }
  }
  return spans.filter((one) => one.from < one.to);
}

/** One sample: [value, quality, reason], or null when there is none. */
export function sampleOf(gateway, device, point, t) {
  if (gateway.mode === "silent" && t > started - 12 * MIN) return null;
  if (gateway.mode === "live" && t > started - 52 * MIN && t < started - 49 * MIN) return null;
  if (device.id === "d1" && t > started - 1.5 * MIN && t < started - 1.1 * MIN) return [null, "bad", "no_answer"];
  if (device.id === "d3" && flaky(t)) return [null, "bad", "no_answer"];
  if (point.name === "filter_pressure" && (t / 1000) % 40 > 20) return [125, "uncertain", "out_of_range"];
  if (point.name === "power_factor") return [null, "bad", "not_implemented"];
  return [point.value(t), "good", ""];
}

export const startedAt = started;
