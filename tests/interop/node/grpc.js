// The Greeter of examples/python with @grpc/grpc-js:
//
//   grpc.js server PROTO PKI NAME [mtls]                 says its port, serves until SIGTERM
//   grpc.js client PROTO PKI NAME|- localhost:PORT       prints the greeting; exit code 1 on refusal
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const grpc = require("@grpc/grpc-js");
const { loadSync } = require("@grpc/proto-loader");

const [role, proto, pki, name, extra] = process.argv.slice(2);
const { Greeter } = grpc.loadPackageDefinition(loadSync(proto)).grpc_pki.example;

const ca = fs.readFileSync(path.join(pki, "ca.crt"));
const read = (suffix) => (name === "-" ? null : fs.readFileSync(path.join(pki, name + suffix)));
const certificate = read(".crt");
const key = read(".key");

/** Greets, and says who called when the client showed a certificate. */
function greet(call, callback) {
  const client = call.getAuthContext().sslPeerCertificate?.subject?.CN;
  const you = client ? ` You are ${client}.` : "";
  callback(null, { message: `Hello, ${call.request.name}!${you}` });
}

function serve(mutual) {
  const server = new grpc.Server();
  server.addService(Greeter.service, { greet });
  const pair = { private_key: key, cert_chain: certificate };
  const credentials = grpc.ServerCredentials.createSsl(mutual ? ca : null, [pair], mutual);
  server.bindAsync("localhost:0", credentials, (error, port) => {
    if (error) throw error;
    console.log(`listening on port ${port}`);
  });
  process.on("SIGTERM", () => server.tryShutdown(() => process.exit(0)));
}

function call(target) {
  const client = new Greeter(target, grpc.credentials.createSsl(ca, key, certificate));
  const deadline = Date.now() + 10_000;
  client.greet({ name: "world" }, { deadline }, (error, reply) => {
    console.log(error ? `error: ${error.code} ${error.details}` : reply.message);
    process.exit(error ? 1 : 0);
  });
}

if (role === "server") serve(extra === "mtls");
else call(extra);
