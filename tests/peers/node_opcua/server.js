// An OPC UA server on node-opcua, which nobody of this project wrote, for tests.
//
//     node server.js <folder for certificates> <port, 0 for a free one>
//
// It says {"endpoint": …, "own": <its certificate>, …} in one line once it listens, and takes words
// on its standard input, each answered by a line {"done": <word>}:
// lose (stop listening and hang up), restore, reset (values as at the start), strict (trust nobody
// new), lenient (trust everybody).

"use strict";
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const readline = require("node:readline");
const { OPCUAServer } = require("node-opcua-server");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");
const { SecurityPolicy, MessageSecurityMode } = require("node-opcua-secure-channel");
const { nodesets } = require("node-opcua-nodesets");
const { Variant, DataType, VariantArrayType } = require("node-opcua-variant");
const { StatusCodes } = require("node-opcua-status-code");

const NAMESPACE = "urn:peer:boiler";
const APPLICATION = "urn:peer:boiler:server";
const [folder, wantedPort] = [process.argv[2], Number(process.argv[3] || 0)];

const START = {
  temperature: 61.5,
  pressure: 2.25,
  burner: true,
  cycles: 4711,
  offset: -12,
  name: "boiler 3",
  mode: 1,
};
const values = { ...START };

function variable(namespace, parent, name, dataType, options = {}) {
  return namespace.addVariable({
    componentOf: parent,
    browseName: name,
    nodeId: `s=${name}`,
    dataType,
    accessLevel: options.write ? "CurrentRead | CurrentWrite" : "CurrentRead",
    userAccessLevel: options.write ? "CurrentRead | CurrentWrite" : "CurrentRead",
    minimumSamplingInterval: 50,
    value: {
      get: () => new Variant({ dataType, value: values[name] }),
      set: options.write
        ? (variant) => {
            values[name] = variant.value;
            return StatusCodes.Good;
          }
        : undefined,
    },
  });
}

function build(space) {
  const namespace = space.registerNamespace(NAMESPACE);
  const boiler = namespace.addObject({
    organizedBy: space.rootFolder.objects,
    browseName: "Boiler",
    nodeId: "s=Boiler",
  });
  variable(namespace, boiler, "temperature", DataType.Double);
  variable(namespace, boiler, "pressure", DataType.Float, { write: true });
  variable(namespace, boiler, "burner", DataType.Boolean);
  variable(namespace, boiler, "cycles", DataType.UInt32);
  variable(namespace, boiler, "offset", DataType.Int16, { write: true });
  variable(namespace, boiler, "name", DataType.String);
  variable(namespace, boiler, "mode", DataType.Int32);
  namespace.addVariable({
    componentOf: boiler,
    browseName: "broken",
    nodeId: "s=broken",
    dataType: DataType.Double,
    minimumSamplingInterval: 50,
    value: { get: () => StatusCodes.BadSensorFailure },
  });
  namespace.addVariable({
    componentOf: boiler,
    browseName: "zones",
    nodeId: "s=zones",
    dataType: DataType.Double,
    valueRank: 1,
    arrayDimensions: [3],
    minimumSamplingInterval: 50,
    value: {
      get: () =>
        new Variant({ dataType: DataType.Double, arrayType: VariantArrayType.Array, value: [1, 2, 3] }),
    },
  });
  const method = namespace.addMethod(boiler, {
    browseName: "Raise",
    nodeId: "s=Raise",
    inputArguments: [{ name: "By", dataType: DataType.Double }],
    outputArguments: [{ name: "Pressure", dataType: DataType.Double }],
  });
  method.bindMethod((inputs, _context, answer) => {
    const by = inputs[0].value;
    if (by > 100) {
      answer(null, { statusCode: StatusCodes.BadOutOfRange });
      return;
    }
    answer(null, {
      statusCode: StatusCodes.Good,
      outputArguments: [{ dataType: DataType.Double, value: values.pressure + by }],
    });
  });
}

function freePort() {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function main() {
  const port = wantedPort || (await freePort());
  const certificates = new OPCUACertificateManager({
    rootFolder: path.join(folder, "pki"),
    automaticallyAcceptUnknownCertificate: true,
    disableFileWatchers: true,
  });
  await certificates.initialize();
  const certificateFile = path.join(folder, "pki", "own", "server.pem");
  if (!fs.existsSync(certificateFile)) {
    await certificates.createSelfSignedCertificate({
      applicationUri: APPLICATION,
      dns: ["localhost"],
      subject: "/CN=Peer",
      startDate: new Date(Date.now() - 86_400_000),
      validity: 365,
      outputFile: certificateFile,
    });
  }
  let server;
  const start = async () => {
    server = new OPCUAServer({
      port,
      hostname: "127.0.0.1",
      host: "127.0.0.1",
      serverInfo: { applicationUri: APPLICATION, applicationName: { text: "Peer" } },
      serverCertificateManager: certificates,
      certificateFile,
      nodeset_filename: [nodesets.standard],
      securityPolicies: [SecurityPolicy.Basic256Sha256, SecurityPolicy.Aes256_Sha256_RsaPss],
      securityModes: [MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt],
      allowAnonymous: true,
      userManager: { isValidUser: (user, password) => user === "operator" && password === "boil-well" },
      isAuditing: false,
      disableDiscovery: false,
      registerServerMethod: 1,
    });
    await server.initialize();
    build(server.engine.addressSpace);
    await server.start();
  };
  const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
  const words = {
    lose: () => server.shutdown(0),
    restore: start,
    reset: async () => Object.assign(values, START),
    strict: async () => {
      certificates.automaticallyAcceptUnknownCertificate = false;
    },
    lenient: async () => {
      certificates.automaticallyAcceptUnknownCertificate = true;
    },
  };
  await start();
  say({ endpoint: `opc.tcp://127.0.0.1:${port}`, namespace: NAMESPACE });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    await words[line.trim()]();
    say({ done: line.trim() });
  }
  process.exit(0);
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
