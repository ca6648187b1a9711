/** Stands in for a service where only the steps of a deploy matter: health, viewers that a drain sends away, and an end by TERM. */
import { createServer, type ServerResponse } from 'node:http';

// eslint-disable-next-line no-restricted-syntax -- a program
const { HEALTH_PORT, SERVED_PORT, RELEASE, NEVER_READY, EXIT_CODE } = process.env;
const viewers = new Set<ServerResponse>();
let isDraining = false;

function sendAway(): void {
  for (const viewer of viewers) viewer.end();
  viewers.clear();
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url!, 'http://host');
  if (pathname === '/health/ready') {
    response.statusCode = NEVER_READY === undefined && !isDraining ? 200 : 503;
    return response.end(JSON.stringify({ status: 'starting' }));
  }
  if (pathname === '/admin/drain') {
    isDraining = true;
    setTimeout(sendAway, Number(searchParams.get('over')) / 2);
    return response.end(JSON.stringify({ viewers: viewers.size }));
  }
  if (pathname === '/live/sse') {
    viewers.add(response);
    response.on('close', () => viewers.delete(response));
    return response.write(`data: ${RELEASE}\n\n`);
  }
  response.end(RELEASE);
});
const health = createServer((request, response) => server.emit('request', request, response));
health.listen(Number(HEALTH_PORT), '127.0.0.1');
if (SERVED_PORT !== undefined) server.listen(Number(SERVED_PORT), '127.0.0.1');
process.once('SIGTERM', () => {
  sendAway();
  health.close();
  server.close();
  for (const each of [server, health]) each.closeIdleConnections();
  process.exitCode = Number(EXIT_CODE ?? 0);
});
