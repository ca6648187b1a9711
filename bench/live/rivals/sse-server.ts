/** The plain broadcast as server-sent events: `sse-server.ts host:port`. */
import type { ServerResponse } from 'node:http';
import { listen, publishPort } from './publish-port.ts';

const streams = new Set<ServerResponse>();
const server = publishPort(
  (line) => {
    for (const stream of streams) stream.write(`data: ${line}\n\n`);
  },
  (stream) => {
    stream.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    streams.add(stream);
    stream.on('close', () => streams.delete(stream)).on('error', () => {});
  },
);
listen(server);
