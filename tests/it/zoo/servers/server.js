// A server on Node: grpc-js, or the `http2` module with as much gRPC as one health check takes.
//
// argv[2] is JSON: mode (grpc-js, http2), cert, key, client_ca, request, reject. Prints `port N`.
"use strict";

const fs = require("node:fs");
const http2 = require("node:http2");

const asked = JSON.parse(process.argv[2]);
const octets = (name) => (asked[name] ? fs.readFileSync(asked[name]) : null);
const cert = octets("cert");
const key = octets("key");
const ca = octets("client_ca");
const SERVING = Buffer.from([8, 1]);

function grpcJs() {
  const grpc = require("@grpc/grpc-js");
  const same = (octets) => octets;
  const check = {
    path: "/grpc.health.v1.Health/Check",
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  const server = new grpc.Server();
  server.addService({ check }, { check: (_, answer) => answer(null, SERVING) });
  const pair = { private_key: key, cert_chain: cert };
  const credentials = grpc.ServerCredentials.createSsl(ca, [pair], asked.request);
  server.bindAsync("127.0.0.1:0", credentials, (error, port) => {
    if (error) throw error;
    console.log(`port ${port}`);
  });
}

function bare() {
  const server = http2.createSecureServer({
    cert,
    key,
    ca,
    requestCert: asked.request,
    rejectUnauthorized: asked.reject,
  });
  server.on("stream", (stream) => {
    stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, SERVING.length]), SERVING]));
  });
  // A client that does not get in is the business of the test.
  server.on("sessionError", () => {});
  server.listen(0, "127.0.0.1", () => console.log(`port ${server.address().port}`));
}

if (asked.mode === "grpc-js") grpcJs();
else bare();
