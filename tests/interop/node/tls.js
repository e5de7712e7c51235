// The handshakes of ../handshake.py with Node's standard `tls`.
"use strict";

const { once } = require("node:events");
const fs = require("node:fs");
const readline = require("node:readline");
const tls = require("node:tls");

const read = (file) => (file === "-" ? undefined : fs.readFileSync(file));

/** One handshake; resolves to `accepted NAME` or `refused CAUSE`. */
async function handshake([certificate, key, clientsCa, ca, name, clientCertificate, clientKey]) {
  const causes = [];
  const say = (error) => causes.push(`${error.code}: ${error.message}`.replace(/\s+/g, " "));
  const server = tls.createServer({
    cert: read(certificate),
    key: read(key),
    ca: read(clientsCa),
    requestCert: clientsCa !== "-",
    rejectUnauthorized: true,
  });
  const closed = new Promise((resolve) => {
    server.on("tlsClientError", (error, socket) => {
      if (socket.authorizationError) causes.push(socket.authorizationError);
      resolve(say(error));
    });
    server.on("secureConnection", (socket) => {
      socket.on("error", say);
      socket.on("close", resolve);
      socket.end(`${socket.getPeerCertificate().subject?.CN ?? "-"}\n`);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const socket = tls.connect({
    host: "127.0.0.1",
    port: server.address().port,
    servername: /^[\d.]+$/.test(name) ? undefined : name, // an address is no server name in TLS
    ca: read(ca),
    cert: read(clientCertificate),
    key: read(clientKey),
  });
  let answer = "";
  socket.on("error", say);
  socket.on("data", (octets) => (answer += octets));
  await new Promise((resolve) => socket.on("close", resolve));
  await closed;
  server.close();
  return answer ? `accepted ${answer.trim()}` : `refused ${causes.join("; ")}`;
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [id, ...fields] = line.split("\t");
    console.log(`${id} ${await handshake(fields)}`);
  }
})();
