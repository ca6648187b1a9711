// Socket.IO with connection state recovery, as its documentation sets it up; POST /publish takes events, one a line.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [folder, port] = process.argv.slice(2);
const { Server } = createRequire(join(folder, 'package.json'))('socket.io');
const http = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    for (const line of body.split('\n')) if (line !== '') io.emit('e', JSON.parse(line));
    response.end();
  });
});
const io = new Server(http, {
  serveClient: false,
  transports: ['websocket'],
  connectionStateRecovery: { maxDisconnectionDuration: 120_000, skipMiddlewares: true },
});
http.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
