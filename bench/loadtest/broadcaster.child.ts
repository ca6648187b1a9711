/** Sends every viewer the same event of a load test, one after the other. argv: frames a second. Tells its port. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { requestId, Traffic } from '../../apps/loadtest/src/traffic/traffic.ts';
import { defaultTraffic } from '../../apps/loadtest/src/scenario/scenario.ts';

const rate = Number(process.argv[2]);
const run = '0123456789ab';
const traffic = new Traffic(run, defaultTraffic);
const server = createServer();
const sockets = new WebSocketServer({
  server,
  perMessageDeflate: false,
  handleProtocols: ([first]) => first!,
});
let isBegun = false;
sockets.on('connection', (socket) => {
  socket.on('message', () => {
    socket.send(JSON.stringify({ type: 'subscribed', id: 'a', channel: 1, cursor: '0', resumed: false }));
  });
});
process.on('message', () => {
  if (isBegun) return;
  isBegun = true;
  let n = 0;
  setInterval(() => {
    const { service, level, message, request } = traffic.event(n);
    const event = {
      id: `0-${n}`,
      timestamp: new Date().toISOString(),
      level,
      service,
      message,
      correlationId: requestId(run, request),
      attributes: { loadtest: { run, n } },
      partition: 0,
      offset: n,
    };
    const frame = JSON.stringify({ type: 'events', channel: 1, cursor: String(n), events: [event] });
    for (const socket of sockets.clients) socket.send(frame);
    n++;
  }, 1_000 / rate);
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () =>
  process.send!((server.address() as AddressInfo).port),
);
