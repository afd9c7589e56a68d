// A Sparkplug edge node on sparkplug-client (Cirrus Link), which shares no code with the driver's.
// Usage: node node.js PORT. Prints "ready" after its first birth.
import { createRequire } from "node:module";

const sparkplug = createRequire(import.meta.url)("sparkplug-client");

const client = sparkplug.newClient({
  serverUrl: `tcp://127.0.0.1:${process.argv[2]}`,
  username: "",
  password: "",
  groupId: "peer",
  edgeNode: "js-node",
  clientId: "sparkplug-client-peer",
  version: "spBv1.0",
  keepalive: 5,
});
const drive = {
  "Drive/Speed": ["Double", 12.5],
  "Drive/Torque": ["Int16", -7],
  "Drive/Offset": ["Int8", -1],
  "Drive/Count": ["UInt32", 4000000000],
  "Drive/Total": ["Int64", 1099511627776],
  "Drive/Setpoint": ["Float", 0.5],
  "Drive/Running": ["Boolean", true],
  "Drive/Recipe": ["String", "Köln"],
};
const metric = (name) => ({
  name,
  type: drive[name][0],
  value: drive[name][1],
  timestamp: Date.now(),
});

function births() {
  client.publishNodeBirth({
    timestamp: Date.now(),
    metrics: [{ name: "Node Control/Rebirth", type: "Boolean", value: false }],
  });
  client.publishDeviceBirth("drive", {
    timestamp: Date.now(),
    metrics: Object.keys(drive).map(metric),
  });
}

client.on("birth", () => {
  births();
  console.log("ready");
});
client.on("ncmd", (payload) => {
  if (payload.metrics.some((m) => m.name === "Node Control/Rebirth" && m.value)) births();
});
client.on("dcmd", (device, payload) => {
  for (const { name, value } of payload.metrics) {
    if (!(name in drive)) continue;
    drive[name][1] = value;
    client.publishDeviceData(device, { timestamp: Date.now(), metrics: [metric(name)] });
  }
});
