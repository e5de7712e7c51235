// @grpc/grpc-js calls each server of ../opinions.py, which may answer anything that is gRPC.
"use strict";

const fs = require("node:fs");
const readline = require("node:readline");
const grpc = require("@grpc/grpc-js");

const asIs = (octets) => octets;

function dial(ca, port) {
  const credentials = grpc.credentials.createSsl(fs.readFileSync(ca));
  const client = new grpc.Client(`localhost:${port}`, credentials);
  const options = { deadline: Date.now() + 10_000 };
  return new Promise((resolve) => {
    const end = (error) => {
      client.close();
      resolve(error ? `refused ${error.code} ${error.details}` : "accepted");
    };
    const method = "/grpc.health.v1.Health/Check";
    client.makeUnaryRequest(method, asIs, asIs, Buffer.alloc(0), new grpc.Metadata(), options, end);
  });
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [id, ca, port] = line.split("\t");
    console.log(`${id} ${await dial(ca, port)}`);
  }
})();
